"""Lanes of the queue; what a job was quoted at, and jobs that wait for their author's word."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BEFORE = "'held', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'refused'"
LANES = "lane IN ('fast', 'standard', 'relaxed')"


def upgrade() -> None:
    with op.batch_alter_table("job") as job:
        job.add_column(sa.Column("lane", sa.Text(), nullable=False, server_default="standard"))
        job.add_column(sa.Column("price", sa.JSON(), nullable=True))
        job.add_column(sa.Column("purse", sa.JSON(), nullable=True))
        job.drop_constraint(op.f("ck_job_state"), type_="check")
        job.create_check_constraint("state", f"state IN ('quoted', {BEFORE})")
    with op.batch_alter_table("job") as job:
        job.alter_column("lane", existing_type=sa.Text(), server_default=None)
        job.create_check_constraint("lane", LANES)


def downgrade() -> None:
    op.execute("UPDATE job SET state = 'cancelled', ended_at = created_at WHERE state = 'quoted'")
    with op.batch_alter_table("job") as job:
        job.drop_constraint(op.f("ck_job_lane"), type_="check")
        job.drop_constraint(op.f("ck_job_state"), type_="check")
        job.create_check_constraint("state", f"state IN ({BEFORE})")
        job.drop_column("purse")
        job.drop_column("price")
        job.drop_column("lane")
