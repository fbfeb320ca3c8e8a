"""What was paid for; claims on plans, of which somebody may have several."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "claim",
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_claim_account_id")),
        sa.PrimaryKeyConstraint("account_id", "source", name=op.f("pk_claim")),
    )
    op.create_index("ix_claim_source", "claim", ["source"])
    op.execute(
        "INSERT INTO claim (account_id, source, plan, until) "
        "SELECT id, 'moderator', plan, plan_until FROM account WHERE plan <> 'free'"
    )
    with op.batch_alter_table("account") as account:
        account.drop_column("plan_until")
        account.drop_column("plan")
    op.create_table(
        "purchase",
        sa.Column("id", KEY, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("charge", sa.Text(), nullable=False),
        sa.Column("account_id", KEY, nullable=True),
        sa.Column("ware", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("as_of", INSTANT, nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", KEY, nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("until", INSTANT, nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('paid', 'refunded', 'ended')", name=op.f("ck_purchase_state")
        ),
        sa.CheckConstraint("taken >= 0 AND taken <= credits", name=op.f("ck_purchase_taken")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_purchase_account_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_purchase_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase")),
        sa.UniqueConstraint("provider", "charge", name=op.f("uq_purchase_provider_charge")),
    )
    op.create_index("ix_purchase_account_id_id", "purchase", ["account_id", "id"])


def downgrade() -> None:
    op.drop_table("purchase")
    with op.batch_alter_table("account") as account:
        account.add_column(sa.Column("plan", sa.Text(), nullable=False, server_default="free"))
        account.add_column(sa.Column("plan_until", INSTANT, nullable=True))
    with op.batch_alter_table("account") as account:
        account.alter_column("plan", existing_type=sa.Text(), server_default=None)
    for column, value in (("plan", "plan"), ("plan_until", "until")):
        op.execute(
            f"UPDATE account SET {column} = (SELECT claim.{value} FROM claim "
            "WHERE claim.account_id = account.id AND claim.source = 'moderator') "
            "WHERE id IN (SELECT account_id FROM claim WHERE source = 'moderator')"
        )
    op.drop_table("claim")
