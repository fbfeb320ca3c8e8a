"""What accounts were before: joined into others, or a part of another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from core.moderation import person
from storage.review_tables import StrikeRow
from storage.tables import AccountRow, JobRow

JOINED = "Your accounts were joined just now: ask once more."


def asked_by(account_id: int) -> ColumnElement[bool]:
    """Jobs of an account, and those of the one that it left from before it did: leaving forgets
    nothing of what was spent that day."""
    return _of(account_id, col(JobRow.account_id), col(JobRow.created_at))


def held_against(account_id: int) -> ColumnElement[bool]:
    """Strikes of an account, and those of the one that it left from before it did."""
    return _of(account_id, col(StrikeRow.account_id), col(StrikeRow.at))


def _of(account_id: int, whose: Mapped[int], at: Mapped[datetime]) -> ColumnElement[bool]:
    this = col(AccountRow.id) == account_id
    before = select(col(AccountRow.parted_from)).where(this).scalar_subquery()
    until = select(col(AccountRow.parted_at)).where(this).scalar_subquery()
    return and_(whose.in_([account_id, before]), or_(whose == account_id, at <= until))


def current(account_id: int | BindParameter[int]) -> ColumnElement[int]:
    """The account, or the one that it was joined into."""
    this = col(AccountRow.id) == account_id
    joined = select(func.coalesce(col(AccountRow.merged_into), col(AccountRow.id))).where(this)
    return joined.scalar_subquery()


async def ancestors(session: AsyncSession, account_id: int) -> Sequence[int]:
    """The account, those that were joined into it, and the one that it left: under each of them
    something may be written of the same person."""
    this = col(AccountRow.id) == account_id
    left = select(col(AccountRow.parted_from)).where(this).scalar_subquery()
    known = or_(this, col(AccountRow.merged_into) == account_id, col(AccountRow.id) == left)
    found = await session.scalars(select(col(AccountRow.id)).where(known))
    return found.all()


async def names(session: AsyncSession, whom: str) -> Sequence[str]:
    """All that the log of moderators may call them; whom: as in `core.moderation`."""
    kind, _, number = whom.partition(":")
    if kind != "account" or not number.isdecimal():
        return (whom,)
    return [person(one) for one in await ancestors(session, int(number))]
