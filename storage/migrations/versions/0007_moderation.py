"""Moderators: the log of what they did, what holds of it, and credits that they took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
KINDS = "kind IN ('grant', 'hold', 'capture', 'release', 'expiry', 'refund')"
KINDS_WITH_TAKE = "kind IN ('grant', 'hold', 'capture', 'release', 'expiry', 'refund', 'take')"


def upgrade() -> None:
    with op.batch_alter_table("entry") as entry:
        entry.drop_constraint(op.f("ck_entry_kind"), type_="check")
        entry.create_check_constraint("kind", KINDS_WITH_TAKE)
    op.create_table(
        "restraint",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("whom", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=True),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('ban', 'pause', 'quota')", name=op.f("ck_restraint_kind")),
        sa.CheckConstraint("credits >= 0", name=op.f("ck_restraint_credits")),
        sa.PrimaryKeyConstraint("server", "whom", "kind", name=op.f("pk_restraint")),
    )
    op.create_table(
        "audit",
        sa.Column("number", KEY, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in (
                "key", "who", "rank", "server", "act", "whom", "details", "previous", "hash"
            )
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
        sa.UniqueConstraint("key", name=op.f("uq_audit_key")),
        sa.UniqueConstraint("previous", name=op.f("uq_audit_previous")),
    )  # fmt: skip
    for column in ("server", "whom"):
        op.create_index(f"ix_audit_{column}_number", "audit", [column, "number"])


def downgrade() -> None:
    op.drop_table("audit")
    op.drop_table("restraint")
    op.execute("UPDATE entry SET kind = 'expiry' WHERE kind = 'take'")
    with op.batch_alter_table("entry") as entry:
        entry.drop_constraint(op.f("ck_entry_kind"), type_="check")
        entry.create_check_constraint("kind", KINDS)
