"""Accounts that were joined into another, and identities that left one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
NAMED = ("merged_into", "parted_from")


def upgrade() -> None:
    with op.batch_alter_table("account") as account:
        for column in NAMED:
            account.add_column(sa.Column(column, KEY, nullable=True))
            account.create_foreign_key(op.f(f"fk_account_{column}"), "account", [column], ["id"])
        account.add_column(sa.Column("parted_at", INSTANT, nullable=True))
    for column in NAMED:
        op.create_index(f"ix_account_{column}", "account", [column])


def downgrade() -> None:
    for column in NAMED:
        op.drop_index(f"ix_account_{column}", "account")
    with op.batch_alter_table("account") as account:
        for column in NAMED:
            account.drop_constraint(op.f(f"fk_account_{column}"), type_="foreignkey")
            account.drop_column(column)
        account.drop_column("parted_at")
