"""Jobs: the truth about what was asked, what runs, and how it ended.

Every arrow of the state machine is one guarded UPDATE. Where it hits a row, whatever follows from
it (the settlement of the hold, the delivery) is in the same transaction; where it hits none, the
caller came too late and nothing happens. An ended job always has exactly one settlement of each of
its holds, and exactly one delivery, however it ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    false,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.errors import WrongState
from core.eta import work
from core.job import Clip, Job, State, new_id
from core.lanes import Lane
from core.ports import Clock, Measured, Used
from core.pricing import due, priced_seconds
from core.request import Request
from core.restraints import Allowance
from core.safety.strikes import is_strike
from core.safety.verdict import Finding, Verdict
from core.treasury import Share
from storage import ledger
from storage.arrows import (
    ACCEPT,
    CANCEL,
    CLAIM,
    FAIL,
    FENCED,
    FINISH,
    ONE,
    PASSED,
    REFUSE,
    REQUEUE,
    RUNNING,
    STOPPED,
    THIS,
    UNFINISHED,
    WAITING,
    conclude,
    hold,
)
from storage.database import Database, Transaction, insert_new, put, retried
from storage.job_rows import clip_values, findings_values, job_of, values_of
from storage.tables import JOB, SIGHT, STRIKE, DeliveryRow, JobRow

Also = Callable[[Transaction], Awaitable[None]]
"""What else is written where an arrow was passed."""

EXPIRED_MAX = 500
"""Expired jobs that one call gives; the next gives the rest."""

LINEAGE_MOST = 10_000

_SAME = select(JOB).where(
    or_(
        THIS,
        and_(JOB.c.account_id == bindparam("whose"), JOB.c.request_key == bindparam("key")),
    )
)
_AT = (
    select(JOB)
    .where(JOB.c.place == bindparam("here"), JOB.c.deleted == false())
    .order_by(JOB.c.number)
)
_QUEUED = select(JOB).where(WAITING).order_by(JOB.c.number)
_TAKEN = select(JOB).where(RUNNING).order_by(JOB.c.number)
_BOTH = select(JOB).where(or_(RUNNING, WAITING)).order_by(WAITING, JOB.c.number)
_CHARGE = update(JOB).where(THIS).values(charged=bindparam("due"))


class SqlJobs:
    """`core.ports.Jobs` in SQL. clips: the folder that clips' paths are relative to."""

    def __init__(self, database: Database, clips: Path, clock: Clock) -> None:
        self.database = database
        self._clips = clips
        self._clock = clock

    # Asking

    @retried
    async def submit(
        self,
        job: Job,
        key: str | None,
        fingerprint: str,
        share: Share | None = None,
        allowance: Allowance | None = None,
    ) -> Job:
        values = values_of(job, key, fingerprint)
        async with self.database.changing() as session:
            new = insert_new(session, JOB).returning(JOB.c.number)
            number = await session.scalar(new, values)
            if number is None:
                same = await session.execute(_SAME, _same(job.account_id, job.id, key))
                first = self._first(same.all(), fingerprint)
                if first is None:
                    raise RuntimeError(f"the id {job.id} is taken")
                return first
            if job.state is not State.QUEUED:  # of nothing, but whose account is still one
                share = allowance = None
            await hold(session, job, job.created_at, share, allowance)
            if job.state is State.REFUSED and job.clause is not None and is_strike(job.clause):
                strike = {
                    "job_id": job.id, "account_id": job.account_id, "clause": job.clause,
                    "at": job.created_at, "lifted": False,
                }  # fmt: skip
                await session.execute(insert(STRIKE), [strike])
            if job.state.ended:  # its card hears of it like any other's
                await conclude(session, job)
        return job

    @retried
    async def accept(
        self,
        job: Job,
        credits: int,
        lane: Lane,
        now: datetime,
        share: Share | None = None,
        allowance: Allowance | None = None,
    ) -> Job | None:
        """A job is accepted once, so whoever finds the receipt of an acceptance finds it done."""
        this = {"this": job.id, "by": f"accept:{lane}"}
        async with self.database.changing() as session:
            said = {"now": now, "price_held": credits, "in_lane": lane}
            passed = await session.execute(ACCEPT, {**this, **said})
            if (row := passed.one_or_none()) is None:
                row = (await session.execute(PASSED, this)).one_or_none()
                return self.job_of(row) if row else None
            accepted = self.job_of(row)
            await hold(session, accepted, now, share, allowance)
            return accepted

    @retried
    async def repeated(self, account_id: int, key: str, fingerprint: str) -> Job | None:
        same = _same(account_id, "", key)
        return self._first(await self.database.ask(_SAME, same), fingerprint)

    # Looking

    @retried
    async def job(self, job_id: str) -> Job | None:
        rows = await self.database.ask(ONE, {"this": job_id})
        return self.job_of(rows[0]) if rows else None

    @retried
    async def history(
        self, account_id: int, limit: int, before: str | None = None
    ) -> Sequence[Job]:
        """Nothing where there is no job `before`."""
        query = select(JOB).where(JOB.c.account_id == account_id, JOB.c.deleted == false())
        if before is not None:
            mark = select(JOB.c.number).where(JOB.c.id == before).scalar_subquery()
            query = query.where(JOB.c.number < mark)
        return await self._jobs(query.order_by(JOB.c.number.desc()).limit(limit))

    @retried
    async def at(self, place: str) -> Sequence[Job]:
        return await self._jobs(_AT, {"here": place})

    @retried
    async def queued(self) -> Sequence[Job]:
        return await self._jobs(_QUEUED)

    @retried
    async def quoted(
        self, account_id: int | None = None, before: datetime | None = None
    ) -> Sequence[Job]:
        """The `EXPIRED_MAX` that have waited longest."""
        query = _in(State.QUOTED)
        if account_id is not None:
            query = query.where(JOB.c.account_id == account_id)
        if before is not None:
            query = query.where(JOB.c.created_at < before)
        return await self._jobs(query.order_by(JOB.c.number).limit(EXPIRED_MAX))

    @retried
    async def held(self) -> Sequence[Job]:
        """The `EXPIRED_MAX` that have waited longest."""
        return await self._jobs(_in(State.HELD).order_by(JOB.c.number).limit(EXPIRED_MAX))

    @retried
    async def running(self) -> Sequence[Job]:
        return await self._jobs(_TAKEN)

    @retried
    async def unfinished(self) -> Sequence[Job]:
        return await self._jobs(_BOTH)

    @retried
    async def needs_picture(self, picture_id: str) -> bool:
        shown = or_(col(JobRow.picture) == picture_id, col(JobRow.last_picture) == picture_id)
        needing = and_(shown, col(JobRow.deleted) == false())
        async with self.database.reading() as session:
            return bool(await session.scalar(select(exists().where(needing))))

    @retried
    async def lineage(self, job_id: str) -> Sequence[Job]:
        return await self._jobs(
            select(JOB).where(JOB.c.id.in_(lineage(job_id))).order_by(JOB.c.number)
        )

    @retried
    async def expired(self, now: datetime) -> Sequence[Job]:
        """The `EXPIRED_MAX` that have waited longest."""
        return await self._jobs(
            select(JOB)
            .where(JOB.c.clip_expires_at <= now)
            .order_by(JOB.c.clip_expires_at)
            .limit(EXPIRED_MAX)
        )

    @retried
    async def measured(
        self, limit: int, before: datetime | None = None, model: str | None = None
    ) -> Sequence[Measured]:
        done = _in(State.SUCCEEDED)
        if before is not None:
            done = done.where(JOB.c.ended_at < before)
        if model is not None:
            done = done.where(JOB.c.request["model"].as_string() == model)
        newest = done.order_by(JOB.c.ended_at.desc(), JOB.c.number.desc()).limit(limit)
        return [
            Measured(
                job.request.model, work(job.request), job.run_seconds, priced_seconds(job.request)
            )
            for job in reversed(await self._jobs(newest))
            if job.run_seconds is not None
        ]

    @retried
    async def used(self, since: datetime, limit: int) -> Sequence[Used]:
        took = select(JOB.c.account_id, JOB.c.run_seconds, JOB.c.ended_at).where(
            JOB.c.state == State.SUCCEEDED, JOB.c.ended_at >= since, JOB.c.run_seconds.is_not(None)
        )
        async with self.database.reading() as session:
            rows = await session.execute(took.order_by(JOB.c.number.desc()).limit(limit))
            return [Used(*row) for row in rows]

    # The arrows

    async def claim(self, job_id: str, now: datetime) -> Job | None:
        return await self.passed(CLAIM, job_id, new_id(), {"now": now})

    async def requeue(self, job_id: str, attempt: int, *, lost: bool) -> Job | None:
        """A job whose cancelling was asked for is cancelled instead."""
        said = {"now": self._clock(), "lost": int(lost)}
        return await self._leave(REQUEUE, "requeue", job_id, attempt, said)

    async def finish(
        self,
        job_id: str,
        attempt: int,
        clip: Clip,
        run_seconds: float,
        now: datetime,
        hashes: Sequence[str] = (),
    ) -> Job | None:
        kept = clip_values(clip, self._clips)
        said = {"now": now, "kept": kept, "until": clip.expires_at, "took": run_seconds}

        async def remember(session: Transaction) -> None:
            await session.execute(put(session, SIGHT), [{"job_id": job_id, "hashes": [*hashes]}])

        also = remember if hashes else None
        return await self._leave(FINISH, "finish", job_id, attempt, said, also)

    async def refuse(
        self, job_id: str, attempt: int, findings: Sequence[Finding], now: datetime
    ) -> Job | None:
        clause = Verdict(tuple(findings)).clause
        said = {"now": now, "by_clause": clause, "found": findings_values(findings)}
        return await self._leave(REFUSE, "refuse", job_id, attempt, said)

    async def fail(
        self, job_id: str, attempt: int, failure: str, reference: str, now: datetime
    ) -> Job | None:
        said = {"now": now, "why": failure, "found_by": reference}
        return await self._leave(FAIL, "fail", job_id, attempt, said)

    async def cancel(self, job_id: str, now: datetime) -> Job | None:
        """A cancelled job's card hears of it through the outbox too: somebody else may see it."""
        return await self.passed(CANCEL, job_id, new_id(), {"now": now})

    async def stopped(self, job_id: str, attempt: int, now: datetime) -> Job | None:
        return await self._leave(STOPPED, "stopped", job_id, attempt, {"now": now})

    # Beside the arrows

    @retried
    async def progress(self, job_id: str, attempt: int, stage: str, step: int, steps: int) -> bool:
        async with self.database.changing() as session:
            number = await session.scalar(
                update(JOB)
                .where(THIS, FENCED)
                .values(stage=stage, step=step, steps=steps)
                .returning(JOB.c.number),
                {"this": job_id, "held_by": attempt},
            )
        return number is not None

    @retried
    async def delete(self, job_id: str) -> None:
        """Raises WrongState for an unfinished job; nothing for an unknown one."""
        async with self.database.writing() as session:
            await blot_out(session, col(JobRow.id) == job_id, self._clock())

    @retried
    async def expire(self, job_id: str) -> None:
        async with self.database.writing() as session:
            await session.execute(
                update(JobRow)
                .where(col(JobRow.id) == job_id)
                .values(clip=None, clip_expires_at=None)
                .execution_options(synchronize_session=False)
            )

    # Inside

    async def _leave(
        self,
        arrow: Update,
        name: str,
        job_id: str,
        attempt: int,
        said: dict[str, Any],
        also: Also | None = None,
    ) -> Job | None:
        """An arrow out of an attempt. Its receipt can be known again, so that a caller who was
        told that the database does not answer may repeat it, and finds what it did."""
        held_by = {"held_by": attempt, **said}
        return await self.passed(arrow, job_id, f"{name}:{attempt}", held_by, also)

    @retried
    async def passed(
        self,
        arrow: Update,
        job_id: str,
        receipt: str,
        said: dict[str, Any],
        also: Also | None = None,
    ) -> Job | None:
        """One arrow. A repeat after an acknowledgement was lost finds its own receipt."""
        this = {"this": job_id, "by": receipt}
        async with self.database.changing() as session:
            passed = await session.execute(arrow, {**this, **said})
            if (row := passed.one_or_none()) is not None:
                job = self.job_of(row)
                if job.state.ended:
                    if (charged := due(job)) != job.charged:
                        job = replace(job, charged=charged)
                        await session.execute(_CHARGE, [{"this": job.id, "due": charged}])
                    await conclude(session, job)
                if also is not None:
                    await also(session)
                return job
            row = (await session.execute(PASSED, this)).one_or_none()
            return self.job_of(row) if row else None

    def _first(self, same: Sequence[Row[Any]], fingerprint: str) -> Job | None:
        """same: the job that is there already, if there is one. Raises WrongState where it was
        asked for in other words."""
        if not same:
            return None
        (row,) = same
        if row.fingerprint != fingerprint:
            raise WrongState("That Idempotency-Key was used for another request.")
        return self.job_of(row)

    def job_of(self, row: JobRow | Row[Any]) -> Job:
        return job_of(row, self._clips)

    async def _jobs(self, query: Select[Any], given: Mapping[str, Any] | None = None) -> list[Job]:
        return [self.job_of(row) for row in await self.database.ask(query, given)]


def lineage(job_id: str) -> Select[Any]:
    """The ids of a job and of those that were made from it, `LINEAGE_MOST` at most."""
    first = select(JOB.c.id).where(JOB.c.id == job_id).cte("made", recursive=True)
    made = first.union(select(JOB.c.id).join(first, JOB.c.parent == first.c.id))
    return select(made.c.id).limit(LINEAGE_MOST)


async def call_off(
    session: AsyncSession, meant: ColumnElement[bool], now: datetime
) -> Sequence[JobRow]:
    """Unfinished → cancelled, free for whoever asked for it. An attempt that runs holds the job no
    more, and whatever comes of it changes nothing."""
    rows = await session.scalars(
        update(JobRow)
        .where(meant, col(JobRow.state).in_(UNFINISHED))
        .values(state=State.CANCELLED, ended_at=now, charged=0, receipt=new_id())
        .returning(JobRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    found = rows.all()
    await ledger.lock_payers(session, [row.id for row in found])
    for row in found:
        await conclude(session, row)
    return found


async def blot_out(session: AsyncSession, meant: ColumnElement[bool], now: datetime) -> bool:
    """Take everything out of an ended job but what it cost; its card will hear of it. False: there
    is none. Raises WrongState for an unfinished one."""
    row = await session.scalar(select(JobRow).where(meant).with_for_update())
    if row is None:
        return False
    if not State(row.state).ended:
        raise WrongState("Only an ended clip can be deleted: cancel it first.")
    blank(row)
    row.clip = None
    row.clip_expires_at = None
    await session.execute(delete(SIGHT).where(SIGHT.c.job_id == row.id))
    await session.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.job_id) == row.id)
        .values(state="pending", due_at=now)
        .execution_options(synchronize_session=False)
    )
    return True


def blank(row: JobRow) -> None:
    """Take out of an ended job what somebody wrote and showed, and what was found and said of it;
    it counts as deleted."""
    whole = Request.from_dict(row.request)
    row.request = replace(
        whole, prompt="", negative_prompt="", picture=None, last_picture=None, notes=()
    ).as_dict()
    row.picture = row.last_picture = row.findings = None
    row.plea = ""
    if row.state == State.REFUSED:
        row.failure = None  # a moderator's words
    row.deleted = True


def _in(state: State) -> Select[Any]:
    return select(JOB).where(JOB.c.state == state)


def _same(account_id: int, job_id: str, key: str | None) -> dict[str, Any]:
    """What `_SAME` is asked with: the job that has this id, whosever it is since accounts were
    joined, or that was asked for by this key."""
    return {"whose": account_id, "this": job_id, "key": key}
