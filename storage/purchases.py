"""What was paid for: a row for each charge, its credits as a lot, its plan as a claim.

A charge's row is locked first, then the account: what is said of one charge at once happens one
after the other, whoever says it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.job import Claim, Grant, new_id
from core.ports import Clock
from core.purchases import (
    STARS,
    Bought,
    Lapsed,
    Purchase,
    PurchaseState,
    Refunded,
    Sale,
    claim_on,
    source_of,
)
from storage import ledger
from storage.accounts import BY_ID, account_of, claim, locked
from storage.database import Database, insert_new, retried
from storage.tables import ENTRY, PurchaseRow


class SqlPayments:
    """`core.purchases.Payments` in SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self._clock = clock

    async def bought(self, sale: Sale) -> Bought:
        return await self._bought(sale, new_id())

    async def refunded(self, provider: str, charge: str, at: datetime, lapsed: Lapsed) -> Refunded:
        return await self._refunded(provider, charge, at, lapsed, new_id())

    @retried
    async def _bought(self, sale: Sale, receipt: str) -> Bought:
        async with self.database.writing() as session:
            return await enter(session, sale, receipt, self._clock())

    @retried
    async def _refunded(
        self, provider: str, charge: str, at: datetime, lapsed: Lapsed, receipt: str
    ) -> Refunded:
        async with self.database.writing() as session:
            row = await _heard(session, provider, charge, at, PurchaseState.REFUNDED, receipt)
            if row.state != PurchaseState.REFUNDED:
                taken = 0
                if row.lot_id is not None:
                    key, note = f"refund:{row.id}", f"refunded: {row.ware}"
                    taken = await ledger.reclaim(session, row.lot_id, key, self._clock(), note)
                await _change(
                    session, row, state=PurchaseState.REFUNDED, taken=taken, receipt=receipt
                )
                await claim_bought(session, row.account_id, row.plan)
                await self._take_lapsed(session, row, lapsed)
            new = row.receipt == receipt
            return Refunded(purchase_of(row), new, row.taken, row.credits - row.taken)

    async def _take_lapsed(self, session: AsyncSession, row: PurchaseRow, lapsed: Lapsed) -> None:
        if row.account_id is None or row.plan is None:
            return
        account = account_of((await session.execute(BY_ID, {"whose": row.account_id})).all())
        assert account is not None, "accounts are never removed"
        for key in lapsed(row.plan, account):
            entered = select(ENTRY.c.lot_id).where(ENTRY.c.key == f"grant:{account.id}:{key}")
            lot_id = await session.scalar(entered)
            if lot_id is not None:
                theirs, note = f"refund:{row.id}/{key}", f"refunded: {row.ware}, {key}"
                await ledger.reclaim(session, lot_id, theirs, self._clock(), note)

    @retried
    async def ended(self, provider: str, charge: str, at: datetime, until: datetime) -> Purchase:
        async with self.database.writing() as session:
            row = await _heard(session, provider, charge, at, PurchaseState.ENDED, "", until)
            if row.state != PurchaseState.REFUNDED and row.as_of <= at:
                await _change(session, row, state=PurchaseState.ENDED, as_of=at, until=until)
                await claim_bought(session, row.account_id, row.plan)
            return purchase_of(row)

    @retried
    async def of(self, account_id: int, limit: int) -> Sequence[Purchase]:
        return await self._rows(limit, col(PurchaseRow.account_id) == account_id)

    @retried
    async def by_charge(self, provider: str, charge: str) -> Purchase | None:
        found = await self._rows(1, _this(provider, charge))
        return found[0] if found else None

    @retried
    async def periods(self, provider: str, charge: str, limit: int) -> Sequence[Purchase]:
        known = col(PurchaseRow.charge)
        theirs = or_(known == charge, known.startswith(f"{charge}/", autoescape=True))
        return await self._rows(limit, col(PurchaseRow.provider) == provider, theirs)

    @retried
    async def purchase(self, purchase_id: int) -> Purchase | None:
        found = await self._rows(1, col(PurchaseRow.id) == purchase_id)
        return found[0] if found else None

    @retried
    async def ask_back(self, purchase_id: int, why: str) -> None:
        async with self.database.writing() as session:
            await session.execute(
                update(PurchaseRow)
                .where(col(PurchaseRow.id) == purchase_id, col(PurchaseRow.asked).is_(None))
                .values(asked=why)
                .execution_options(synchronize_session=False)
            )

    @retried
    async def order_refund(self, purchase_id: int) -> None:
        async with self.database.writing() as session:
            await ordered(session, purchase_id, self._clock())

    @retried
    async def refunds_due(self, provider: str) -> Sequence[Purchase]:
        due = and_(
            col(PurchaseRow.provider) == provider,
            col(PurchaseRow.refund_at).is_not(None),
            col(PurchaseRow.state) != PurchaseState.REFUNDED,
        )
        query = select(PurchaseRow).where(due).order_by(col(PurchaseRow.refund_at))
        async with self.database.reading() as session:
            return [purchase_of(row) for row in await session.scalars(query)]

    @retried
    async def newest(
        self, limit: int, provider: str | None = None, skip: int = 0
    ) -> Sequence[Purchase]:
        meant = [] if provider is None else [col(PurchaseRow.provider) == provider]
        return await self._rows(limit, *meant, skip=skip)

    async def _rows(
        self, limit: int, *meant: ColumnElement[bool], skip: int = 0
    ) -> Sequence[Purchase]:
        newest = select(PurchaseRow).where(*meant).order_by(col(PurchaseRow.id).desc())
        query = newest.limit(limit).offset(skip)
        async with self.database.reading() as session:
            return [purchase_of(row) for row in await session.scalars(query)]


async def enter(session: AsyncSession, sale: Sale, receipt: str, now: datetime) -> Bought:
    """As `core.purchases.Payments.bought`, inside a transaction."""
    ware, paid = sale.ware, PurchaseState.PAID
    row = await _heard(session, sale.provider, sale.charge, sale.at, paid, receipt, sale.until)
    first = row.account_id is None
    account_id = await locked(
        session, sale.account_id if row.account_id is None else row.account_id
    )
    available = (await ledger.wallet(session, account_id)).available
    changes: dict[str, Any] = {}
    if first:
        changes = {
            "account_id": account_id, "ware": ware.name, "plan": ware.plan, "days": ware.days,
            "place": sale.place, "receipt": receipt, "at": sale.at,
        }  # fmt: skip
        if row.state != PurchaseState.REFUNDED and ware.credits:
            available, lot_id = await _credited(session, sale, account_id, now)
            changes |= {"credits": ware.credits, "lot_id": lot_id}
    elif sale.at < row.at:
        changes = {"at": sale.at}
    if row.state != PurchaseState.REFUNDED and row.as_of < sale.at:
        changes |= {"state": paid, "as_of": sale.at, "until": sale.until}
    if changes:
        await _change(session, row, **changes)
    claimed = await claim_bought(session, account_id, row.plan)
    return Bought(purchase_of(row), row.receipt == receipt, available, claimed)


async def ordered(session: AsyncSession, purchase_id: int, now: datetime) -> bool:
    """Let a purchase go back. False: there is none that could."""
    found = await session.scalar(
        update(PurchaseRow)
        .where(
            col(PurchaseRow.id) == purchase_id,
            col(PurchaseRow.provider) == STARS,
            col(PurchaseRow.state) != PurchaseState.REFUNDED,
        )
        .values(refund_at=func.coalesce(col(PurchaseRow.refund_at), now))
        .returning(col(PurchaseRow.id))
        .execution_options(synchronize_session=False)
    )
    return found is not None


async def claim_bought(
    session: AsyncSession, account_id: int | None, plan: str | None
) -> Claim | None:
    """Keep the claim on a plan that the account's purchases of it add up to."""
    if account_id is None or plan is None:
        return None
    await ledger.lock(session, account_id)
    rows = await session.scalars(
        select(PurchaseRow).where(
            col(PurchaseRow.account_id) == account_id, col(PurchaseRow.plan) == plan
        )
    )
    kept = claim_on(plan, [purchase_of(row) for row in rows])
    await claim(session, account_id, source_of(plan), [kept] if kept else [])
    return kept


def purchase_of(row: PurchaseRow) -> Purchase:
    return Purchase(
        row.id, row.provider, row.charge, row.account_id, row.ware, PurchaseState(row.state),
        row.at, row.credits, row.taken, row.plan, row.days, row.until, row.place, row.asked,
    )  # fmt: skip


async def _heard(
    session: AsyncSession,
    provider: str,
    charge: str,
    at: datetime,
    state: PurchaseState,
    receipt: str,
    until: datetime | None = None,
) -> PurchaseRow:
    """The row of a charge, locked; made where it was never heard of, and then nobody's yet."""
    await session.execute(
        insert_new(session, PurchaseRow).values(
            provider=provider, charge=charge, state=state, at=at, as_of=at, until=until,
            ware="", credits=0, taken=0, place="", receipt=receipt,
        )
    )  # fmt: skip
    query = select(PurchaseRow).where(_this(provider, charge)).with_for_update()
    return (await session.scalars(query)).one()


async def _change(session: AsyncSession, row: PurchaseRow, **values: Any) -> None:
    changed = update(PurchaseRow).where(col(PurchaseRow.id) == row.id).values(**values)
    await session.execute(changed.execution_options(synchronize_session="evaluate"))


async def _credited(
    session: AsyncSession, sale: Sale, account_id: int, now: datetime
) -> tuple[int, int]:
    """What they have then, and the lot."""
    kept = sale.ware.kept_days
    ends = None if kept is None else now + timedelta(days=kept)
    key = f"{sale.provider}:{sale.charge}"
    grant = Grant(sale.kind, sale.ware.credits, key, ends, f"{sale.kind}: {sale.ware.title}")
    wallet = await ledger.renew(session, account_id, [grant], now)
    entered = select(ENTRY.c.lot_id).where(ENTRY.c.key == f"grant:{account_id}:{key}")
    return wallet.available, (await session.scalars(entered)).one()


def _this(provider: str, charge: str) -> ColumnElement[bool]:
    return and_(col(PurchaseRow.provider) == provider, col(PurchaseRow.charge) == charge)
