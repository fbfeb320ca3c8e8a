"""Which servers somebody led when they last showed it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlmodel import col

from core.leaders import LED_MOST, Led
from core.ports import Clock
from storage.database import Database, retried
from storage.tables import LeaderRow


class SqlLeaders:
    """`core.leaders.Leaders` in SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self._clock = clock

    @retried
    async def led(self, account_id: int) -> Sequence[Led]:
        mine = select(LeaderRow).where(col(LeaderRow.account_id) == account_id)
        newest = mine.order_by(col(LeaderRow.at).desc(), col(LeaderRow.server)).limit(LED_MOST)
        async with self.database.reading() as session:
            return [Led(row.server, row.title) for row in await session.scalars(newest)]

    @retried
    async def leads(self, account_id: int, led: Led) -> None:
        async with self.database.writing() as session:
            await session.merge(
                LeaderRow(
                    account_id=account_id, server=led.server, title=led.title, at=self._clock()
                )
            )

    @retried
    async def leads_no_more(self, account_id: int, server: str) -> None:
        async with self.database.writing() as session:
            await session.execute(
                delete(LeaderRow).where(
                    col(LeaderRow.account_id) == account_id, col(LeaderRow.server) == server
                )
            )
