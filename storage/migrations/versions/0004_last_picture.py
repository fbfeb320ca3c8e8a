"""A job's last picture in a column beside the first, to be found by its index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JOB = sa.table("job", sa.column("request", sa.JSON()), sa.column("last_picture", sa.Text()))


def upgrade() -> None:
    op.add_column("job", sa.Column("last_picture", sa.Text(), nullable=True))
    last = JOB.c.request["last_picture"].as_string()
    op.execute(sa.update(JOB).where(last.is_not(None)).values(last_picture=last))
    op.create_index("ix_job_last_picture", "job", ["last_picture"])


def downgrade() -> None:
    op.drop_index("ix_job_last_picture", "job")
    op.drop_column("job", "last_picture")
