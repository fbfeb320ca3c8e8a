"""Credits: an append-only ledger over lots, moved in two steps, and the balances it adds up to.

Credits that came together lie in a lot and expire together. A job's price is held when it is
submitted, from the lots that expire soonest, and settled when it has ended, on the same lots; what
was taken for a clip that reached nobody comes back there. Every function works inside the caller's
transaction and first locks the account, under which its lots stay as they were read. Each move is
an entry; an entry's key says what may happen only once, and where it exists already the database
refuses the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.errors import NotEnoughCredits
from core.job import Grant, Wallet
from core.treasury import Share
from storage.tables import AccountRow, EntryRow, JobRow, LotRow

PROMISED = timedelta(hours=24)
"""How long credits stay that come back into a lot which expired meanwhile."""

REFUNDS, REFUNDS_WITHIN = 3, timedelta(hours=24)
"""How many clips that reached nobody are free for an account, in any such time: else who blocks the
bot would have every clip for nothing, by `/show`."""


class LedgerBroken(Exception):
    """A settlement without its hold, or of more than was held; lots that are no balance."""


async def wallet(session: AsyncSession, account_id: int) -> Wallet:
    """As it was when it was last used. Raises LookupError for an unknown account."""
    found = await session.execute(
        select(col(AccountRow.available), col(AccountRow.held)).where(
            col(AccountRow.id) == account_id
        )
    )
    row = found.one_or_none()
    if row is None:
        raise LookupError(f"no account {account_id}")
    return Wallet(row[0], row[1])


async def is_renewed(
    session: AsyncSession, account_id: int, grants: Sequence[Grant], now: datetime
) -> bool:
    """Whether `renew` would change nothing."""
    if await session.scalar(select(exists().where(_of(account_id), _expired(now)))):
        return False
    keys = _keys(account_id, grants)
    given = select(func.count()).where(col(EntryRow.key).in_(keys))
    return not keys or await session.scalar(given) == len(keys)


async def renew(
    session: AsyncSession, account_id: int, grants: Sequence[Grant], now: datetime
) -> Wallet:
    """Let expire what is past its time, and give those of the grants that were not given yet.

    Raises LookupError for an unknown account.
    """
    account = await _locked(session, account_id)
    await _live(session, account, now)
    keys = _keys(account_id, grants)
    known = select(col(EntryRow.key)).where(col(EntryRow.key).in_(keys))
    given = set(await session.scalars(known))
    for key, grant in zip(keys, grants, strict=True):
        if key in given:
            continue
        lot = LotRow(
            account_id=account_id, kind=grant.kind, ends_at=grant.expires_at,
            expires_at=grant.expires_at, created_at=now,
        )  # fmt: skip
        session.add(lot)
        await session.flush()
        _enter(session, account, lot, "grant", key, now, grant.credits, 0, note=grant.note)
    return Wallet(account.available, account.held)


async def hold(
    session: AsyncSession,
    account_id: int,
    job_id: str,
    credits: int,
    now: datetime,
    share: Share | None = None,
) -> None:
    """Set a job's price aside: of the share first, where there is one, and then of the account.

    Raises NotEnoughCredits: then leave the transaction by it.
    """
    ids = {account_id} if share is None else {account_id, share.account_id}
    accounts = {id_: await _locked(session, id_) for id_ in sorted(ids)}
    live = {id_: await _live(session, account, now) for id_, account in accounts.items()}
    own = accounts[account_id].available
    parts = []
    if share is not None:
        shared = min(credits, await spendable(session, account_id, share))
        if own < credits - shared:
            raise NotEnoughCredits(credits, own + shared)
        parts = _parts(live[share.account_id], shared)
        credits -= shared
    if own < credits:
        raise NotEnoughCredits(credits, own)
    parts += _parts(live[account_id], credits)
    for number, (lot, part) in enumerate(parts):
        key = f"job:{job_id}:hold{_nth(number)}"
        _enter(session, accounts[lot.account_id], lot, "hold", key, now, -part, part, job_id)


async def take(
    session: AsyncSession, account_id: int, credits: int, key: str, now: datetime, note: str
) -> Sequence[tuple[int, datetime | None]]:
    """Take so many credits, or as many as there are. What was taken: credits, and when they would
    have expired. Raises LookupError for an unknown account."""
    account = await _locked(session, account_id)
    live = await _live(session, account, now)
    taken = []
    for number, (lot, part) in enumerate(_parts(live, min(credits, account.available))):
        its_key = f"take:{account_id}:{key}{_nth(number)}"
        _enter(session, account, lot, "take", its_key, now, -part, 0, note=note)
        taken.append((part, lot.expires_at))
    return taken


async def spendable(session: AsyncSession, account_id: int, share: Share) -> int:
    """What a job of the account may take of the share."""
    there = (await wallet(session, share.account_id)).available
    if share.daily is None:
        return there
    spent = await session.scalar(
        select(func.coalesce(func.sum(-col(EntryRow.available_change)), 0))
        .join(JobRow, col(JobRow.id) == col(EntryRow.job_id))
        .where(
            col(EntryRow.account_id) == share.account_id,
            col(JobRow.account_id) == account_id,
            col(JobRow.created_at) >= share.since,
        )
    )
    return max(0, min(there, share.daily - (spent or 0)))


async def settle(
    session: AsyncSession, job_id: str, held: int, charged: int, now: datetime
) -> None:
    """Take `charged` of the `held` credits of a job, and give back the rest.

    Raises LedgerBroken where so much was not held, or less.
    """
    holds = await _holds(session, job_id)
    if sum(one.held_change for one in holds) != held or not 0 <= charged <= held:
        raise LedgerBroken(f"job {job_id} was not held for {held}, or can't cost {charged}")
    accounts = {id_: await _locked(session, id_) for id_ in sorted({h.account_id for h in holds})}
    lots = {lot.id: lot for lot in await _lots(session, [hold.lot_id for hold in holds])}
    for number, hold in enumerate(holds):
        account, lot = accounts[hold.account_id], lots[hold.lot_id]
        taken = min(charged, hold.held_change)
        charged -= taken
        back = hold.held_change - taken
        if back:
            _reopen(session, account, lot, hold, now)
        kind = "capture" if taken else "release"
        key = f"job:{job_id}:settle{_nth(number)}"
        _enter(session, account, lot, kind, key, now, back, -hold.held_change, job_id)


async def refund(session: AsyncSession, account_id: int, job_id: str, now: datetime) -> bool:
    """Give back what a settled job of the account cost, if it had not too many back lately.

    Once for each job: whatever is left of its price by then is nothing.
    """
    holds = await _holds(session, job_id)
    ids = {account_id, *(hold.account_id for hold in holds)}
    accounts = {id_: await _locked(session, id_) for id_ in sorted(ids)}
    if await _refunded(session, account_id, now - REFUNDS_WITHIN) >= REFUNDS:
        return False
    lots = {lot.id: lot for lot in await _lots(session, [hold.lot_id for hold in holds])}
    paid = await _paid(session, job_id)
    for number, hold in enumerate(holds):
        account, lot = accounts[hold.account_id], lots[hold.lot_id]
        if back := paid.pop(hold.lot_id, 0):
            _reopen(session, account, lot, hold, now)
            key = f"job:{job_id}:refund{_nth(number)}"
            _enter(session, account, lot, "refund", key, now, back, 0, job_id)
    return True


async def overdue(session: AsyncSession, now: datetime, limit: int) -> Sequence[int]:
    """Accounts with credits that are past their time."""
    expired = select(col(LotRow.account_id)).where(_expired(now)).distinct().limit(limit)
    return (await session.scalars(expired)).all()


def lots_of(account_id: int) -> Select[LotRow]:
    """The account's lots that have credits left, soonest to expire first."""
    soonest = col(LotRow.expires_at).asc().nulls_last()
    return select(LotRow).where(_of(account_id)).order_by(soonest, col(LotRow.id))


def _parts(lots: Iterable[LotRow], credits: int) -> list[tuple[LotRow, int]]:
    """How much of each lot makes so many credits."""
    parts = []
    for lot in lots:
        part = min(lot.credits, credits)
        if part:
            parts.append((lot, part))
        credits -= part
    if credits:
        raise LedgerBroken("an account's lots hold less than its balance")
    return parts


def _keys(account_id: int, grants: Iterable[Grant]) -> list[str]:
    return [f"grant:{account_id}:{grant.key}" for grant in grants]


def _nth(number: int) -> str:
    """Most jobs touch one lot."""
    return f"/{number}" if number else ""


def _of(account_id: int) -> ColumnElement[bool]:
    return and_(col(LotRow.account_id) == account_id, col(LotRow.credits) > 0)


def _expired(now: datetime) -> ColumnElement[bool]:
    return and_(col(LotRow.credits) > 0, col(LotRow.expires_at) <= now)


async def _locked(session: AsyncSession, account_id: int) -> AccountRow:
    """On SQLite whoever writes is alone anyway. Raises LookupError.

    FOR NO KEY UPDATE: whoever inserts a job shares the key of its account until the transaction
    ends, and two of them would wait for each other.
    """
    account = await session.get(AccountRow, account_id, with_for_update={"key_share": True})
    if account is None:
        raise LookupError(f"no account {account_id}")
    return account


async def _live(session: AsyncSession, account: AccountRow, now: datetime) -> list[LotRow]:
    """The account's lots in the order in which they are spent, without those past their time,
    which expire."""
    live = []
    for lot in (await session.scalars(lots_of(account.id))).all():
        if lot.expires_at is not None and lot.expires_at <= now:
            _expire(session, account, lot, now)
        else:
            live.append(lot)
    return live


async def _holds(session: AsyncSession, job_id: str) -> Sequence[EntryRow]:
    held = and_(col(EntryRow.job_id) == job_id, col(EntryRow.kind) == "hold")
    return (await session.scalars(select(EntryRow).where(held).order_by(col(EntryRow.id)))).all()


async def _lots(session: AsyncSession, ids: Sequence[int]) -> Sequence[LotRow]:
    return (await session.scalars(select(LotRow).where(col(LotRow.id).in_(ids)))).all()


async def _paid(session: AsyncSession, job_id: str) -> dict[int, int]:
    """What a job cost by now, by lot."""
    paid = await session.execute(
        select(col(EntryRow.lot_id), -func.sum(col(EntryRow.available_change)))
        .where(col(EntryRow.job_id) == job_id)
        .group_by(col(EntryRow.lot_id))
    )
    return {lot_id: int(credits) for lot_id, credits in paid}


async def _refunded(session: AsyncSession, account_id: int, since: datetime) -> int:
    """How many jobs of the account were refunded since then."""
    count = await session.scalar(
        select(func.count(col(EntryRow.job_id).distinct()))
        .join(JobRow, col(JobRow.id) == col(EntryRow.job_id))
        .where(
            col(JobRow.account_id) == account_id,
            col(EntryRow.kind) == "refund",
            col(EntryRow.created_at) > since,
        )
    )
    return count or 0


def _reopen(
    session: AsyncSession, account: AccountRow, lot: LotRow, hold: EntryRow, now: datetime
) -> None:
    """Before credits come back into a lot: one that expired meanwhile stays for a while, if it had
    not ended when they were held."""
    if lot.expires_at is not None and lot.expires_at <= now:
        _expire(session, account, lot, now)
        if lot.ends_at is not None and hold.created_at < lot.ends_at:
            lot.expires_at = now + PROMISED


def _expire(session: AsyncSession, account: AccountRow, lot: LotRow, now: datetime) -> None:
    if lot.credits:
        _enter(session, account, lot, "expiry", None, now, -lot.credits, 0)


def _enter(
    session: AsyncSession,
    account: AccountRow,
    lot: LotRow,
    kind: str,
    key: str | None,
    now: datetime,
    available: int,
    held: int,
    job_id: str | None = None,
    note: str = "",
) -> None:
    """One line, and what it moves."""
    lot.credits += available
    lot.held += held
    account.available += available
    account.held += held
    session.add(
        EntryRow(
            key=key,
            account_id=account.id,
            lot_id=lot.id,
            job_id=job_id,
            kind=kind,
            available_change=available,
            held_change=held,
            note=note,
            created_at=now,
        )
    )
