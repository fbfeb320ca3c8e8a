"""Accounts: who somebody is on each platform, and what is in their wallet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.errors import WrongState
from core.job import Account, Claim, Grant, Identity, Lot, LotKind, Wallet
from core.ports import Clock, Entry
from core.treasury import Policy, Share, Treasury
from storage import ledger
from storage.database import Database, insert_new, retried
from storage.lineage import current
from storage.tables import (
    ACCOUNT,
    CLAIM,
    IDENTITY,
    TREASURY,
    AccountRow,
    ClaimRow,
    EntryRow,
    IdentityRow,
    LotRow,
)

HANDLES_KEPT = 1000
"""Of how many people it is remembered that their handle stands in the database."""

SWEPT = 500
"""Accounts whose credits one sweep lets expire; the next does the rest."""

WITH_CLAIMS = (
    select(
        *(ACCOUNT.c[name] for name in ("id", "name", "weight", "ping")),
        *(CLAIM.c[name] for name in ("source", "plan", "until")),
    )
    .outerjoin(CLAIM, CLAIM.c.account_id == ACCOUNT.c.id)
    .order_by(ACCOUNT.c.id, CLAIM.c.source)
)
BY_ID = WITH_CLAIMS.where(ACCOUNT.c.id == current(bindparam("whose")))
BEHIND = WITH_CLAIMS.where(
    ACCOUNT.c.id
    == select(IDENTITY.c.account_id)
    .where(IDENTITY.c.platform == bindparam("platform"), IDENTITY.c.subject == bindparam("subject"))
    .scalar_subquery()
)
_TREASURY = select(TREASURY).where(TREASURY.c.server == bindparam("of"))


class SqlAccounts:
    """`core.ports.Accounts` in SQL. Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self._clock = clock
        self._handles: dict[Identity, str] = {}

    @retried
    async def account(self, identity: Identity, name: str) -> Account:
        known = account_of(await self.database.ask(BEHIND, subject(identity)))
        if known is not None and known.name:
            return known
        async with self.database.writing() as session:
            if (back := await _named_again(session, identity, name)) is not None:
                return back
            account = AccountRow(name=name, created_at=self._clock())
            session.add(account)
            await session.flush()
            linked = await session.scalar(
                insert_new(session, IdentityRow)
                .values(platform=identity.platform, subject=identity.subject, account_id=account.id)
                .returning(col(IdentityRow.account_id))
            )
            if linked is not None:
                return Account(account.id, account.name)
            await session.execute(delete(AccountRow).where(col(AccountRow.id) == account.id))
            known = await behind(session, identity)
        assert known is not None, "what stood there a moment ago was new"
        return known

    @retried
    async def account_by_id(self, account_id: int) -> Account | None:
        return account_of(await self.database.ask(BY_ID, {"whose": account_id}))

    @retried
    async def known_as(self, identity: Identity, handle: str) -> None:
        handle, theirs = handle.lower(), col(IdentityRow.subject) == identity.subject
        if self._handles.get(identity) == handle:
            return
        there = col(IdentityRow.platform) == identity.platform
        async with self.database.writing() as session:
            for which, called in (
                (and_(there, col(IdentityRow.handle) == handle, ~theirs), None),
                (and_(there, theirs), handle),
            ):
                await session.execute(
                    update(IdentityRow)
                    .where(which)
                    .values(handle=called)
                    .execution_options(synchronize_session=False)
                )
        self._handles = {known: name for known, name in self._handles.items() if name != handle} | {
            identity: handle
        }
        while len(self._handles) > HANDLES_KEPT:
            del self._handles[next(iter(self._handles))]

    @retried
    async def called(self, platform: str, handle: str) -> Identity | None:
        there = (col(IdentityRow.platform) == platform, col(IdentityRow.handle) == handle.lower())
        async with self.database.reading() as session:
            subject = await session.scalar(select(col(IdentityRow.subject)).where(*there))
        return None if subject is None else Identity(platform, subject)

    @retried
    async def set_ping(self, account_id: int, ping: bool) -> None:
        async with self.database.writing() as session:
            await session.execute(
                update(AccountRow)
                .where(col(AccountRow.id) == account_id)
                .values(ping=ping)
                .execution_options(synchronize_session=False)
            )

    @retried
    async def set_claims(self, account_id: int, source: str, claims: Sequence[Claim]) -> None:
        async with self.database.writing() as session:
            await claim(session, account_id, source, claims)

    @retried
    async def wallet(self, account_id: int) -> Wallet:
        """Raises LookupError for an unknown account."""
        async with self.database.reading() as session:
            return await ledger.wallet(session, account_id)

    @retried
    async def renew(self, account_id: int, grants: Sequence[Grant]) -> Wallet:
        """Raises LookupError for an unknown account."""
        now = self._clock()
        question, given = ledger.renewed(account_id, grants, now)
        wallet = ledger.unless_due(await self.database.ask(question, given), account_id, grants)
        if wallet is not None:
            return wallet
        async with self.database.changing() as session:
            return await ledger.renew(session, account_id, grants, now)

    @retried
    async def lots(self, account_id: int) -> Sequence[Lot]:
        async with self.database.reading() as session:
            rows = await session.scalars(ledger.lots_of(account_id))
            return [Lot(LotKind(row.kind), row.credits, row.expires_at) for row in rows]

    @retried
    async def treasury(self, server: str) -> Treasury | None:
        for row in await self.database.ask(_TREASURY, {"of": server}):
            return Treasury(row.account_id, Policy.from_dict(row.policy))
        return None

    @retried
    async def spendable(self, account_id: int, share: Share) -> int:
        async with self.database.reading() as session:
            return await ledger.spendable(session, account_id, share)

    async def sweep(self, now: datetime) -> None:
        for account_id in await self._overdue(now):
            with suppress(WrongState):  # it was joined into another meanwhile
                await self.renew(account_id, ())

    @retried
    async def _overdue(self, now: datetime) -> Sequence[int]:
        async with self.database.reading() as session:
            past = and_(col(LotRow.credits) > 0, col(LotRow.expires_at) <= now)
            whose = select(col(LotRow.account_id)).where(past).distinct().limit(SWEPT)
            return (await session.scalars(whose)).all()

    @retried
    async def entries(self, account_id: int, limit: int) -> Sequence[Entry]:
        """Without the lines that moved nothing."""
        async with self.database.reading() as session:
            rows = await session.scalars(
                select(EntryRow)
                .where(
                    col(EntryRow.account_id) == account_id,
                    or_(col(EntryRow.available_change) != 0, col(EntryRow.held_change) != 0),
                )
                .order_by(col(EntryRow.id).desc())
                .limit(limit)
            )
            return [_entry_of(row) for row in rows]


async def _named_again(session: AsyncSession, identity: Identity, name: str) -> Account | None:
    """The account that was forgotten and still has this identity: called by a name once more."""
    known = await behind(session, identity)
    if known is None or known.name:
        return known
    await session.execute(
        update(AccountRow)
        .where(col(AccountRow.id) == known.id)
        .values(name=name)
        .execution_options(synchronize_session=False)
    )
    return replace(known, name=name)


def account_of(rows: Sequence[Row[Any]]) -> Account | None:
    """The one account, with its claims."""
    return next(iter(all_of(rows)), None)


def all_of(rows: Sequence[Row[Any]]) -> Sequence[Account]:
    """Accounts with their claims, of rows in the order of `WITH_CLAIMS`."""
    known: dict[int, tuple[Row[Any], list[Claim]]] = {}
    for row in rows:
        _, claims = known.setdefault(row.id, (row, []))
        if row.source is not None:
            claims.append(Claim(row.source, row.plan, row.until))
    return [
        Account(row.id, row.name, row.weight, row.ping, tuple(claims))
        for row, claims in known.values()
    ]


async def behind(session: AsyncSession, identity: Identity) -> Account | None:
    return account_of((await session.execute(BEHIND, subject(identity))).all())


async def locked(session: AsyncSession, account_id: int) -> int:
    """The account, or the one that it was joined into, which waits for this transaction. Raises
    LookupError for an unknown one."""
    await ledger.lock(session, account_id)
    now: int | None = await session.scalar(select(current(account_id)))
    if now is None:
        raise LookupError(f"no account {account_id}")
    if now != account_id:
        await ledger.lock(session, now)
    return now


async def claim(
    session: AsyncSession, account_id: int, source: str, claims: Sequence[Claim]
) -> None:
    """As `core.ports.Accounts.set_claims`, inside a transaction."""
    kept = col(ClaimRow.source)
    meant = kept.startswith(source, autoescape=True) if source.endswith("/") else kept == source
    account_id = await locked(session, account_id)
    await session.execute(
        delete(ClaimRow)
        .where(col(ClaimRow.account_id) == account_id, meant)
        .execution_options(synchronize_session=False)
    )
    for one in claims:
        values = {"source": one.source, "plan": one.plan, "until": one.until}
        await session.execute(insert(ClaimRow).values(account_id=account_id, **values))


def subject(identity: Identity) -> dict[str, str]:
    """What `BEHIND` is asked with."""
    return {"platform": identity.platform, "subject": identity.subject}


def _entry_of(row: EntryRow) -> Entry:
    return Entry(
        row.kind, row.available_change, row.held_change, row.job_id, row.note, row.created_at
    )
