"""Voucher codes, and gifts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "voucher",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("until", INSTANT, nullable=True),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.CheckConstraint("credits >= 0", name=op.f("ck_voucher_credits")),
        sa.CheckConstraint("used >= 0 AND used <= uses", name=op.f("ck_voucher_used")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("name", name=op.f("uq_voucher_name")),
        sa.UniqueConstraint("digest", name=op.f("uq_voucher_digest")),
    )
    op.create_table(
        "gift",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sender_id", KEY, nullable=False),
        sa.Column("receiver_id", KEY, nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.CheckConstraint("credits > 0", name=op.f("ck_gift_credits")),
        *(
            sa.ForeignKeyConstraint([whose], ["account.id"], name=op.f(f"fk_gift_{whose}"))
            for whose in ("sender_id", "receiver_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift")),
        sa.UniqueConstraint("key", name=op.f("uq_gift_key")),
    )
    for whose in ("sender_id", "receiver_id"):
        op.create_index(f"ix_gift_{whose}_at", "gift", [whose, "at"])


def downgrade() -> None:
    op.drop_table("gift")
    op.drop_table("voucher")
