"""What others call somebody on a platform."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("identity", sa.Column("handle", sa.Text(), nullable=True))
    op.create_index("ix_identity_platform_handle", "identity", ["platform", "handle"])


def downgrade() -> None:
    op.drop_index("ix_identity_platform_handle", "identity")
    with op.batch_alter_table("identity") as identity:
        identity.drop_column("handle")
