"""Lots: credits that come together and expire together; treasuries; what a job was
charged; plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SOME = sa.text("credits > 0")


def upgrade() -> None:
    op.create_table(
        "lot",
        sa.Column("id", KEY, nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", INSTANT, nullable=True),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('daily', 'monthly', 'bought', 'gifted', 'adjusted')",
            name=op.f("ck_lot_kind"),
        ),
        sa.CheckConstraint("credits >= 0", name=op.f("ck_lot_credits")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_lot_held")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_lot_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
    )
    for column in ("account_id", "expires_at"):
        op.create_index(
            f"ix_lot_{column}", "lot", [column], sqlite_where=SOME, postgresql_where=SOME
        )
    # What there is becomes one lot without an end, and every line so far lies on it.
    op.execute(
        "INSERT INTO lot (account_id, kind, credits, held, created_at) "
        "SELECT id, 'adjusted', available, held, created_at FROM account "
        "WHERE id IN (SELECT account_id FROM entry)"
    )
    with op.batch_alter_table("entry") as entry:
        entry.add_column(sa.Column("lot_id", KEY, nullable=True))
        entry.alter_column("key", existing_type=sa.Text(), nullable=True)
        entry.drop_constraint(op.f("ck_entry_kind"), type_="check")
        entry.create_check_constraint(
            "kind", "kind IN ('grant', 'hold', 'capture', 'release', 'expiry')"
        )
    op.execute(
        "UPDATE entry SET lot_id = (SELECT lot.id FROM lot WHERE lot.account_id = entry.account_id)"
    )
    with op.batch_alter_table("entry") as entry:
        entry.alter_column("lot_id", existing_type=KEY, nullable=False)
        entry.create_foreign_key(op.f("fk_entry_lot_id"), "lot", ["lot_id"], ["id"])
    op.create_index("ix_entry_job_id", "entry", ["job_id"])
    op.create_table(
        "treasury",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_treasury_account_id")
        ),
        sa.PrimaryKeyConstraint("server", name=op.f("pk_treasury")),
    )
    with op.batch_alter_table("job") as job:
        job.add_column(sa.Column("charged", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE job SET charged = credits WHERE state = 'succeeded'")
    with op.batch_alter_table("job") as job:
        job.alter_column("charged", existing_type=sa.BigInteger(), server_default=None)
        job.create_check_constraint("charged", "charged >= 0 AND charged <= credits")
    with op.batch_alter_table("account") as account:
        account.add_column(sa.Column("plan", sa.Text(), nullable=False, server_default="free"))
        account.add_column(sa.Column("plan_until", INSTANT, nullable=True))
    with op.batch_alter_table("account") as account:
        account.alter_column("plan", existing_type=sa.Text(), server_default=None)


def downgrade() -> None:
    op.drop_table("treasury")
    with op.batch_alter_table("account") as account:
        account.drop_column("plan_until")
        account.drop_column("plan")
    with op.batch_alter_table("job") as job:
        job.drop_constraint(op.f("ck_job_charged"), type_="check")
        job.drop_column("charged")
    op.drop_index("ix_entry_job_id", "entry")
    op.execute("UPDATE entry SET kind = 'release', key = 'expiry:' || id WHERE kind = 'expiry'")
    with op.batch_alter_table("entry") as entry:
        entry.drop_constraint(op.f("fk_entry_lot_id"), type_="foreignkey")
        entry.drop_constraint(op.f("ck_entry_kind"), type_="check")
        entry.create_check_constraint("kind", "kind IN ('grant', 'hold', 'capture', 'release')")
        entry.alter_column("key", existing_type=sa.Text(), nullable=False)
        entry.drop_column("lot_id")
    op.drop_table("lot")
