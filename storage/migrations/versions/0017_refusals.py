"""Refusals are counted, by quarters of an hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refusal",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("server", "model", "why")),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("at", "server", "model", "why", name=op.f("pk_refusal")),
    )


def downgrade() -> None:
    op.drop_table("refusal")
