"""The outbox: ended jobs whose cards have to hear of it. A delivery is written in the transaction
that ends its job, so none is forgotten and none is made up; it comes again with the transaction
that deletes the job. Where it ends with nobody reached, a clip is paid back in that transaction.

    pending ──> sending ──> sent, kept
                  │  ^
                  v  │
                unknown
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.job import State, new_id
from core.ports import Delivery
from storage import ledger
from storage.database import Database, retried
from storage.tables import DeliveryRow, JobRow


def _first_of_its_chat(now: Any) -> ColumnElement[bool]:
    """Whether nothing is being sent to the row's chat, and no other row of it comes first."""
    other = aliased(DeliveryRow)
    same = col(other.chat) == col(DeliveryRow.chat)
    sending = and_(col(other.state) == "sending", col(other.due_at) > now)
    earlier = and_(col(other.due_at) <= now, col(other.id) < col(DeliveryRow.id))
    return ~exists(select(col(other.id)).where(same, or_(sending, earlier)))


def _is_due(now: Any) -> ColumnElement[bool]:
    return and_(col(DeliveryRow.due_at) <= now, _first_of_its_chat(now))


_OWN = col(DeliveryRow.receipt) == bindparam("by")
_KEPT = and_(
    col(DeliveryRow.state) == "kept",
    col(DeliveryRow.job_id).in_(
        select(col(JobRow.id)).where(col(JobRow.account_id) == bindparam("whose"))
    ),
)
_ANY_DUE = select(or_(exists().where(_is_due(bindparam("now"))), exists().where(_OWN)))
_ANY_KEPT = select(or_(exists().where(_KEPT), exists().where(_OWN)))


class SqlOutbox:
    """`core.ports.Outbox` in SQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @retried
    async def recover(self, now: datetime) -> None:
        async with self.database.writing() as session:
            await session.execute(
                update(DeliveryRow)
                .where(col(DeliveryRow.state) == "sending")
                .values(state="unknown", due_at=now)
                .execution_options(synchronize_session=False)
            )

    async def lease(self, now: datetime, seconds: float, limit: int) -> Sequence[Delivery]:
        """Oldest first. tries counts this one."""
        return await self._lease(now, now + timedelta(seconds=seconds), limit, new_id())

    @retried
    async def _lease(
        self, now: datetime, until: datetime, limit: int, receipt: str
    ) -> Sequence[Delivery]:
        """A repeat after a lost acknowledgement knows its own rows, and takes no others."""
        mine = col(DeliveryRow.receipt) == receipt
        first = (
            select(col(DeliveryRow.id))
            .where(_is_due(now))
            .order_by(col(DeliveryRow.due_at), col(DeliveryRow.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = await self.database.ask(_ANY_DUE, {"now": now, "by": receipt})
        if not found[0][0]:
            return ()
        async with self.database.writing() as session:
            leased = aliased(DeliveryRow)
            await session.execute(
                update(DeliveryRow)
                .where(col(DeliveryRow.id).in_(first))
                .where(~exists(select(col(leased.id)).where(col(leased.receipt) == receipt)))
                .values(
                    state="sending",
                    tries=col(DeliveryRow.tries) + 1,
                    due_at=until,
                    receipt=receipt,
                )
                .execution_options(synchronize_session=False)
            )
            rows = await session.scalars(
                select(DeliveryRow).where(mine).order_by(col(DeliveryRow.id))
            )
            return [Delivery(row.id, row.job_id, row.place, row.tries) for row in rows]

    @retried
    async def sent(self, delivery: Delivery) -> None:
        await self._settle(delivery, "sent", None)

    @retried
    async def retry(self, delivery: Delivery, at: datetime) -> None:
        await self._settle(delivery, "pending", at)

    @retried
    async def unknown(self, delivery: Delivery, at: datetime) -> None:
        await self._settle(delivery, "unknown", at)

    @retried
    async def kept(self, delivery: Delivery, now: datetime) -> None:
        """The job is locked before its delivery, as wherever both are."""
        async with self.database.writing() as session:
            job = await session.scalar(
                select(JobRow).where(col(JobRow.id) == delivery.job_id).with_for_update()
            )
            if await _put(session, delivery, "kept", None) and job is not None:
                unseen = job.state == State.SUCCEEDED and not job.deleted
                if unseen and await ledger.refund(session, job.account_id, job.id, now):
                    job.charged = 0

    async def tell_kept(self, account_id: int) -> Sequence[str]:
        return await self._tell_kept(account_id, new_id())

    @retried
    async def _tell_kept(self, account_id: int, receipt: str) -> Sequence[str]:
        """As `_lease`."""
        whose = {"whose": account_id, "by": receipt}
        found = await self.database.ask(_ANY_KEPT, whose)
        if not found[0][0]:
            return ()
        async with self.database.writing() as session:
            await session.execute(
                update(DeliveryRow)
                .where(_KEPT)
                .values(state="sent", receipt=receipt)
                .execution_options(synchronize_session=False),
                whose,
            )
            return list(await session.scalars(select(col(DeliveryRow.job_id)).where(_OWN), whose))

    async def _settle(self, delivery: Delivery, state: str, at: datetime | None) -> None:
        async with self.database.writing() as session:
            await _put(session, delivery, state, at)


async def _put(session: AsyncSession, delivery: Delivery, state: str, at: datetime | None) -> bool:
    """False, and nothing, where it was leased to somebody else since, or is due again."""
    held = and_(col(DeliveryRow.state) == "sending", col(DeliveryRow.tries) == delivery.tries)
    put = await session.scalar(
        update(DeliveryRow)
        .where(col(DeliveryRow.id) == delivery.id, held)
        .values(state=state, due_at=at)
        .returning(col(DeliveryRow.id))
        .execution_options(synchronize_session=False)
    )
    return put is not None
