"""Credits: an append-only ledger over lots, moved in two steps, and the balances it adds up to.

Credits that came together lie in a lot and expire together. A job's price is held when it is
submitted, from the lots that expire soonest, and settled when it has ended, on the same lots; what
was taken for a clip that reached nobody comes back there. Every function works inside the caller's
transaction and first locks the account, under which its lots stay as they were read, and writes
what it entered at once, at its end. Each move is an entry; an entry's key says what may happen only
once, and where it exists already the database refuses the transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    null,
    or_,
    select,
)
from sqlmodel import col

from core.errors import NotEnoughCredits, WrongState
from core.job import Grant, LotKind, Wallet
from core.treasury import Share
from storage.database import Transaction, is_sqlite
from storage.lineage import JOINED, asked_by
from storage.pages import Hold, Lot, Page
from storage.tables import ACCOUNT, ENTRY, LOT, EntryRow, JobRow, LotRow

REFUNDS, REFUNDS_WITHIN = 3, timedelta(hours=24)
"""How many clips that reached nobody are free for an account, in any such time: else who blocks the
bot would have every clip for nothing, by `/show`."""


class LedgerBroken(Exception):
    """A settlement without its hold, or of more than was held; lots that are no balance."""


async def wallet(session: Transaction, account_id: int) -> Wallet:
    """As it was when it was last used. Raises LookupError for an unknown account."""
    found = await session.execute(
        select(ACCOUNT.c.available, ACCOUNT.c.held).where(ACCOUNT.c.id == account_id)
    )
    row = found.one_or_none()
    if row is None:
        raise LookupError(f"no account {account_id}")
    return Wallet(row[0], row[1])


def renewed(
    account_id: int, grants: Sequence[Grant], now: datetime
) -> tuple[Select[Any], dict[str, Any]]:
    """The question whether `renew` would change anything, whose answer `unless_due` reads."""
    return _RENEWED, {"whose": account_id, "now": now, "keys": _keys(account_id, grants)}


def unless_due(rows: Sequence[Row[Any]], account_id: int, grants: Sequence[Grant]) -> Wallet | None:
    """What is in the wallet; None where `renew` would change it. Raises LookupError for an unknown
    account."""
    if not rows:
        raise LookupError(f"no account {account_id}")
    row = rows[0]
    return Wallet(row.available, row.held) if row.given == len(grants) and not row.past else None


async def renew(
    session: Transaction, account_id: int, grants: Sequence[Grant], now: datetime
) -> Wallet:
    """Let expire what is past its time, and give those of the grants that were not given yet.

    Raises LookupError for an unknown account.
    """
    await _lock(session, _LOCK, {"ids": [account_id]})
    page = Page(now)
    books = (await _books(session, [account_id], page))[account_id]
    keys = _keys(account_id, grants)
    given = set(await session.scalars(select(ENTRY.c.key).where(ENTRY.c.key.in_(keys))))
    for key, grant in zip(keys, grants, strict=True):
        if key in given:
            continue
        values = {
            "account_id": account_id, "kind": grant.kind, "credits": 0, "held": 0,
            "ends_at": grant.expires_at, "expires_at": grant.expires_at, "created_at": now,
        }  # fmt: skip
        id_ = await session.scalar(insert(LOT).values(values).returning(LOT.c.id))
        lot = Lot(id_, account_id, 0, grant.expires_at, grant.expires_at)
        page.enter(lot, "grant", key, grant.credits, 0, note=grant.note)
    await page.write(session)
    moved = sum(line["available_change"] for line in page.lines)
    return Wallet(books.available + moved, books.held)


async def hold(
    session: Transaction,
    account_id: int,
    job_id: str,
    credits: int,
    now: datetime,
    share: Share | None = None,
    *,
    again: bool = False,
) -> None:
    """Set a job's price aside: of the share first, where there is one, and then of the account.
    again: it may have been held for, and settled, before.

    Raises NotEnoughCredits, before anything was entered.
    """
    ids = [account_id] if share is None else sorted({account_id, share.account_id})
    await _lock(session, _LOCK, {"ids": ids})
    page = Page(now, job_id)
    books = await _books(session, ids, page)
    own = books[account_id].spendable
    parts = []
    if share is not None:
        there = books[share.account_id].spendable
        shared = min(credits, await _allowed(session, account_id, share, there))
        if own < credits - shared:
            raise NotEnoughCredits(credits, own + shared)
        parts = _parts(books[share.account_id].lots, shared)
        credits -= shared
    if own < credits:
        raise NotEnoughCredits(credits, own)
    parts += _parts(books[account_id].lots, credits)
    before = len(await _holds(session, job_id)) if again else 0
    for number, (lot, part) in enumerate(parts, before):
        page.enter(lot, "hold", f"job:{job_id}:hold{_nth(number)}", -part, part)
    await page.write(session)


async def take(
    session: Transaction,
    account_id: int,
    credits: int,
    key: str,
    now: datetime,
    note: str,
    kinds: Collection[LotKind] = tuple(LotKind),
) -> Sequence[tuple[int, datetime | None]]:
    """Take so many credits of these kinds, or as many as there are. What was taken: credits, and
    when they would have expired. Raises LookupError for an unknown account."""
    await _lock(session, _LOCK, {"ids": [account_id]})
    page = Page(now)
    books = (await _books(session, [account_id], page))[account_id]
    taken = []
    lots = [lot for lot in books.lots if lot.kind in kinds]
    for number, (lot, part) in enumerate(_parts(lots, credits)):
        its_key = f"take:{account_id}:{key}{_nth(number)}"
        page.enter(lot, "take", its_key, -part, 0, note=note)
        taken.append((part, lot.expires_at))
    await page.write(session)
    return taken


async def reclaim(session: Transaction, lot_id: int, key: str, now: datetime, note: str) -> int:
    """Take back what is left of a lot, and that nothing is held for. How much that was."""
    account_id: int = (
        await session.scalars(select(LOT.c.account_id).where(LOT.c.id == lot_id))
    ).one()
    await _lock(session, _LOCK, {"ids": [account_id]})
    page = Page(now)
    books = (await _books(session, [account_id], page))[account_id]
    taken = 0
    for lot in books.lots:
        if lot.id == lot_id:
            taken = lot.credits
            page.enter(lot, "take", f"take:{account_id}:{key}", -taken, 0, note=note)
    await page.write(session)
    return taken


async def spendable(session: Transaction, account_id: int, share: Share) -> int:
    """What a job of the account may take of the share."""
    there = (await wallet(session, share.account_id)).available
    return await _allowed(session, account_id, share, there)


async def settle(session: Transaction, job_id: str, held: int, charged: int, now: datetime) -> None:
    """Take `charged` of the `held` credits of a job, and give back the rest.

    Raises LedgerBroken where so much was not held, or less.
    """
    await _lock(session, _LOCK_PAYERS, {"job": job_id})
    holds = [one for one in enumerate(await _holds(session, job_id)) if not one[1].settled]
    if sum(hold.credits for _, hold in holds) != held or not 0 <= charged <= held:
        raise LedgerBroken(f"job {job_id} was not held for {held}, or can't cost {charged}")
    page = Page(now, job_id)
    for number, hold in holds:
        taken = min(charged, hold.credits)
        charged -= taken
        back = hold.credits - taken
        if back:
            page.reopen(hold)
        kind = "capture" if taken else "release"
        page.enter(hold.lot, kind, f"job:{job_id}:settle{_nth(number)}", back, -hold.credits)
    await page.write(session)


async def lock(session: Transaction, *account_ids: int) -> None:
    """Accounts, the lowest id first. What is read of them afterwards stays so."""
    await _lock(session, _LOCK, {"ids": account_ids})


async def lock_payers(session: Transaction, job_ids: Sequence[str]) -> None:
    """Before one transaction settles many jobs: one by one, they would lock accounts in an order
    that others wait in the other way round."""
    payers = select(ENTRY.c.account_id).where(ENTRY.c.job_id.in_(job_ids))
    await _lock(session, _locking(ACCOUNT.c.id.in_(payers)), {})


async def refund(session: Transaction, account_id: int, job_id: str, now: datetime) -> bool:
    """Give back what a settled job of the account cost, if it had not too many back lately.

    Once for each job: whatever is left of its price by then is nothing.
    """
    await _lock(session, _LOCK_ALL_OF, {"whose": account_id, "job": job_id})
    if await _refunded(session, account_id, now - REFUNDS_WITHIN) >= REFUNDS:
        return False
    page = Page(now, job_id)
    paid = await _paid(session, job_id)
    latest = {hold.lot.id: hold for hold in await _holds(session, job_id)}
    for number, hold in enumerate(latest.values()):
        if back := paid.pop(hold.lot.id, 0):
            page.reopen(hold)
            page.enter(hold.lot, "refund", f"job:{job_id}:refund{_nth(number)}", back, 0)
    await page.write(session)
    return True


def lots_of(account_id: int) -> Select[LotRow]:
    """The account's lots that have credits left, soonest to expire first."""
    left = and_(col(LotRow.account_id) == account_id, col(LotRow.credits) > 0)
    return select(LotRow).where(left).order_by(*_SOONEST)


@dataclass(frozen=True, slots=True)
class _Books:
    """A locked account: its balance as it was read, and its lots in the order in which they are
    spent, without those past their time. merged: into another account, which has all."""

    available: int
    held: int
    merged: bool
    lots: list[Lot]

    @property
    def spendable(self) -> int:
        return sum(lot.credits for lot in self.lots)


def _locking(which: ColumnElement[bool]) -> Any:
    """The lowest id first. FOR NO KEY UPDATE: whoever inserts a job shares the key of its account
    until the transaction ends, and two of them would wait for each other."""
    accounts = select(null()).select_from(ACCOUNT).where(which).order_by(ACCOUNT.c.id)
    return accounts.with_for_update(key_share=True)


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PAYERS = select(ENTRY.c.account_id).where(ENTRY.c.job_id == bindparam("job"))
_LOCK = _locking(ACCOUNT.c.id.in_(_IDS))
_LOCK_PAYERS = _locking(ACCOUNT.c.id.in_(_PAYERS))
_LOCK_ALL_OF = _locking(or_(ACCOUNT.c.id == bindparam("whose"), ACCOUNT.c.id.in_(_PAYERS)))
_SOONEST = (LOT.c.expires_at.asc().nulls_last(), LOT.c.id)
_LOT_COLUMNS = (
    LOT.c.id, LOT.c.account_id, LOT.c.credits, LOT.c.ends_at, LOT.c.expires_at, LOT.c.kind
)  # fmt: skip
_BOOKS = (
    select(
        ACCOUNT.c.id.label("whose"), ACCOUNT.c.available, ACCOUNT.c.held,
        ACCOUNT.c.merged_into.is_not(None).label("merged"), *_LOT_COLUMNS,
    )
    .outerjoin(LOT, and_(LOT.c.account_id == ACCOUNT.c.id, LOT.c.credits > 0))
    .where(ACCOUNT.c.id.in_(_IDS))
    .order_by(*_SOONEST)
)  # fmt: skip
_SETTLED = (
    select(func.count())
    .where(ENTRY.c.job_id == bindparam("job"), ENTRY.c.kind.in_(("capture", "release")))
    .scalar_subquery()
)
"""How many of a job's holds are: the first ones."""

_HOLDS = (
    select(ENTRY.c.held_change, ENTRY.c.created_at, _SETTLED.label("settled"), *_LOT_COLUMNS)
    .join(LOT, LOT.c.id == ENTRY.c.lot_id)
    .where(ENTRY.c.job_id == bindparam("job"), ENTRY.c.kind == "hold")
    .order_by(ENTRY.c.id)
)
_RENEWED = select(
    ACCOUNT.c.available,
    ACCOUNT.c.held,
    exists()
    .where(
        LOT.c.account_id == ACCOUNT.c.id, LOT.c.credits > 0, LOT.c.expires_at <= bindparam("now")
    )
    .label("past"),
    select(func.count())
    .where(ENTRY.c.key.in_(bindparam("keys", expanding=True)))
    .scalar_subquery()
    .label("given"),
).where(ACCOUNT.c.id == bindparam("whose"))


async def _lock(session: Transaction, which: Any, given: dict[str, Any]) -> None:
    """Accounts, by one of the statements above. On SQLite whoever writes is alone anyway.

    Nobody waits for it: what is read of the accounts goes with it, and sees what was committed
    until they were locked.
    """
    if not is_sqlite(session):
        await session.execute(which, given)


async def _books(session: Transaction, ids: Sequence[int], page: Page) -> dict[int, _Books]:
    """Of locked accounts. What is past its time expires on the page. Raises LookupError, or
    WrongState for one that was joined into another since its id was asked for."""
    books: dict[int, _Books] = {}
    for row in await session.execute(_BOOKS, {"ids": ids}):
        fresh = _Books(row.available, row.held, row.merged, [])
        found = books.setdefault(row.whose, fresh)
        if row.id is not None:
            found.lots.append(_lot_of(row))
    for id_ in ids:
        if id_ not in books:
            raise LookupError(f"no account {id_}")
        if books[id_].merged:
            raise WrongState(JOINED)
        if books[id_].spendable != books[id_].available:
            raise LedgerBroken(f"the lots of account {id_} are not its balance")
        books[id_].lots[:] = [lot for lot in books[id_].lots if not page.expire(lot)]
    return books


async def _holds(session: Transaction, job_id: str) -> Sequence[Hold]:
    lots: dict[int, Lot] = {}
    return [
        Hold(
            lots.setdefault(row.id, _lot_of(row)),
            row.held_change,
            row.created_at,
            number < row.settled,
        )
        for number, row in enumerate(await session.execute(_HOLDS, {"job": job_id}))
    ]


def _lot_of(row: Any) -> Lot:
    return Lot(row.id, row.account_id, row.credits, row.ends_at, row.expires_at, row.kind)


async def _allowed(session: Transaction, account_id: int, share: Share, there: int) -> int:
    """What a job of the account may take of the share, of what is there."""
    if share.daily is None:
        return there
    spent = await session.scalar(
        select(func.coalesce(func.sum(-col(EntryRow.available_change)), 0))
        .join(JobRow, col(JobRow.id) == col(EntryRow.job_id))
        .where(
            col(EntryRow.account_id) == share.account_id,
            asked_by(account_id),
            col(JobRow.created_at) >= share.since,
        )
    )
    return max(0, min(there, share.daily - (spent or 0)))


def _parts(lots: Iterable[Lot], credits: int) -> list[tuple[Lot, int]]:
    """How much of each lot makes so many credits, or all that they have."""
    parts = []
    for lot in lots:
        part = min(lot.credits, credits)
        if part:
            parts.append((lot, part))
        credits -= part
    return parts


def _keys(account_id: int, grants: Iterable[Grant]) -> list[str]:
    return [f"grant:{account_id}:{grant.key}" for grant in grants]


def _nth(number: int) -> str:
    """Most jobs touch one lot."""
    return f"/{number}" if number else ""


async def _paid(session: Transaction, job_id: str) -> dict[int, int]:
    """What a job cost by now, by lot."""
    paid = await session.execute(
        select(col(EntryRow.lot_id), -func.sum(col(EntryRow.available_change)))
        .where(col(EntryRow.job_id) == job_id)
        .group_by(col(EntryRow.lot_id))
    )
    return {lot_id: int(credits) for lot_id, credits in paid}


async def _refunded(session: Transaction, account_id: int, since: datetime) -> int:
    """How many jobs of the account were refunded since then."""
    count = await session.scalar(
        select(func.count(col(EntryRow.job_id).distinct()))
        .join(JobRow, col(JobRow.id) == col(EntryRow.job_id))
        .where(
            asked_by(account_id),
            col(EntryRow.kind) == "refund",
            col(EntryRow.created_at) > since,
        )
    )
    return count or 0
