"""Who is next: start-time fair queuing over GPU-seconds, in lanes.

Each account is a flow. A job's start tag is the later of the virtual time and its account's last
finish tag; the job with the least start tag is served, and its account's finish tag moves on by
cost / weight. (Goyal, Vin, Cheng: Start-time Fair Queueing, SIGCOMM 1996.)

A fast job goes before others with the same tag, and moves its account on by less. Relaxed jobs go
when nobody else waits, those first whose accounts used least lately. Whoever was passed over often
enough for a better lane goes next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heapreplace

from core.lanes import LANES, MOST_PASSED, SHARES, Lane

HALF_LIFE_SECONDS = 2 * 86_400.0
"""After which what was used counts half."""

_FORGOTTEN = 0.5
"""GPU-seconds that are nothing any more."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued job, as fairness sees it. cost: expected GPU-seconds; order: when it arrived.
    shift: as in `core.job.Job`: who was moved is served out of turn."""

    job_id: str
    account_id: int
    order: float
    cost: float
    weight: float = 1.0
    shift: int = 0
    lane: Lane = Lane.STANDARD


@dataclass(frozen=True, slots=True)
class Tags:
    """The state of the queue: the virtual time, and the last finish tag of each account.

    used: recent GPU-seconds of each account, in any lane. passed: how many turns in a row better
    lanes took while somebody waited in that one.
    """

    virtual_time: float = 0.0
    finish: Mapping[int, float] = field(default_factory=dict)
    used: Mapping[int, float] = field(default_factory=dict)
    passed: Mapping[Lane, int] = field(default_factory=dict)

    def start(self, account_id: int) -> float:
        return max(self.virtual_time, self.finish.get(account_id, 0.0))


def choose(tags: Tags, waiting: Sequence[Waiting]) -> Waiting:
    """The job to serve next: of those that were put before the others, if there are such; an
    account's own jobs in one lane keep their order."""
    first = min(job.shift for job in waiting)
    waiting = [job for job in waiting if job.shift == first]
    present = {job.lane for job in waiting}
    for lane in reversed(LANES):
        if lane in present and 0 < MOST_PASSED[lane] <= tags.passed.get(lane, 0):
            present = {lane}
    paid = present - {Lane.RELAXED}
    if paid:
        return min(
            (job for job in waiting if job.lane in paid),
            key=lambda job: (tags.start(job.account_id), LANES.index(job.lane), job.order),
        )
    return min(
        (job for job in waiting if job.lane is Lane.RELAXED),
        key=lambda job: (tags.used.get(job.account_id, 0.0), job.order),
    )


def serve(tags: Tags, job: Waiting, others: Sequence[Waiting] = ()) -> Tags:
    """The tags once `job` has been given its runner. others: who waits on."""
    behind = {other.lane for other in others if LANES.index(other.lane) > LANES.index(job.lane)}
    passed = {lane: count for lane, count in tags.passed.items() if lane is not job.lane}
    passed |= {lane: passed.get(lane, 0) + 1 for lane in behind}
    tags = replace(tags, passed=passed, used=_used(tags, job.account_id, job.cost))
    if job.lane is Lane.RELAXED:
        return tags
    start = tags.start(job.account_id)
    finish = start + job.cost / (job.weight * SHARES[job.lane])
    if job.shift:  # it went out of turn, and only its account pays for that
        return replace(tags, finish={**tags.finish, job.account_id: finish})
    ahead = {account: tag for account, tag in tags.finish.items() if tag > start}
    return replace(tags, virtual_time=start, finish={**ahead, job.account_id: finish})


def correct(tags: Tags, job: Waiting, seconds: float) -> Tags:
    """The tags once `job` is known to have taken `seconds`."""
    more = seconds - job.cost
    tags = replace(tags, used=_used(tags, job.account_id, more))
    if job.lane is Lane.RELAXED:
        return tags
    tag = tags.start(job.account_id) + more / (job.weight * SHARES[job.lane])
    return replace(tags, finish={**tags.finish, job.account_id: tag})


def later(tags: Tags, seconds: float) -> Tags:
    """The tags when so much time has passed: what was used counts less."""
    left = 0.5 ** (seconds / HALF_LIFE_SECONDS)
    used = {account: much * left for account, much in tags.used.items()}
    return replace(tags, used={id_: much for id_, much in used.items() if much > _FORGOTTEN})


def order(tags: Tags, waiting: Sequence[Waiting]) -> list[Waiting]:
    """Everybody in the order in which they will be served if nobody else comes."""
    alike = {(job.shift, job.lane) for job in waiting}
    if alike in ({(0, Lane.STANDARD)}, {(0, Lane.FAST)}):
        return _in_one_lane(tags, waiting)
    ahead: dict[tuple[int, Lane], list[Waiting]] = {}
    for job in sorted(waiting, key=lambda job: (job.shift, job.order), reverse=True):
        ahead.setdefault((job.account_id, job.lane), []).append(job)
    served = []
    while ahead:
        heads = [jobs[-1] for jobs in ahead.values()]
        job = choose(tags, heads)
        own = ahead[job.account_id, job.lane]
        own.pop()
        if not own:
            del ahead[job.account_id, job.lane]
        tags = serve(tags, job, [other for other in heads if other is not job])
        served.append(job)
    return served


def _in_one_lane(tags: Tags, waiting: Sequence[Waiting]) -> list[Waiting]:
    """The same where all wait in one lane, as they mostly do, and none was moved. Whoever is
    served moves the virtual time to their own start tag, which is the least: nobody else's
    changes by it, so that a heap will do."""
    ahead: dict[int, list[Waiting]] = {}
    for job in sorted(waiting, key=lambda job: job.order, reverse=True):
        ahead.setdefault(job.account_id, []).append(job)
    heads = [(tags.start(account), jobs[-1].order, account) for account, jobs in ahead.items()]
    heapify(heads)
    served = []
    while heads:
        start, _, account = heads[0]
        job = ahead[account].pop()
        served.append(job)
        if ahead[account]:
            finish = start + job.cost / (job.weight * SHARES[job.lane])
            heapreplace(heads, (finish, ahead[account][-1].order, account))
        else:
            heappop(heads)
    return served


def _used(tags: Tags, account_id: int, more: float) -> Mapping[int, float]:
    return {**tags.used, account_id: max(0.0, tags.used.get(account_id, 0.0) + more)}
