"""Which clip has which invisible mark."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlmodel import col

from core.job import Job
from storage.database import Database, insert_new, retried
from storage.jobs import SqlJobs
from storage.review_tables import MarkRow
from storage.tables import JobRow


class SqlMarks:
    """`core.provenance.Marks` in SQL."""

    def __init__(self, database: Database, jobs: SqlJobs) -> None:
        self.database = database
        self._jobs = jobs

    @retried
    async def keep(self, word: int, job_id: str) -> None:
        async with self.database.writing() as session:
            await session.execute(insert_new(session, MarkRow).values(job_id=job_id, word=word))

    async def job(self, words: Collection[int]) -> Job | None:
        async with self.database.reading() as session:
            row = await session.scalar(
                select(JobRow)
                .join(MarkRow, col(MarkRow.job_id) == col(JobRow.id))
                .where(col(MarkRow.word).in_(words))
                .order_by(col(JobRow.number))
                .limit(1)
            )
            return self._jobs.job_of(row) if row is not None else None
