"""Who leased a delivery last, so that a repeat after a lost acknowledgement finds its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("receipt", sa.Text()))
    op.create_index("ix_delivery_receipt", "delivery", ["receipt"])


def downgrade() -> None:
    op.drop_index("ix_delivery_receipt", "delivery")
    op.drop_column("delivery", "receipt")
