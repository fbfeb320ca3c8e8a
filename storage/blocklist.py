"""Hashes of pictures that stay down. Those who block and unblock have a row in the log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Column, Text, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import Field, col

from core.errors import WrongState
from core.safety.blocklist import MOST, Blocked, Blocking
from storage.columns import Instant, Table
from storage.database import Database, insert_new, retried

AT_ONCE = 500
"""Rows in a statement."""


class BlockedRow(Table, table=True):
    """As in `core.safety.blocklist.Blocked`."""

    __tablename__ = "blocked"

    hash: str = Field(sa_column=Column(Text, primary_key=True))
    why: str = Field(sa_column=Column(Text, nullable=False))
    by: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(Instant, nullable=False))


class SqlBlockedHashes:
    """`core.safety.blocklist.BlockedHashes` in SQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @retried
    async def newest(self, limit: int, skip: int = 0) -> Sequence[Blocked]:
        order = (col(BlockedRow.at).desc(), col(BlockedRow.hash))
        query = select(BlockedRow).order_by(*order).limit(limit).offset(skip)
        async with self.database.reading() as session:
            rows = await session.scalars(query)
            return [Blocked(row.hash, row.why, row.by, row.at) for row in rows]

    @retried
    async def acts(self, limit: int, skip: int = 0) -> Sequence[Blocking]:
        act = col(BlockedRow.at), col(BlockedRow.by), col(BlockedRow.why)
        one = func.min(col(BlockedRow.hash))
        query = (
            select(one, func.count(), *act)
            .group_by(*act)
            .order_by(col(BlockedRow.at).desc(), one)
            .limit(limit)
            .offset(skip)
        )
        async with self.database.reading() as session:
            rows = await session.execute(query)
            return [Blocking(hash, count, why, by, at) for hash, count, at, by, why in rows]

    @retried
    async def together(self, hash: str, limit: int) -> Sequence[str]:
        same = aliased(BlockedRow)
        act = (
            col(getattr(same, name)) == col(getattr(BlockedRow, name))
            for name in ("at", "by", "why")
        )
        query = (
            select(col(same.hash))
            .join(BlockedRow, and_(*act))
            .where(col(BlockedRow.hash) == hash)
            .order_by(col(same.hash))
            .limit(limit)
        )
        async with self.database.reading() as session:
            return (await session.scalars(query)).all()

    @retried
    async def hashes(self) -> Sequence[str]:
        async with self.database.reading() as session:
            return (await session.scalars(select(col(BlockedRow.hash)))).all()

    @retried
    async def mark(self) -> tuple[int, datetime | None]:
        query = select(func.count(col(BlockedRow.hash)), func.max(col(BlockedRow.at)))
        async with self.database.reading() as session:
            count, newest = (await session.execute(query)).one()
            return count, newest


async def block(
    session: AsyncSession, hashes: Collection[str], why: str, by: str, now: datetime
) -> None:
    """Those that are blocked already stay as they were."""
    said = [{"hash": one, "why": why, "by": by, "at": now} for one in dict.fromkeys(hashes)]
    for start in range(0, len(said), AT_ONCE):
        await session.execute(insert_new(session, BlockedRow).values(said[start : start + AT_ONCE]))


async def has_room(session: AsyncSession) -> None:
    """Raises WrongState where there are more than can be looked through."""
    many = await session.scalar(select(func.count(col(BlockedRow.hash)))) or 0
    if many > MOST:
        raise WrongState(f"Up to {MOST} hashes can be blocked; this would make {many}.")


async def unblock(session: AsyncSession, hashes: Collection[str]) -> None:
    """Raises WrongState where none of them is blocked."""
    these = delete(BlockedRow).where(col(BlockedRow.hash).in_(hashes))
    if not (await session.scalars(these.returning(col(BlockedRow.hash)))).all():
        raise WrongState("None of these is blocked: `kinora admin block list` has those that are.")
