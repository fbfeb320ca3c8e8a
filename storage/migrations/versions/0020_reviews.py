"""What people decide about jobs: appeals, moderators, consent; strikes, and settled reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def _false(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def upgrade() -> None:
    with op.batch_alter_table("job") as job:
        job.add_column(sa.Column("level", sa.Text(), nullable=False, server_default="standard"))
        job.add_column(sa.Column("plea", sa.Text(), nullable=False, server_default=""))
        for name in ("cleared", "appealed"):
            job.add_column(_false(name))
        for name, kind in (
            ("clause", sa.Text()),
            ("asks", sa.Text()),
            ("decide_by", INSTANT),
            ("held_at", INSTANT),
            ("findings", sa.JSON()),
            ("subject_id", KEY),
        ):
            job.add_column(sa.Column(name, kind, nullable=True))
    with op.batch_alter_table("job") as job:
        job.alter_column("level", existing_type=sa.Text(), server_default=None)
        job.alter_column("plea", existing_type=sa.Text(), server_default=None)
        for name in ("cleared", "appealed"):
            job.alter_column(name, existing_type=sa.Boolean(), server_default=None)
        job.create_check_constraint("level", "level IN ('strict', 'standard', 'adult')")
        job.create_check_constraint("asks", "asks IN ('sender', 'subject')")
        job.create_foreign_key(op.f("fk_job_subject_id"), "account", ["subject_id"], ["id"])
        job.create_index(op.f("ix_job_subject_id"), ["subject_id"])
    with op.batch_alter_table("report") as report:
        report.add_column(_false("dismissed"))
    with op.batch_alter_table("report") as report:
        report.alter_column("dismissed", existing_type=sa.Boolean(), server_default=None)
    account = ("account.id",)
    op.create_table(
        "strike",
        sa.Column("id", KEY, nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("clause", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("lifted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strike")),
        sa.UniqueConstraint("job_id", name=op.f("uq_strike_job_id")),
        sa.ForeignKeyConstraint(["account_id"], account, name=op.f("fk_strike_account_id")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_strike_job_id")),
    )
    op.create_index(op.f("ix_strike_account_id_at"), "strike", ["account_id", "at"])
    op.create_table(
        "attestation",
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("picture", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "picture", name=op.f("pk_attestation")),
        sa.ForeignKeyConstraint(["account_id"], account, name=op.f("fk_attestation_account_id")),
    )
    op.create_table(
        "sight",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("hashes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_sight")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_sight_job_id")),
    )


def downgrade() -> None:
    for table in ("sight", "attestation", "strike"):
        op.drop_table(table)
    with op.batch_alter_table("report") as report:
        report.drop_column("dismissed")
    op.execute("UPDATE job SET state = 'cancelled', ended_at = created_at WHERE state = 'held'")
    with op.batch_alter_table("job") as job:
        job.drop_index(op.f("ix_job_subject_id"))
        job.drop_constraint(op.f("fk_job_subject_id"), type_="foreignkey")
        job.drop_constraint(op.f("ck_job_asks"), type_="check")
        job.drop_constraint(op.f("ck_job_level"), type_="check")
    with op.batch_alter_table("job") as job:
        for name in (
            "level", "plea", "cleared", "appealed", "clause", "asks", "decide_by", "held_at",
            "findings", "subject_id",
        ):  # fmt: skip
            job.drop_column(name)
