"""The tables of what people decide: reports, strikes, what somebody says that they may use; of
where a clip is that may have to be taken down, and what it is known by."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Text, UniqueConstraint
from sqlmodel import Field

from storage.columns import Instant, Key, Table


class ReportRow(Table, table=True):
    """Somebody found a clip that should not be. One for each clip and person.

    dismissed: a moderator decided about it."""

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("job_id", "account_id"),)

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    job_id: str = Field(sa_column=Column(Text, ForeignKey("job.id"), nullable=False))
    account_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), nullable=False))
    place: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    dismissed: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))


class StrikeRow(Table, table=True):
    """What was refused by somebody's own doing; as in `core.safety.strikes.Strike`."""

    __tablename__ = "strike"
    __table_args__ = (UniqueConstraint("job_id"), Index(None, "account_id", "at"))

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    account_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), nullable=False))
    job_id: str = Field(sa_column=Column(Text, ForeignKey("job.id"), nullable=False))
    clause: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    lifted: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))


class AttestationRow(Table, table=True):
    """Somebody said that they may use a picture, which is known by its SHA-256."""

    __tablename__ = "attestation"

    account_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), primary_key=True))
    picture: str = Field(sa_column=Column(Text, primary_key=True))
    at: datetime = Field(sa_column=Column(Instant, nullable=False))


class SightRow(Table, table=True):
    """What a clip looks like: perceptual hashes of its frames, by which it is known again."""

    __tablename__ = "sight"

    job_id: str = Field(sa_column=Column(Text, ForeignKey("job.id"), primary_key=True))
    hashes: list[Any] = Field(sa_column=Column(JSON, nullable=False))


class CopyRow(Table, table=True):
    """A message that shows a clip, or its picture, and is no card: it goes when the clip does."""

    __tablename__ = "copy"

    place: str = Field(sa_column=Column(Text, primary_key=True))
    job_id: str = Field(sa_column=Column(Text, ForeignKey("job.id"), nullable=False, index=True))


class MarkRow(Table, table=True):
    """The invisible mark in a clip, by which it is known again."""

    __tablename__ = "mark"

    job_id: str = Field(sa_column=Column(Text, ForeignKey("job.id"), primary_key=True))
    word: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))


class ErasureRow(Table, table=True):
    """Somebody asked to be forgotten; as in `core.privacy.Receipt`. settled: nothing is left to be
    done."""

    __tablename__ = "erasure"

    number: str = Field(sa_column=Column(Text, primary_key=True))
    account_id: int = Field(
        sa_column=Column(Key, ForeignKey("account.id"), nullable=False, index=True)
    )
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    clips: int
    settled: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, index=True))
