"""The inbox: what platforms tell us of. An update is written down before it is confirmed, and known
for a day once it is done, so that none is lost and none is handled twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select, update
from sqlmodel import col

from core.job import new_id
from storage.database import Database, insert_new, retried
from storage.tables import UpdateRow

KEPT = timedelta(hours=26)
"""Telegram repeats an update that was not confirmed for 24 hours."""

MOST_TRIES = 10
UNSURE_MOST = 100
"""Calls that failed and may have written all the same, which are remembered."""


class SqlInbox:
    """`core.ports.Inbox` in SQL."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._unsure: deque[str] = deque(maxlen=UNSURE_MOST)

    async def keep(self, platform: str, bodies: Mapping[int, str], now: datetime) -> Set[int]:
        receipt = new_id()
        try:
            return await self._keep(
                [
                    UpdateRow(platform=platform, id=id_, body=body, receipt=receipt, kept_at=now)
                    for id_, body in bodies.items()
                ],
                receipt,
            )
        except BaseException:
            self._unsure.append(receipt)
            raise

    @retried
    async def _keep(self, rows: Sequence[UpdateRow], receipt: str) -> Set[int]:
        """A repeat after a lost acknowledgement knows its own rows; what a call wrote that failed
        is new still."""
        these = and_(
            col(UpdateRow.platform).in_({row.platform for row in rows}),
            col(UpdateRow.id).in_([row.id for row in rows]),
        )
        async with self.database.writing() as session:
            await session.execute(
                insert_new(session, UpdateRow).values([row.model_dump() for row in rows])
            )
            if self._unsure:
                await session.execute(
                    update(UpdateRow)
                    .where(these, col(UpdateRow.receipt).in_(self._unsure))
                    .values(receipt=receipt)
                    .execution_options(synchronize_session=False)
                )
            new = await session.scalars(
                select(col(UpdateRow.id)).where(these, col(UpdateRow.receipt) == receipt)
            )
            return set(new)

    @retried
    async def pending(self, platform: str) -> Sequence[str]:
        here = (col(UpdateRow.platform) == platform, col(UpdateRow.body).is_not(None))
        async with self.database.writing() as session:
            await session.execute(
                update(UpdateRow)
                .where(*here)
                .values(tries=col(UpdateRow.tries) + 1)
                .execution_options(synchronize_session=False)
            )
            bodies = await session.scalars(
                select(col(UpdateRow.body))
                .where(*here, col(UpdateRow.tries) <= MOST_TRIES)
                .order_by(col(UpdateRow.id))
            )
            return [body for body in bodies if body is not None]

    @retried
    async def done(self, platform: str, update_ids: Sequence[int]) -> None:
        async with self.database.writing() as session:
            await session.execute(
                update(UpdateRow)
                .where(col(UpdateRow.platform) == platform, col(UpdateRow.id).in_(update_ids))
                .values(body=None)
                .execution_options(synchronize_session=False)
            )

    @retried
    async def sweep(self, now: datetime) -> None:
        async with self.database.writing() as session:
            await session.execute(
                delete(UpdateRow)
                .where(
                    col(UpdateRow.kept_at) <= now - KEPT,
                    or_(col(UpdateRow.body).is_(None), col(UpdateRow.tries) >= MOST_TRIES),
                )
                .execution_options(synchronize_session=False)
            )
