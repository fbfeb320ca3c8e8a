"""The outbox: ended jobs whose cards have to hear of it. A delivery is written in the transaction
that ends its job, so none is forgotten and none is made up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlmodel import col

from core.ports import Delivery
from storage.database import Database, retried
from storage.tables import DeliveryRow


class SqlOutbox:
    """`core.ports.Outbox` in SQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @retried
    async def lease(self, now: datetime, seconds: float, limit: int) -> Sequence[Delivery]:
        """Oldest first. tries counts this one."""
        due = (
            select(col(DeliveryRow.id))
            .where(col(DeliveryRow.due_at) <= now)
            .order_by(col(DeliveryRow.due_at), col(DeliveryRow.id))
            .limit(limit)
        )
        async with self.database.reading() as session:
            if await session.scalar(due.limit(1)) is None:
                return ()
        async with self.database.writing() as session:
            rows = await session.scalars(
                update(DeliveryRow)
                .where(col(DeliveryRow.id).in_(due.with_for_update(skip_locked=True)))
                .values(tries=col(DeliveryRow.tries) + 1, due_at=now + timedelta(seconds=seconds))
                .returning(DeliveryRow)
                .execution_options(synchronize_session=False)
            )
            leased = [Delivery(row.id, row.job_id, row.place, row.tries) for row in rows]
            return sorted(leased, key=lambda delivery: delivery.id)

    @retried
    async def sent(self, delivery_id: int) -> None:
        await self._due(delivery_id, None)

    @retried
    async def retry(self, delivery_id: int, at: datetime) -> None:
        """Nothing for one that was sent."""
        await self._due(delivery_id, at)

    async def _due(self, delivery_id: int, at: datetime | None) -> None:
        async with self.database.writing() as session:
            await session.execute(
                update(DeliveryRow)
                .where(col(DeliveryRow.id) == delivery_id, col(DeliveryRow.due_at).is_not(None))
                .values(due_at=at)
                .execution_options(synchronize_session=False)
            )
