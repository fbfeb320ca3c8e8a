"""The console: jobs by server, jobs that were moved in the queue, and who leads what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SERVERS = {
    "sqlite": "substr(place, 1, instr(place || '/', '/') - 1)",
    "postgresql": "split_part(place, '/', 1)",
}


def upgrade() -> None:
    op.add_column("job", sa.Column("server", sa.Text(), nullable=True))
    op.add_column("job", sa.Column("shift", sa.Integer(), server_default="0", nullable=False))
    op.execute(f"UPDATE job SET server = {SERVERS[op.get_bind().dialect.name]}")
    with op.batch_alter_table("job") as job:
        job.alter_column("server", nullable=False)
        job.alter_column("shift", server_default=None)
        job.create_index("ix_job_server_number", ["server", "number"])
        job.create_index("ix_job_created_at", ["created_at"])
    op.create_table(
        "leader",
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_leader_account_id"),
        sa.PrimaryKeyConstraint("account_id", "server", name=op.f("pk_leader")),
    )


def downgrade() -> None:
    op.drop_table("leader")
    with op.batch_alter_table("job") as job:
        job.drop_index("ix_job_created_at")
        job.drop_index("ix_job_server_number")
        job.drop_column("shift")
        job.drop_column("server")
