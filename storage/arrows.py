"""The arrows between the states of a job, as statements, and what follows where one was passed.

Every arrow is one guarded UPDATE, which gives the job as it is then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Update,
    and_,
    bindparam,
    case,
    false,
    func,
    null,
    or_,
    select,
    true,
    update,
)
from sqlmodel import col

from core import places
from core.errors import NotEnoughCredits, Refused
from core.job import Asks, Job, State
from core.lanes import Lane
from core.restraints import Allowance, Means
from core.safety.verdict import Clause
from core.treasury import Share
from storage import ledger
from storage.columns import Instant
from storage.database import Transaction, put_by
from storage.lineage import asked_by
from storage.tables import DELIVERY, JOB, JobRow

UNFINISHED = (State.QUOTED, State.HELD, State.QUEUED, State.RUNNING)

NOW = bindparam("now", type_=Instant)
UNWANTED = JOB.c.cancel_requested
RUNNING = JOB.c.state == State.RUNNING
WAITING = JOB.c.state == State.QUEUED
THIS = JOB.c.id == bindparam("this")
FENCED = and_(RUNNING, JOB.c.attempt == bindparam("held_by"))
"""The fence: the job is running, and it is this attempt that runs it."""
UNBEGUN: dict[str, Any] = {"stage": "", "step": 0, "steps": 0}


def arrow(guard: ColumnElement[bool], **values: Any) -> Update:
    """this, by: the job, and the receipt of whoever passes."""
    passing = update(JOB).where(THIS, guard).values(**values, receipt=bindparam("by"))
    return passing.returning(JOB)


CLAIM = arrow(
    WAITING,
    **UNBEGUN,
    state=State.RUNNING,
    attempt=JOB.c.attempt + 1,
    started_at=NOW,
)
REQUEUE = arrow(
    FENCED,
    **UNBEGUN,
    started_at=None,
    state=case((UNWANTED, State.CANCELLED), else_=State.QUEUED),
    ended_at=case((UNWANTED, NOW), else_=None),
    losses=JOB.c.losses + bindparam("lost"),
)
FINISH = arrow(
    FENCED,
    state=case((UNWANTED, State.CANCELLED), else_=State.SUCCEEDED),
    ended_at=NOW,
    run_seconds=bindparam("took"),
    clip=case((UNWANTED, null()), else_=bindparam("kept", type_=JSON)),
    clip_expires_at=case((UNWANTED, None), else_=bindparam("until", type_=Instant)),
    charged=case((UNWANTED, 0), else_=JOB.c.credits),
)
FAIL = arrow(
    FENCED,
    state=State.FAILED,
    ended_at=NOW,
    failure=bindparam("why"),
    reference=bindparam("found_by"),
)
CANCEL = arrow(
    JOB.c.state.in_(UNFINISHED),
    state=case((RUNNING, State.RUNNING), else_=State.CANCELLED),
    ended_at=case((RUNNING, None), else_=NOW),
    cancel_requested=case((RUNNING, True), else_=UNWANTED),
)
ACCEPT = arrow(
    JOB.c.state == State.QUOTED,
    state=State.QUEUED,
    credits=bindparam("price_held"),
    lane=bindparam("in_lane"),
    created_at=NOW,
    purse=null(),
    clause=None,
    asks=None,
)
STOPPED = arrow(FENCED, state=State.CANCELLED, ended_at=NOW)
REFUSE = arrow(
    FENCED,
    state=State.REFUSED,
    ended_at=NOW,
    clause=bindparam("by_clause"),
    findings=bindparam("found", type_=JSON),
)
APPEAL = arrow(
    and_(JOB.c.state == State.REFUSED, JOB.c.appealed == false(), JOB.c.deleted == false()),
    **UNBEGUN,
    state=State.HELD,
    appealed=true(),
    plea=bindparam("words"),
    held_at=NOW,
    decide_by=bindparam("until", type_=Instant),
    credits=0,
    started_at=None,
    ended_at=None,
    failure=None,
    cancel_requested=false(),
)
HELD = JOB.c.state == State.HELD
EXPLAIN = arrow(and_(HELD, JOB.c.appealed == true(), JOB.c.plea == ""), plea=bindparam("words"))
ASKED = and_(HELD, JOB.c.asks == Asks.SUBJECT)
UNDECIDED = and_(HELD, or_(JOB.c.asks.is_(None), JOB.c.asks != Asks.SUBJECT))
_DENIED: dict[str, Any] = {
    "state": State.REFUSED, "ended_at": NOW, "failure": bindparam("why"), "appealed": true(),
}  # fmt: skip
DENY = arrow(UNDECIDED, **_DENIED)
"""By a moderator, which is not for those to decide about whose word it waits."""

LAPSE = arrow(and_(HELD, JOB.c.decide_by <= NOW), **_DENIED)
DISAGREE = arrow(ASKED, **_DENIED)
PASS_ON = arrow(
    ASKED,
    clause=bindparam("by_clause"),
    asks=None,
    held_at=NOW,
    decide_by=bindparam("until", type_=Instant),
)
"""Whom it shows agreed, and now it waits for a moderator."""

_ADMITTED: dict[str, Any] = {
    "created_at": NOW, "held_at": None, "decide_by": None,
    "cleared": bindparam("clear"),
}  # fmt: skip
_ADMIT = arrow(
    HELD, **_ADMITTED, state=State.QUEUED, credits=bindparam("price_held"), clause=None, asks=None
)
_OFFER = arrow(
    HELD,
    **_ADMITTED,
    state=State.QUOTED,
    clause=bindparam("by_clause"),
    asks=bindparam("asking"),
    purse=bindparam("has", type_=JSON(none_as_null=True)),
)
PASSED = select(JOB).where(THIS, JOB.c.receipt == bindparam("by"))
ONE = select(JOB).where(THIS)


async def admit(
    session: Transaction, job: Job, means: Means, receipt: str, now: datetime, *, cleared: bool
) -> Any:
    """A held job → queued, and paid; → quoted where its account can't, asked for its price alone,
    or has yet to say that it may use the picture. Its row, or None where it is held no more."""
    assert job.price is not None
    said = {"this": job.id, "by": receipt, "now": now, "clear": cleared}
    if job.asks is Asks.SENDER:
        said |= {"by_clause": Clause.CONSENT, "asking": job.asks, "has": None}
        return (await session.execute(_OFFER, said)).one_or_none()
    credits = 0 if job.lane is Lane.RELAXED else job.price.credits
    await ledger.lock(session, *_payers(job, means))
    if job.purse is None and await _pays(session, job, credits, means, now):
        return (await session.execute(_ADMIT, {**said, "price_held": credits})).one_or_none()
    has = (await ledger.wallet(session, job.account_id)).available
    if job.purse is None:  # the account's own is not all that it could not pay with
        has = min(has, max(0, credits - 1))
    said |= {"by_clause": None, "asking": None, "has": {"available": has, "tomorrow": 0}}
    return (await session.execute(_OFFER, said)).one_or_none()


async def hold(
    session: Transaction, job: Job, now: datetime, share: Share | None, allowance: Allowance | None
) -> None:
    """What a job needs to be queued, which is written down already. Raises as `Jobs.submit`."""
    await ledger.hold(session, job.account_id, job.id, job.credits, now, share)
    if allowance is not None:  # now that its account is locked
        await _check_within(session, job, allowance)


async def conclude(session: Transaction, job: Job | JobRow) -> None:
    """What every end has: the hold is settled, and the card will hear of it. One that was refused,
    and appealed, comes to a second end."""
    assert job.ended_at is not None
    delivery = {
        "job_id": job.id, "place": job.place, "chat": places.chat(job.place), "state": "pending",
        "tries": 0, "due_at": job.ended_at, "receipt": None,
    }  # fmt: skip
    await session.execute(put_by(session, DELIVERY, "job_id"), [delivery])
    await ledger.settle(session, job.id, job.credits, job.charged, job.ended_at)


async def spent(session: Transaction, account_id: int, server: str, since: datetime) -> int:
    """What an account's jobs of a server, from `since` on, cost or may cost yet."""
    ended = col(JobRow.state).not_in(UNFINISHED)
    price = case((ended, col(JobRow.charged)), else_=col(JobRow.credits))
    total = await session.scalar(
        select(func.coalesce(func.sum(price), 0)).where(
            asked_by(account_id),
            col(JobRow.server) == server,
            col(JobRow.created_at) >= since,
        )
    )
    return int(total or 0)


async def _pays(session: Transaction, job: Job, credits: int, means: Means, now: datetime) -> bool:
    """Whether a job could be held for, which it then is. Of locked accounts."""
    allowance = means.allowance
    if allowance is not None:
        whole = await spent(session, job.account_id, allowance.server, allowance.since)
        if whole + credits > allowance.credits:
            return False
    try:
        await ledger.hold(session, job.account_id, job.id, credits, now, means.share, again=True)
    except NotEnoughCredits:  # before anything was entered
        return False
    return True


def _payers(job: Job, means: Means) -> list[int]:
    return sorted({job.account_id, *([means.share.account_id] if means.share else [])})


async def _check_within(session: Transaction, job: Job, allowance: Allowance) -> None:
    """Raises Refused where the job, which is written down already, is too much."""
    whole = await spent(session, job.account_id, allowance.server, allowance.since)
    if whole > allowance.credits:
        raise Refused(
            f"Here you may spend {allowance.credits} a day, in credits: {whole - job.credits} are "
            f"spent, and this costs {job.credits}. A moderator set that."
        )
