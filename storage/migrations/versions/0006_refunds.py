"""Refunds: what was paid for a clip that reached nobody comes back."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BEFORE = "'grant', 'hold', 'capture', 'release', 'expiry'"


def upgrade() -> None:
    _allow(f"{BEFORE}, 'refund'")


def downgrade() -> None:
    op.execute("UPDATE entry SET kind = 'release' WHERE kind = 'refund'")
    _allow(BEFORE)


def _allow(kinds: str) -> None:
    with op.batch_alter_table("entry") as entry:
        entry.drop_constraint(op.f("ck_entry_kind"), type_="check")
        entry.create_check_constraint("kind", f"kind IN ({kinds})")
