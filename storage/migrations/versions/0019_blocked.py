"""Pictures that stay down are known by their hashes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blocked",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("hash", "why", "by")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_blocked")),
    )


def downgrade() -> None:
    op.drop_table("blocked")
