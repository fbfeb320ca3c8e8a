"""Voucher codes: only their hashes are kept; what each brought is a purchase that nobody paid for.

A voucher's row is locked first, so that it is used so often and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.errors import NotFound, WrongState
from core.job import new_id
from core.moderation import MakeVoucher, StopVoucher, moment
from core.ports import Clock
from core.purchases import VOUCHER, Bought, Sale
from core.vouchers import HOW, Voucher
from core.wares import Ware
from storage.database import Database, retried
from storage.lineage import ancestors, current
from storage.purchases import enter
from storage.tables import PurchaseRow, VoucherRow


class SqlVouchers:
    """`core.vouchers.VoucherBook` in SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self._clock = clock

    async def redeem(self, account_id: int, digest: str, key: str) -> Bought:
        return await self._redeem(account_id, digest, key, new_id())

    @retried
    async def _redeem(self, account_id: int, digest: str, key: str, receipt: str) -> Bought:
        now = self._clock()
        async with self.database.writing() as session:
            row = await session.scalar(
                select(VoucherRow).where(col(VoucherRow.digest) == digest).with_for_update()
            )
            if row is None:
                raise NotFound(f"There is no such code. {HOW}")
            account_id = await session.scalar(select(current(account_id))) or account_id
            charge = await _used(session, account_id, row.name, key)
            if charge is None:
                _check(row, now)
                row.used += 1
                charge = f"{row.name}/{account_id}"
            ware = Ware(
                VOUCHER, f"voucher {row.name}", credits=row.credits, plan=row.plan, days=row.days
            )
            sale = Sale(account_id, ware, VOUCHER, charge, now, place=key)
            return await enter(session, sale, receipt, now)

    @retried
    async def vouchers(self, limit: int, skip: int = 0) -> Sequence[Voucher]:
        query = select(VoucherRow).order_by(col(VoucherRow.id).desc()).limit(limit).offset(skip)
        async with self.database.reading() as session:
            return [_voucher_of(row) for row in await session.scalars(query)]


async def make(session: AsyncSession, act: MakeVoucher, who: str, now: datetime) -> None:
    row = VoucherRow(
        name=act.name, digest=act.digest, credits=act.credits, plan=act.plan, days=act.days,
        uses=act.uses, until=act.until, made_at=now, made_by=who,
    )  # fmt: skip
    session.add(row)
    await session.flush()


async def stop(session: AsyncSession, act: StopVoucher) -> None:
    """Raises NotFound, or WrongState where it was stopped before."""
    row = await session.scalar(select(VoucherRow).where(col(VoucherRow.name) == act.name))
    if row is None:
        raise NotFound(f"There is no voucher {act.name}: `kinora admin voucher list` has them.")
    if row.stopped:
        raise WrongState(f"Voucher {act.name} was stopped before.")
    stopped = update(VoucherRow).where(col(VoucherRow.id) == row.id).values(stopped=True)
    await session.execute(stopped.execution_options(synchronize_session=False))


async def _used(session: AsyncSession, account_id: int, name: str, key: str) -> str | None:
    """The charge by which that very message used it. Raises WrongState where another one did, also
    before they left another account."""
    theirs = await ancestors(session, account_id)
    row = await session.scalar(
        select(PurchaseRow).where(
            col(PurchaseRow.account_id).in_(theirs),
            col(PurchaseRow.provider) == VOUCHER,
            col(PurchaseRow.charge).startswith(f"{name}/", autoescape=True),
        )
    )
    if row is None:
        return None
    if row.place != key:
        raise WrongState(f"You used this code already, on {moment(row.at)}.")
    return row.charge


def _check(row: VoucherRow, now: datetime) -> None:
    """Raises WrongState where nobody may use it any more."""
    if row.stopped:
        raise WrongState("This code was withdrawn.")
    if row.until is not None and row.until <= now:
        raise WrongState(f"This code was good until {moment(row.until)}.")
    if row.used >= row.uses:
        raise WrongState("This code has been used as often as it may be.")


def _voucher_of(row: VoucherRow) -> Voucher:
    return Voucher(
        row.name, row.credits, row.plan, row.days, row.uses, row.used, row.until, row.stopped,
        row.made_at, row.made_by,
    )  # fmt: skip
