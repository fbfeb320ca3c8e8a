"""What was paid may be asked back, and ordered back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("purchase", sa.Column("asked", sa.Text(), nullable=True))
    op.add_column("purchase", sa.Column("refund_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_purchase_refund_at", "purchase", ["refund_at"])


def downgrade() -> None:
    op.drop_index("ix_purchase_refund_at", "purchase")
    with op.batch_alter_table("purchase") as purchase:
        purchase.drop_column("refund_at")
        purchase.drop_column("asked")
