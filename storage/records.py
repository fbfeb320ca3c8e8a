"""What a console lists, searched, sorted and paged in SQL."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, cast, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text
from sqlmodel import col

from core import places, records
from core.audit import Row
from core.job import Identity
from core.moderation import EVERYWHERE
from core.plans import FREE
from core.ports import Clock
from core.records import Asked, JobOrder, PeopleOrder, Person, Server
from core.restraints import Kind
from storage.accounts import WITH_CLAIMS, all_of
from storage.database import Database, retried
from storage.jobs import SqlJobs
from storage.lineage import current, names
from storage.moderation import row_of
from storage.tables import (
    ACCOUNT,
    AccountRow,
    AuditRow,
    ClaimRow,
    IdentityRow,
    JobRow,
    LeaderRow,
    PostRow,
    RestraintRow,
)

_DIRECT = re.compile(r"web:|discord:@|telegram:\d|telegram:inline")
"""Servers that are one person's own chat."""


class SqlRecords:
    """`core.records.Records` in SQL."""

    def __init__(self, database: Database, jobs: SqlJobs, clock: Clock) -> None:
        self.database = database
        self._jobs = jobs
        self._clock = clock

    @retried
    async def people(
        self, asked: records.PeopleFilter, limit: int, skip: int = 0
    ) -> Sequence[Person]:
        theirs = and_(col(JobRow.account_id) == col(AccountRow.id), *_there(asked.server))
        jobs = _of_account(select(func.count()).where(theirs))
        newest = _of_account(select(func.max(col(JobRow.number))).where(theirs))
        query = select(AccountRow, jobs, newest).where(*self._wanted(asked, theirs))
        order: dict[PeopleOrder, tuple[Any, ...]] = {
            PeopleOrder.RECENT: (newest.desc().nulls_last(),),
            PeopleOrder.NAME: (func.lower(col(AccountRow.name)),),
            PeopleOrder.NEWEST: (),
            PeopleOrder.JOBS: (jobs.desc(),),
            PeopleOrder.CREDITS: (col(AccountRow.available).desc(),),
        }
        query = query.order_by(*order[asked.order], col(AccountRow.id).desc())
        async with self.database.reading() as session:
            found = (await session.execute(query.limit(limit).offset(skip))).all()
            ids = [row.id for row, _, _ in found]
            rows = await session.execute(WITH_CLAIMS.where(ACCOUNT.c.id.in_(ids)))
            accounts = {account.id: account for account in all_of(rows.all())}
            named = await _identities(session, ids, asked.server)
            held = await self._held(session, ids, asked.server)
            numbers = [number for _, _, number in found if number is not None]
            times = select(col(JobRow.number), col(JobRow.created_at)).where(
                col(JobRow.number).in_(numbers)
            )
            at = {int(number): at for number, at in await session.execute(times)}
        return [
            Person(
                accounts[row.id], tuple(named[row.id]), tuple(held[row.id]), count,
                at.get(number), row.available, row.held,
            )
            for row, count, number in found
        ]  # fmt: skip

    @retried
    async def jobs(self, asked: records.JobFilter, limit: int, skip: int = 0) -> Sequence[Asked]:
        hidden = select(col(PostRow.hidden)).where(col(PostRow.place) == col(JobRow.place))
        query = (
            select(JobRow, col(AccountRow.name), hidden.scalar_subquery())
            .join(AccountRow, col(AccountRow.id) == col(JobRow.account_id))
            .where(*_there(asked.server))
        )
        if asked.states:
            query = query.where(col(JobRow.state).in_(asked.states))
        if asked.model:
            query = query.where(col(JobRow.request)["model"].as_string() == asked.model)
        if asked.account_id is not None:
            query = query.where(col(JobRow.account_id) == asked.account_id)
        if asked.words:
            query = query.where(col(JobRow.id).startswith(asked.words, autoescape=True))
        order: dict[JobOrder, tuple[Any, ...]] = {
            JobOrder.NEWEST: (col(JobRow.number).desc(),),
            JobOrder.OLDEST: (col(JobRow.number),),
            JobOrder.CREDITS: (col(JobRow.credits).desc(), col(JobRow.number).desc()),
            JobOrder.LONGEST: (
                col(JobRow.run_seconds).desc().nulls_last(),
                col(JobRow.number).desc(),
            ),
        }
        query = query.order_by(*order[asked.order]).limit(limit).offset(skip)
        async with self.database.reading() as session:
            return [
                Asked(self._jobs.job_of(row), name, bool(hides) or is_direct(row.place))
                for row, name, hides in await session.execute(query)
            ]

    @retried
    async def log(self, asked: records.LogFilter, limit: int, skip: int = 0) -> Sequence[Row]:
        query = select(AuditRow)
        if asked.server != EVERYWHERE:
            query = query.where(col(AuditRow.server) == asked.server)
        if asked.number is not None:
            query = query.where(col(AuditRow.number) == asked.number)
        if asked.act:
            query = query.where(col(AuditRow.act) == asked.act)
        if asked.who:
            query = query.where(col(AuditRow.who).icontains(asked.who, autoescape=True))
        query = query.order_by(col(AuditRow.number).desc()).limit(limit).offset(skip)
        async with self.database.reading() as session:
            if asked.whom:
                query = query.where(col(AuditRow.whom).in_(await names(session, asked.whom)))
            return [row_of(row) for row in await session.scalars(query)]

    @retried
    async def servers(self, limit: int) -> Sequence[Server]:
        count = func.count()
        where = col(JobRow.server)
        titles = select(func.max(col(LeaderRow.title))).where(col(LeaderRow.server) == where)
        query = (
            select(where, titles.correlate(JobRow).scalar_subquery(), count)
            .group_by(where)
            .order_by(count.desc(), where)
            .limit(limit)
        )
        async with self.database.reading() as session:
            return [
                Server(server, title or "", jobs)
                for server, title, jobs in await session.execute(query)
                if not is_direct(f"{server}/")
            ]

    @retried
    async def names(self, account_ids: Sequence[int]) -> dict[int, str]:
        query = select(col(AccountRow.id), col(AccountRow.name)).where(
            col(AccountRow.id).in_(set(account_ids))
        )
        async with self.database.reading() as session:
            return {int(account_id): name for account_id, name in await session.execute(query)}

    def _wanted(
        self, asked: records.PeopleFilter, theirs: ColumnElement[bool]
    ) -> Sequence[ColumnElement[bool]]:
        """theirs: the jobs of an account that count here."""
        me = cast(col(AccountRow.id), Text)
        person = literal("account:") + me
        mine = col(IdentityRow.account_id) == col(AccountRow.id)
        treasury = exists().where(mine, col(IdentityRow.platform).endswith(":server"))
        holds = or_(col(RestraintRow.until).is_(None), col(RestraintRow.until) > self._clock())
        reach = {EVERYWHERE, asked.server} if asked.server else None
        found: list[ColumnElement[bool]] = [~treasury, col(AccountRow.merged_into).is_(None)]
        if asked.server != EVERYWHERE:
            held_here = exists().where(
                col(RestraintRow.whom) == person, col(RestraintRow.server) == asked.server
            )
            found.append(or_(exists().where(theirs), held_here))
        if asked.held is not None:
            held = exists().where(
                col(RestraintRow.whom) == person,
                col(RestraintRow.kind) == asked.held,
                *((col(RestraintRow.server).in_(reach),) if reach else ()),
                holds,
            )
            found.append(held)
        if asked.plan:
            over = and_(col(ClaimRow.until).is_not(None), col(ClaimRow.until) <= self._clock())
            claims = and_(col(ClaimRow.account_id) == col(AccountRow.id), ~over)
            if asked.plan == FREE:
                found.append(~exists().where(claims))
            else:
                found.append(exists().where(claims, col(ClaimRow.plan) == asked.plan))
        if re.fullmatch(r"\d{1,18}#", asked.words):
            found.append(col(AccountRow.id) == current(int(asked.words[:-1])))
        elif asked.words:
            _, _, subject = asked.words.rpartition(":")
            named = and_(
                mine,
                col(IdentityRow.subject).startswith(subject or asked.words, autoescape=True),
                *_on_platform(asked.server),
            )
            by_name = col(AccountRow.name).icontains(asked.words, autoescape=True)
            found.append(or_(by_name, exists().where(named)))
        return found

    async def _held(
        self, session: AsyncSession, account_ids: Sequence[int], server: str
    ) -> dict[int, list[Kind]]:
        people = {f"account:{account_id}": account_id for account_id in account_ids}
        query = select(col(RestraintRow.whom), col(RestraintRow.kind)).where(
            col(RestraintRow.whom).in_(people),
            or_(col(RestraintRow.until).is_(None), col(RestraintRow.until) > self._clock()),
        )
        if server != EVERYWHERE:
            query = query.where(col(RestraintRow.server).in_((EVERYWHERE, server)))
        found: dict[int, list[Kind]] = defaultdict(list)
        for whom, kind in await session.execute(query.distinct()):
            found[people[whom]].append(Kind(kind))
        return found


def is_direct(place: str) -> bool:
    """Whether a place is where only one person reads."""
    return _DIRECT.match(place) is not None


def _there(server: str) -> Sequence[ColumnElement[bool]]:
    return () if server == EVERYWHERE else (col(JobRow.server) == server,)


def _on_platform(server: str) -> Sequence[ColumnElement[bool]]:
    """Who leads one server knows people by their names there alone."""
    if server == EVERYWHERE:
        return ()
    return (col(IdentityRow.platform) == places.platform(server),)


def _of_account(query: Select[Any]) -> Any:
    return query.correlate(AccountRow).scalar_subquery()


async def _identities(
    session: AsyncSession, account_ids: Sequence[int], server: str
) -> dict[int, list[Identity]]:
    query = select(IdentityRow).where(
        col(IdentityRow.account_id).in_(account_ids), *_on_platform(server)
    )
    order = (col(IdentityRow.platform), col(IdentityRow.subject))
    found: dict[int, list[Identity]] = defaultdict(list)
    for row in await session.scalars(query.order_by(*order)):
        found[row.account_id].append(Identity(row.platform, row.subject))
    return found
