"""Credits: an append-only ledger, moved in two steps, and the balances that it adds up to.

A job's price is held when it is submitted, and then either captured or released. Every function
works inside the caller's transaction: an entry, then a guarded update of its account. An entry's
key says what may happen only once; where it exists already, nothing moves.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.errors import NotEnoughCredits
from core.job import Wallet
from storage.database import insert_new
from storage.tables import AccountRow, EntryRow


class LedgerBroken(Exception):
    """An entry that its account can't bear: a settlement without its hold."""


def grant_key(account_id: int, day: date) -> str:
    return f"grant:{account_id}:{day.isoformat()}"


async def granted(session: AsyncSession, account_id: int, day: date) -> bool:
    key = grant_key(account_id, day)
    return bool(await session.scalar(select(exists().where(col(EntryRow.key) == key))))


async def grant(
    session: AsyncSession, account_id: int, credits: int, day: date, now: datetime
) -> None:
    """A day's free credits, once. A grant of 0 is written down too: it uses the day up."""
    await _enter(
        session,
        EntryRow(
            key=grant_key(account_id, day),
            kind="grant",
            account_id=account_id,
            available_change=credits,
            held_change=0,
            note=f"free credits of {day.isoformat()}",
            created_at=now,
        ),
    )


async def hold(
    session: AsyncSession, account_id: int, job_id: str, credits: int, now: datetime
) -> None:
    """Set a job's price aside. Raises NotEnoughCredits: then leave the transaction by it."""
    entry = EntryRow(
        key=f"job:{job_id}:hold",
        kind="hold",
        account_id=account_id,
        job_id=job_id,
        available_change=-credits,
        held_change=credits,
        created_at=now,
    )
    try:
        await _enter(session, entry)
    except LedgerBroken:
        raise NotEnoughCredits(credits, (await wallet(session, account_id)).available) from None


async def capture(
    session: AsyncSession, account_id: int, job_id: str, credits: int, now: datetime
) -> None:
    """Take what was held: the clip was delivered."""
    await _settle(session, "capture", account_id, job_id, credits, 0, now)


async def release(
    session: AsyncSession, account_id: int, job_id: str, credits: int, now: datetime
) -> None:
    """Give back what was held."""
    await _settle(session, "release", account_id, job_id, credits, credits, now)


async def wallet(session: AsyncSession, account_id: int) -> Wallet:
    """Raises LookupError for an unknown account."""
    found = await session.execute(
        select(col(AccountRow.available), col(AccountRow.held)).where(
            col(AccountRow.id) == account_id
        )
    )
    row = found.one_or_none()
    if row is None:
        raise LookupError(f"no account {account_id}")
    return Wallet(row[0], row[1])


async def _settle(
    session: AsyncSession,
    kind: str,
    account_id: int,
    job_id: str,
    held: int,
    returned: int,
    now: datetime,
) -> None:
    entry = EntryRow(
        key=f"job:{job_id}:settle",
        kind=kind,
        account_id=account_id,
        job_id=job_id,
        available_change=returned,
        held_change=-held,
        created_at=now,
    )
    await _enter(session, entry)


async def _enter(session: AsyncSession, entry: EntryRow) -> None:
    """Raises LedgerBroken where a balance would fall below zero."""
    values = entry.model_dump(exclude={"id"})
    added = await session.scalar(
        insert_new(session, EntryRow).values(**values).returning(col(EntryRow.id))
    )
    if added is None:
        return
    moved = await session.scalar(
        update(AccountRow)
        .where(
            col(AccountRow.id) == entry.account_id,
            col(AccountRow.available) + entry.available_change >= 0,
            col(AccountRow.held) + entry.held_change >= 0,
        )
        .values(
            available=col(AccountRow.available) + entry.available_change,
            held=col(AccountRow.held) + entry.held_change,
        )
        .returning(col(AccountRow.id))
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise LedgerBroken(f"{entry.key} asks for more than there is")
