"""Chats: posts, rules of servers, reports; deliveries one at a time for each chat; the ping."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "post",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("upload_limit", sa.BigInteger(), nullable=False),
        sa.Column("member", sa.Boolean(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("token_until", INSTANT, nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("adult", sa.Boolean(), nullable=False),
        sa.Column("pinged", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_post")),
    )
    op.create_index("ix_post_token_until", "post", ["token_until"])
    op.create_table(
        "rules",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("server", name=op.f("pk_rules")),
    )
    op.create_table(
        "report",
        sa.Column("id", KEY, nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_report_job_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_report_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("job_id", "account_id", name=op.f("uq_report_job_id_account_id")),
    )
    with op.batch_alter_table("account") as account:
        account.add_column(
            sa.Column("ping", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    with op.batch_alter_table("account") as account:
        account.alter_column("ping", existing_type=sa.Boolean(), server_default=None)
    with op.batch_alter_table("delivery") as delivery:
        delivery.add_column(sa.Column("chat", sa.Text(), nullable=True))
        delivery.add_column(sa.Column("state", sa.Text(), nullable=False, server_default="pending"))
    op.execute("UPDATE delivery SET state = 'sent' WHERE due_at IS NULL")
    with op.batch_alter_table("delivery") as delivery:
        delivery.alter_column("state", existing_type=sa.Text(), server_default=None)
        delivery.create_check_constraint(
            "state", "state IN ('pending', 'sending', 'sent', 'unknown', 'kept')"
        )
    op.create_index("ix_delivery_chat_state", "delivery", ["chat", "state"])
    op.create_index("ix_job_place", "job", ["place"])


def downgrade() -> None:
    op.drop_index("ix_job_place", "job")
    op.drop_index("ix_delivery_chat_state", "delivery")
    with op.batch_alter_table("delivery") as delivery:
        delivery.drop_constraint(op.f("ck_delivery_state"), type_="check")
        delivery.drop_column("state")
        delivery.drop_column("chat")
    with op.batch_alter_table("account") as account:
        account.drop_column("ping")
    for table in ("report", "rules", "post"):
        op.drop_table(table)
