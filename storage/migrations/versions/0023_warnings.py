"""A refusal says what it means for who asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("warning", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("job") as job:
        job.alter_column("warning", existing_type=sa.Text(), server_default=None)


def downgrade() -> None:
    op.drop_column("job", "warning")
