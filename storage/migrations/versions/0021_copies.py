"""Messages that show a clip and are no cards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "copy",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column(
            "job_id",
            sa.Text(),
            sa.ForeignKey("job.id", name=op.f("fk_copy_job_id_job")),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_copy")),
    )
    op.create_index(op.f("ix_copy_job_id"), "copy", ["job_id"])


def downgrade() -> None:
    op.drop_table("copy")
