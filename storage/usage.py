"""Usage over time: one query over jobs, and one over what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, cast, extract, func, select, update
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import col

from core.job import State
from core.moderation import EVERYWHERE
from core.ports import Clock
from core.usage import QUARTER_SECONDS, SLICES_MOST, By, Slice, Totals
from storage.database import Database, insert_new, retried
from storage.tables import JobRow, RefusalRow


class SqlUsage:
    """`core.usage.Usage` in SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self._clock = clock

    @retried
    async def slices(self, since: datetime, by: By, server: str = EVERYWHERE) -> Sequence[Slice]:
        async with self.database.reading() as session:
            sqlite = session.get_bind().dialect.name == "sqlite"
            asked, began, ended = (
                _epoch(col(moment), sqlite)
                for moment in (JobRow.created_at, JobRow.started_at, JobRow.ended_at)
            )
            quarter = _quarter(asked)
            model = col(JobRow.request)["model"].as_string()
            key = col(JobRow.server) if by is By.SERVER else model
            jobs = (
                select(
                    quarter,
                    key,
                    func.count(),
                    func.sum(func.coalesce(col(JobRow.run_seconds), ended - began, 0)),
                    func.sum(col(JobRow.charged)),
                    func.count(began),
                    func.coalesce(func.sum(began - asked), 0),
                    func.sum(case((col(JobRow.state) == State.REFUSED, 1), else_=0)),
                )
                .where(col(JobRow.created_at) >= since, *_there(JobRow, server))
                .group_by(quarter, key)
                .limit(SLICES_MOST)
            )
            at = _quarter(_epoch(col(RefusalRow.at), sqlite))
            named = col(RefusalRow.server) if by is By.SERVER else col(RefusalRow.model)
            refusals = (
                select(at, named, func.sum(col(RefusalRow.count)))
                .where(col(RefusalRow.at) >= since, *_there(RefusalRow, server))
                .group_by(at, named)
                .limit(SLICES_MOST)
            )
            drawn = [
                Slice(_moment(row[0]), row[1], Totals(row[2], float(row[3]), int(row[4]), row[5],
                                                    float(row[6]), int(row[7])))
                for row in await session.execute(jobs)
            ]  # fmt: skip
            refused = [
                Slice(_moment(row[0]), row[1], Totals(refused=int(row[2])))
                for row in await session.execute(refusals)
            ]
            return drawn + refused

    @retried
    async def refused(self, server: str, model: str, why: str) -> None:
        now = self._clock().astimezone(UTC)
        since = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
        row = {"at": since, "server": server, "model": model, "why": why}
        same = [col(getattr(RefusalRow, name)) == value for name, value in row.items()]
        async with self.database.writing() as session:
            await session.execute(insert_new(session, RefusalRow).values(**row, count=0))
            await session.execute(
                update(RefusalRow)
                .where(*same)
                .values(count=col(RefusalRow.count) + 1)
                .execution_options(synchronize_session=False)
            )


def _epoch(moment: SQLCoreOperations[Any], sqlite: bool) -> ColumnElement[Any]:
    """Whole seconds."""
    if sqlite:
        return cast(func.strftime("%s", moment), BigInteger)
    return cast(func.floor(extract("epoch", moment)), BigInteger)


def _quarter(seconds: ColumnElement[Any]) -> ColumnElement[Any]:
    return seconds - seconds % QUARTER_SECONDS


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _there(table: type[JobRow | RefusalRow], server: str) -> Sequence[ColumnElement[bool]]:
    return () if server == EVERYWHERE else (col(table.server) == server,)
