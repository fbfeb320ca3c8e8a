"""Gifts: a row for each, with what it moves in the ledger, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.errors import TooMany, UserError, WrongState
from core.gifts import GIVEABLE, Gift, Limits
from core.job import Grant, LotKind, new_id
from storage import ledger
from storage.database import Database, insert_new, retried
from storage.tables import AccountRow, GiftRow


class _Undone(Exception):
    """Leaves the transaction of a gift that was only looked at."""


class SqlGifts:
    """`core.gifts.GiftBook` in SQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def give(self, gift: Gift, limits: Limits, since: datetime, *, dry: bool = False) -> bool:
        return await self._give(gift, limits, since, dry, new_id())

    @retried
    async def _give(
        self, gift: Gift, limits: Limits, since: datetime, dry: bool, receipt: str
    ) -> bool:
        """A repeat after a lost acknowledgement knows its own work by the receipt."""
        try:
            async with self.database.writing() as session:
                row = GiftRow(
                    key=receipt if dry else gift.key, sender_id=gift.sender_id,
                    receiver_id=gift.receiver_id, credits=gift.credits, at=gift.at, receipt=receipt,
                )  # fmt: skip
                new = insert_new(session, GiftRow).values(row.model_dump(exclude={"id"}))
                id_ = await session.scalar(new.returning(col(GiftRow.id)))
                if id_ is None:
                    return await _repeated(session, gift, receipt)
                await _move(session, gift, id_, limits, since)
                if dry:
                    raise _Undone
        except _Undone:
            return False
        return True

    @retried
    async def gifts(self, account_id: int, limit: int) -> Sequence[Gift]:
        theirs = or_(col(GiftRow.sender_id) == account_id, col(GiftRow.receiver_id) == account_id)
        query = select(GiftRow).where(theirs).order_by(col(GiftRow.id).desc()).limit(limit)
        async with self.database.reading() as session:
            return [_gift_of(row) for row in await session.scalars(query)]


async def _repeated(session: AsyncSession, gift: Gift, receipt: str) -> bool:
    row = (await session.scalars(select(GiftRow).where(col(GiftRow.key) == gift.key))).one()
    if row.receipt == receipt:  # whosever accounts were joined since
        return True
    said = (gift.sender_id, gift.receiver_id, gift.credits)
    if (row.sender_id, row.receiver_id, row.credits) != said:
        raise WrongState("That was given before, as something else.")
    return False


async def _move(
    session: AsyncSession, gift: Gift, id_: int, limits: Limits, since: datetime
) -> None:
    """Raises TooMany beyond the limits, UserError where there is not so much to give."""
    people = (gift.sender_id, gift.receiver_id)
    await ledger.lock(session, *people)
    await _check(session, gift, limits, since)
    known = select(col(AccountRow.id), col(AccountRow.name)).where(col(AccountRow.id).in_(people))
    names = {row[0]: row[1] for row in await session.execute(known)}
    key = f"gift:{id_}"
    parts = await ledger.take(
        session, gift.sender_id, gift.credits, key, gift.at, f"to {names[gift.receiver_id]}",
        GIVEABLE,
    )  # fmt: skip
    if (most := sum(credits for credits, _ in parts)) < gift.credits:
        raise UserError(
            f"You can give {most}, and this would be {gift.credits}: what you bought, or were "
            "given. The free credits of a day or a month stay yours."
        )
    lasting: Counter[datetime | None] = Counter()
    for credits, expires_at in parts:
        lasting[expires_at] += credits
    note = f"from {names[gift.sender_id]}"
    grants = [
        Grant(LotKind.GIFTED, credits, f"{key}/{number}", expires_at, note)
        for number, (expires_at, credits) in enumerate(lasting.items())
    ]
    await ledger.renew(session, gift.receiver_id, grants, gift.at)


async def _check(session: AsyncSession, gift: Gift, limits: Limits, since: datetime) -> None:
    """The gift itself is among those of the day already."""
    for whose, most in (("sender_id", limits.sent), ("receiver_id", limits.received)):
        given = await session.scalar(
            select(func.sum(col(GiftRow.credits))).where(
                getattr(GiftRow, whose) == getattr(gift, whose), col(GiftRow.at) >= since
            )
        )
        if (left := most - int(given or 0) + gift.credits) < gift.credits:
            who = "You can give" if whose == "sender_id" else "They can be given"
            raise TooMany(f"{who} {most} credits a day, of which {max(0, left)} are left today.")


def _gift_of(row: GiftRow) -> Gift:
    return Gift(row.key, row.sender_id, row.receiver_id, row.credits, row.at)
