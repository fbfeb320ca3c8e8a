"""What people decide about jobs: appeals, moderators, those who are shown; reports, strikes, and
what somebody says that they may use. As in `core.reviews`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.errors import NotFound, WrongState
from core.job import NO_CLIP, Job
from core.moderation import (
    Actor,
    Approve,
    Deny,
    DismissReports,
    OnJob,
    Outcome,
    Rank,
    TakeDown,
)
from core.restraints import Means
from core.reviews import NOT_AGREED
from core.safety.level import Level
from core.safety.strikes import Strike
from core.safety.verdict import Clause, Ruling, Verdict
from storage.arrows import (
    APPEAL,
    ASKED,
    DENY,
    DISAGREE,
    EXPLAIN,
    HELD,
    LAPSE,
    PASS_ON,
    UNDECIDED,
    admit,
    conclude,
)
from storage.blocklist import block
from storage.database import Database, insert_new, retried
from storage.jobs import SqlJobs, blot_out, call_off, lineage
from storage.lineage import held_against
from storage.review_tables import AttestationRow, ReportRow, SightRow, StrikeRow
from storage.tables import JOB, AuditRow, JobRow

OVERDUE_MAX = 500
DECIDED = "This clip waits for no moderator any more."


class SqlReviews:
    """`core.reviews.ReviewBook` in SQL."""

    def __init__(self, database: Database, jobs: SqlJobs) -> None:
        self.database = database
        self._jobs = jobs

    # What is decided

    async def appeal(
        self, job_id: str, plea: str, decide_by: datetime, now: datetime
    ) -> Job | None:
        said = {"words": plea, "until": decide_by, "now": now}
        return await self._jobs.passed(APPEAL, job_id, "appeal", said)

    async def explain(self, job_id: str, plea: str) -> Job | None:
        return await self._jobs.passed(EXPLAIN, job_id, "explain", {"words": plea})

    async def agree(
        self, job_id: str, agreed: bool, means: Means, decide_by: datetime, now: datetime
    ) -> Job | None:
        if not agreed:
            said = {"why": NOT_AGREED, "now": now}
            return await self._jobs.passed(DISAGREE, job_id, "disagree", said)
        job = await self._jobs.job(job_id)
        if job is None:
            return None
        verdict = Verdict(job.findings)
        if verdict.ruling is Ruling.HOLD:
            said = {"by_clause": verdict.clause, "until": decide_by, "now": now}
            return await self._jobs.passed(PASS_ON, job_id, "agree", said)
        return await self._admit(job_id, means, now)

    async def overdue(self, now: datetime) -> Sequence[Job]:
        """The `OVERDUE_MAX` that have waited longest."""
        past = _ordered(select(JOB).where(HELD, JOB.c.decide_by <= now))
        return await self._found(past.limit(OVERDUE_MAX))

    async def lapse(self, job_id: str, why: str, now: datetime) -> Job | None:
        return await self._jobs.passed(LAPSE, job_id, "lapse", {"why": why, "now": now})

    @retried
    async def _admit(self, job_id: str, means: Means, now: datetime) -> Job | None:
        receipt = "agree"
        async with self.database.changing() as session:
            row = await _locked(session, and_(JOB.c.id == job_id, ASKED))
            if row is None:
                done = and_(JOB.c.id == job_id, JOB.c.receipt == receipt)
                row = (await session.execute(select(JOB).where(done))).one_or_none()
                return self._jobs.job_of(row) if row else None
            job = replace(self._jobs.job_of(row), asks=None)
            admitted = await admit(session, job, means, receipt, now, cleared=job.cleared)
            return self._jobs.job_of(admitted)

    # What waits

    async def waiting(self, account_id: int) -> int:
        mine = select(func.count()).where(HELD, JOB.c.account_id == account_id)
        rows = await self.database.ask(mine)
        return int(rows[0][0])

    async def held(self, server: str | None, limit: int, after: str | None) -> Sequence[Job]:
        query = select(JOB).where(UNDECIDED, _on(server))
        if after is not None:
            mark = select(JOB.c.decide_by, JOB.c.number).where(JOB.c.id == after).subquery()
            query = query.where(
                or_(
                    JOB.c.decide_by > select(mark.c.decide_by).scalar_subquery(),
                    and_(
                        JOB.c.decide_by == select(mark.c.decide_by).scalar_subquery(),
                        JOB.c.number > select(mark.c.number).scalar_subquery(),
                    ),
                )
            )
        return await self._found(_ordered(query).limit(limit))

    async def asked(self, account_id: int) -> Sequence[Job]:
        return await self._found(_ordered(select(JOB).where(ASKED, JOB.c.subject_id == account_id)))

    @retried
    async def reported(
        self, server: str | None, limit: int, after: str | None
    ) -> Sequence[tuple[Job, int, datetime]]:
        report = ReportRow.__table__.c  # type: ignore[attr-defined]
        by, since = func.count(), func.min(report.created_at)
        counted = (
            select(report.job_id, by.label("by"), since.label("since"))
            .where(report.dismissed == false())
            .group_by(report.job_id)
            .subquery()
        )
        query = (
            select(JOB, counted.c.by, counted.c.since)
            .join(counted, counted.c.job_id == JOB.c.id)
            .where(JOB.c.deleted == false(), JOB.c.clip.is_not(None), _on(server))
        )
        if after is not None:
            mark = select(counted.c.by).where(counted.c.job_id == after).scalar_subquery()
            number = select(JOB.c.number).where(JOB.c.id == after).scalar_subquery()
            query = query.where(
                or_(counted.c.by < mark, and_(counted.c.by == mark, JOB.c.number > number))
            )
        rows = await self.database.ask(
            query.order_by(counted.c.by.desc(), JOB.c.number).limit(limit)
        )
        return [(self._jobs.job_of(row), row.by, row.since) for row in rows]

    @retried
    async def is_reported(self, job_id: str) -> bool:
        open_ = (col(ReportRow.job_id) == job_id, col(ReportRow.dismissed) == false())
        async with self.database.reading() as session:
            return (
                await session.scalar(select(col(ReportRow.id)).where(*open_).limit(1)) is not None
            )

    # People

    @retried
    async def strikes(self, account_id: int, since: datetime) -> Sequence[Strike]:
        mine = (held_against(account_id), col(StrikeRow.at) > since)
        query = select(StrikeRow, HELD).join(JOB, JOB.c.id == col(StrikeRow.job_id)).where(*mine)
        async with self.database.reading() as session:
            rows = await session.execute(query.order_by(col(StrikeRow.at), col(StrikeRow.id)))
            return [
                Strike(row.job_id, Clause(row.clause), row.at, row.lifted, held)
                for row, held in rows
            ]

    @retried
    async def attest(self, account_id: int, pictures: Collection[str], now: datetime) -> None:
        async with self.database.changing() as session:
            for picture in sorted(set(pictures)):
                said = {"account_id": account_id, "picture": picture, "at": now}
                await session.execute(insert_new(session, AttestationRow).values(**said))

    @retried
    async def attested(self, account_id: int, pictures: Collection[str]) -> bool:
        wanted = set(pictures)
        said = select(func.count()).where(
            col(AttestationRow.account_id) == account_id, col(AttestationRow.picture).in_(wanted)
        )
        async with self.database.reading() as session:
            return await session.scalar(said) == len(wanted)

    async def cleared(
        self,
        account_id: int,
        server: str,
        level: Level,
        words: tuple[str, str],
        pictures: Collection[str],
    ) -> bool:
        prompt, negative = words
        asked = JOB.c.request
        same = and_(
            JOB.c.account_id == account_id,
            JOB.c.server == server,
            JOB.c.level == level,
            JOB.c.cleared == true(),
            JOB.c.deleted == false(),
            asked["prompt"].as_string() == prompt,
            asked["negative_prompt"].as_string() == negative,
        )
        before = await self.database.ask(select(JOB.c.picture, JOB.c.last_picture).where(same))
        return any({*row} - {None} == set(pictures) for row in before)

    @retried
    async def attestations(self, account_id: int) -> int:
        mine = select(func.count()).where(col(AttestationRow.account_id) == account_id)
        async with self.database.reading() as session:
            return await session.scalar(mine) or 0

    @retried
    async def overturned(self, limit: int) -> Sequence[Job]:
        approved = select(func.substr(col(AuditRow.whom), len("job:") + 1)).where(
            col(AuditRow.act) == Approve.verb
        )
        query = select(JOB).where(JOB.c.id.in_(approved), JOB.c.deleted == false())
        return await self._found(query.order_by(JOB.c.number.desc()).limit(limit))

    async def _found(self, query: Select[Any]) -> Sequence[Job]:
        return [self._jobs.job_of(row) for row in await self.database.ask(query)]


# Acts of moderators, inside the transaction that writes them into the log


async def done(
    session: AsyncSession,
    jobs: SqlJobs,
    act: OnJob,
    actor: Actor,
    key: str,
    means: Means,
    now: datetime,
) -> Outcome:
    """Raises NotFound, or WrongState where it waits no more."""
    match act:
        case Approve():
            return await _approve(session, jobs, act, key, means, now)
        case Deny():
            return await _deny(session, jobs, act, key, now)
        case TakeDown():
            return await _take_down(session, act, actor, now)
        case DismissReports():
            return await _dismiss(session, act)
    raise AssertionError(act)


async def _approve(
    session: AsyncSession, jobs: SqlJobs, act: Approve, key: str, means: Means, now: datetime
) -> Outcome:
    """Its strike is lifted."""
    job = await _undecided(session, jobs, act)
    row = await admit(session, job, means, f"approve:{key}", now, cleared=True)
    assert row is not None, "the job was locked"
    await lift(session, col(StrikeRow.job_id) == act.job_id)
    return Outcome(row.credits, 0, (act.job_id,))


def strikes_of(account_id: int) -> ColumnElement[bool]:
    return and_(held_against(account_id), col(StrikeRow.lifted) == false())


async def lift(session: AsyncSession, which: ColumnElement[bool]) -> int:
    """Those strikes count no more: how many."""
    lifted = await session.scalars(
        update(StrikeRow)
        .where(which)
        .values(lifted=True)
        .returning(col(StrikeRow.id))
        .execution_options(synchronize_session=False)
    )
    return len(lifted.all())


async def _deny(
    session: AsyncSession, jobs: SqlJobs, act: Deny, key: str, now: datetime
) -> Outcome:
    await _undecided(session, jobs, act)
    said = {"this": act.job_id, "by": f"deny:{key}", "why": act.reason.strip(), "now": now}
    row = (await session.execute(DENY, said)).one()
    await conclude(session, jobs.job_of(row))
    return Outcome(jobs=(act.job_id,))


async def _take_down(session: AsyncSession, act: TakeDown, actor: Actor, now: datetime) -> Outcome:
    """The clip, and all that was made from it. By whoever leads one server: as far as it is there.
    By an operator: everywhere, and the hashes of what they looked like are blocked."""
    this = and_(col(JobRow.id) == act.job_id, _theirs(act), col(JobRow.deleted) == false())
    if await session.scalar(select(col(JobRow.number)).where(this)) is None:
        raise NotFound(NO_CLIP)
    everywhere = actor.rank >= Rank.OPERATOR
    made = col(JobRow.id).in_(lineage(act.job_id))
    theirs = made if everywhere else and_(made, col(JobRow.server) == act.server)
    ids = list(await session.scalars(select(col(JobRow.id)).where(theirs)))
    looked = select(col(SightRow.hashes)).where(col(SightRow.job_id).in_(ids))
    hashes = [one for found in await session.scalars(looked) for one in found]
    meant = col(JobRow.id).in_(ids)
    await call_off(session, meant, now)
    for id_ in ids:
        await blot_out(session, and_(col(JobRow.id) == id_, col(JobRow.deleted) == false()), now)
    await _settle_reports(session, ids)
    if everywhere:
        await block(session, hashes, act.reason, actor.name, now)
    return Outcome(jobs=tuple(ids))


async def _dismiss(session: AsyncSession, act: DismissReports) -> Outcome:
    this = and_(col(JobRow.id) == act.job_id, _theirs(act))
    if await session.scalar(select(col(JobRow.number)).where(this)) is None:
        raise NotFound(NO_CLIP)
    if not await _settle_reports(session, [act.job_id]):
        raise WrongState("Nobody reported this clip, or a moderator decided about it already.")
    return Outcome(jobs=(act.job_id,))


async def _settle_reports(session: AsyncSession, ids: Collection[str]) -> int:
    settled = await session.scalars(
        update(ReportRow)
        .where(col(ReportRow.job_id).in_(ids), col(ReportRow.dismissed) == false())
        .values(dismissed=True)
        .returning(col(ReportRow.id))
        .execution_options(synchronize_session=False)
    )
    return len(settled.all())


async def _undecided(session: AsyncSession, jobs: SqlJobs, act: Approve | Deny) -> Job:
    """Locked, so that it stays so."""
    this = and_(JOB.c.id == act.job_id, JOB.c.account_id == act.account_id, _on(act.server or None))
    if (await session.execute(select(JOB.c.number).where(this))).one_or_none() is None:
        raise NotFound(NO_CLIP)
    row = await _locked(session, and_(this, UNDECIDED))
    if row is None:
        raise WrongState(DECIDED)
    return jobs.job_of(row)


async def _locked(session: Any, which: ColumnElement[bool]) -> Any:
    return (await session.execute(select(JOB).where(which).with_for_update())).one_or_none()


def _ordered(query: Select[Any]) -> Select[Any]:
    return query.order_by(JOB.c.decide_by, JOB.c.number)


def _on(server: str | None) -> ColumnElement[bool]:
    """Jobs of a server."""
    return true() if server is None else JOB.c.server == server


def _theirs(act: OnJob) -> ColumnElement[bool]:
    return and_(col(JobRow.account_id) == act.account_id, _on(act.server or None))
