"""What the database keeps of people: told whole, and forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, exists, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.job import Job, State
from core.moderation import person
from core.ports import Clock
from core.privacy import Receipt
from storage import ledger
from storage.arrows import UNFINISHED
from storage.database import Database, retried
from storage.jobs import SqlJobs, blank
from storage.lineage import names
from storage.links import FOLLOWS
from storage.review_tables import AttestationRow, ErasureRow, StrikeRow
from storage.reviews import strikes_of
from storage.tables import (
    ACCOUNT,
    JOB,
    AccountRow,
    ClaimRow,
    CredentialRow,
    DeliveryRow,
    IdentityRow,
    JobRow,
    LeaderRow,
    PostRow,
    RestraintRow,
)

SECRETS = frozenset({"digest", "fingerprint", "receipt", "token", "hash", "previous", "who"})
"""Columns that nobody is told, who among moderators acted included."""

NOWHERE = "gone"
"""In place of where a job was posted, once that is forgotten."""


class SqlPeople:
    """`core.privacy.People` in SQL."""

    def __init__(self, database: Database, jobs: SqlJobs, clock: Clock) -> None:
        self.database = database
        self._jobs = jobs
        self._clock = clock

    @retried
    async def everything(self, account_id: int) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        async with self.database.reading() as session:
            whom = await names(session, person(account_id))
            meant: dict[Table, list[ColumnElement[bool]]] = {ACCOUNT: [ACCOUNT.c.id == account_id]}
            for column in FOLLOWS:
                if column.table is not ACCOUNT and column is not JOB.c.subject_id:
                    meant.setdefault(column.table, []).append(column == account_id)
            tables = AccountRow.metadata.tables
            for name in ("restraint", "audit"):
                meant[tables[name]] = [tables[name].c.whom.in_(whom)]
            return {
                table.name: await _rows(session, table, or_(*conditions))
                for table, conditions in meant.items()
            }

    @retried
    async def jobs(self, account_id: int, asked_by: datetime | None = None) -> Sequence[Job]:
        query = select(JOB).where(JOB.c.account_id == account_id, JOB.c.deleted == false())
        if asked_by is not None:
            query = query.where(JOB.c.created_at <= asked_by)
        async with self.database.reading() as session:
            rows = await session.execute(query.order_by(JOB.c.number))
            return [self._jobs.job_of(row) for row in rows]

    @retried
    async def forget(self, account_id: int, receipt: Receipt) -> int:
        async with self.database.writing() as session:
            await ledger.lock(session, account_id)
            if await session.get(ErasureRow, receipt.number) is None:
                session.add(
                    ErasureRow(
                        number=receipt.number,
                        account_id=account_id,
                        at=receipt.at,
                        clips=receipt.clips,
                    )
                )
            await _change(session, AccountRow, col(AccountRow.id) == account_id, name="")
            theirs = col(IdentityRow.account_id) == account_id
            await _change(session, IdentityRow, theirs, handle=None)
            for row in (LeaderRow, AttestationRow):
                await session.execute(delete(row).where(col(row.account_id) == account_id))
            ended = await session.scalars(
                delete(CredentialRow)
                .where(col(CredentialRow.account_id) == account_id)
                .returning(col(CredentialRow.kind))
            )
            return sum(kind == "key" for kind in ended)

    @retried
    async def forgotten(self) -> Sequence[tuple[int, datetime]]:
        open_ = col(ErasureRow.settled) == false()
        whose = col(ErasureRow.account_id)
        newest = select(whose, func.max(col(ErasureRow.at))).where(open_).group_by(whose)
        async with self.database.reading() as session:
            return [(account_id, at) for account_id, at in await session.execute(newest)]

    @retried
    async def part(
        self, account_id: int, forgotten_at: datetime, now: datetime, fade: timedelta
    ) -> bool:
        async with self.database.writing() as session:
            await ledger.lock(session, account_id)
            account = await session.get(AccountRow, account_id, populate_existing=True)
            assert account is not None
            back = account.name != ""
            if not back and await self._holds(session, account_id, now, fade):
                return False
            asked = col(JobRow.created_at) <= forgotten_at
            whose = and_(col(JobRow.account_id) == account_id, asked)
            await _forget_places(session, whose)
            if not back:
                subjects = list(
                    await session.scalars(
                        delete(IdentityRow)
                        .where(col(IdentityRow.account_id) == account_id)
                        .returning(col(IdentityRow.subject))
                    )
                )
                await session.execute(delete(PostRow).where(col(PostRow.author).in_(subjects)))
            mine = col(ErasureRow.account_id) == account_id
            await _change(session, ErasureRow, mine, settled=True)
            return True

    async def _holds(
        self, session: AsyncSession, account_id: int, now: datetime, fade: timedelta
    ) -> bool:
        """Whether something keeps its names: a ban, a strike that counts, a plan that was paid
        for, a job that is not deleted yet, or a card that has not heard of it."""
        whom = await names(session, person(account_id))
        until, plan_until = col(RestraintRow.until), col(ClaimRow.until)
        paid = col(ClaimRow.source).startswith("purchase:")
        holding = (
            exists().where(col(RestraintRow.whom).in_(whom), or_(until.is_(None), until > now)),
            exists().where(
                col(ClaimRow.account_id) == account_id,
                paid,
                or_(plan_until.is_(None), plan_until > now),
            ),
            exists().where(strikes_of(account_id), col(StrikeRow.at) > now - fade),
            exists().where(JOB.c.account_id == account_id, JOB.c.deleted == false()),
            exists().where(
                col(DeliveryRow.job_id) == JOB.c.id,
                col(DeliveryRow.due_at).is_not(None),
                JOB.c.account_id == account_id,
            ),
        )
        return bool(await session.scalar(select(or_(*holding))))

    @retried
    async def outlived(self, words: datetime, refused: datetime, limit: int) -> Sequence[str]:
        ended = col(JobRow.ended_at)
        past = or_(ended <= words, and_(col(JobRow.state) == State.REFUSED, ended <= refused))
        meant = and_(
            past,
            col(JobRow.state).not_in(UNFINISHED),
            col(JobRow.deleted) == false(),
            col(JobRow.clip_expires_at).is_(None),
        )
        async with self.database.writing() as session:
            rows = await session.scalars(
                select(JobRow).where(meant).order_by(ended).limit(limit).with_for_update()
            )
            shown: set[str] = set()
            for row in rows:
                shown |= {one for one in (row.picture, row.last_picture) if one is not None}
                blank(row)
            await session.flush()
            needed: set[str | None] = set()
            for column in (col(JobRow.picture), col(JobRow.last_picture)):
                alive = and_(column.in_(shown), col(JobRow.deleted) == false())
                needed |= set(await session.scalars(select(column).where(alive)))
            return sorted(shown - needed)


async def _rows(
    session: AsyncSession, table: Table, meant: ColumnElement[bool]
) -> Sequence[Mapping[str, Any]]:
    told = [column for column in table.c if column.name not in SECRETS]
    found = await session.execute(select(*told).where(meant))
    return [
        {name: _unruled(value) if name == "findings" else value for name, value in row.items()}
        for row in found.mappings()
    ]


def _unruled(findings: Sequence[Mapping[str, Any]] | None) -> Sequence[Mapping[str, Any]] | None:
    """Without the rules, of which who asked is never told."""
    return findings and [{**one, "rule": ""} for one in findings]


async def _change(
    session: AsyncSession, row: type[Any], meant: ColumnElement[bool], **said: object
) -> None:
    await session.execute(
        update(row).where(meant).values(said).execution_options(synchronize_session=False)
    )


async def _forget_places(session: AsyncSession, whose: ColumnElement[bool]) -> None:
    """Where jobs were posted, which in a private chat says who asked. Their cards are gone."""
    ids = select(col(JobRow.id)).where(whose)
    await session.execute(delete(DeliveryRow).where(col(DeliveryRow.job_id).in_(ids)))
    posted = select(col(JobRow.place)).where(whose)
    await session.execute(delete(PostRow).where(col(PostRow.place).in_(posted)))
    for row in await session.scalars(select(JobRow).where(whose).with_for_update()):
        platform = row.place.partition(":")[0]
        row.place = f"{platform}:{NOWHERE}"
        row.server = f"{platform}:{NOWHERE}" if platform == "telegram" else row.server
