"""The inbox: what platforms tell us of. An update is written down before it is confirmed, and known
for a day once it is done, so that none is lost and none is handled twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, delete, or_, select, update
from sqlmodel import col

from core.job import new_id
from storage.database import Database, insert_new, retried
from storage.tables import UPDATE, UpdateRow

KEPT = timedelta(hours=26)
"""Telegram repeats an update that was not confirmed for 24 hours."""

MOST_TRIES = 10
UNSURE_MOST = 100
"""Calls that failed and may have written all the same, which are remembered."""

_THESE = and_(
    UPDATE.c.platform == bindparam("here"), UPDATE.c.id.in_(bindparam("ids", expanding=True))
)
_NEW = select(UPDATE.c.id).where(_THESE, UPDATE.c.receipt == bindparam("by"))
_MINE = (
    update(UPDATE)
    .where(_THESE, UPDATE.c.receipt.in_(bindparam("unsure", expanding=True)))
    .values(receipt=bindparam("by"))
)
_DONE = update(UPDATE).where(_THESE).values(body=None)


class SqlInbox:
    """`core.inbox.Inbox` in SQL."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._unsure: deque[str] = deque(maxlen=UNSURE_MOST)

    async def keep(self, platform: str, bodies: Mapping[int, str], now: datetime) -> Set[int]:
        receipt = new_id()
        theirs = {"platform": platform, "receipt": receipt, "kept_at": now, "tries": 0}
        rows = [{"id": id_, "body": body, **theirs} for id_, body in bodies.items()]
        try:
            return await self._keep(rows, {"here": platform, "ids": [*bodies], "by": receipt})
        except BaseException:
            self._unsure.append(receipt)
            raise

    @retried
    async def _keep(self, rows: Sequence[Mapping[str, Any]], these: dict[str, Any]) -> Set[int]:
        """A repeat after a lost acknowledgement knows its own rows; what a call wrote that failed
        is new still."""
        async with self.database.changing() as session:
            await session.execute(insert_new(session, UPDATE), rows)
            if self._unsure:
                await session.execute(_MINE, {**these, "unsure": [*self._unsure]})
            return set(await session.scalars(_NEW, these))

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
        async with self.database.changing() as session:
            await session.execute(_DONE, {"here": platform, "ids": [*update_ids]})

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
