"""Clips are known again by invisible marks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mark",
        sa.Column(
            "job_id", sa.Text(), sa.ForeignKey("job.id", name="fk_mark_job_id"), nullable=False
        ),
        sa.Column("word", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_mark")),
    )
    op.create_index(op.f("ix_mark_word"), "mark", ["word"])


def downgrade() -> None:
    op.drop_table("mark")
