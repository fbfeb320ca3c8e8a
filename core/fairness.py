"""Who is next: start-time fair queuing over GPU-seconds.

Each account is a flow. A job's start tag is the later of the virtual time and its account's last
finish tag; the job with the least start tag is served, and its account's finish tag moves on by
cost / weight. (Goyal, Vin, Cheng: Start-time Fair Queueing, SIGCOMM 1996.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace


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


@dataclass(frozen=True, slots=True)
class Tags:
    """The state of the queue: the virtual time, and the last finish tag of each account."""

    virtual_time: float = 0.0
    finish: Mapping[int, float] = field(default_factory=dict)

    def start(self, account_id: int) -> float:
        return max(self.virtual_time, self.finish.get(account_id, 0.0))


def choose(tags: Tags, waiting: Sequence[Waiting]) -> Waiting:
    """The job to serve next; an account's own jobs keep their order."""
    return min(waiting, key=lambda job: (job.shift, tags.start(job.account_id), job.order))


def serve(tags: Tags, job: Waiting) -> Tags:
    """The tags once `job` has been given its runner."""
    start = tags.start(job.account_id)
    if job.shift:  # it went out of turn, and only its account pays for that
        return replace(tags, finish={**tags.finish, job.account_id: start + job.cost / job.weight})
    behind = {account: tag for account, tag in tags.finish.items() if tag > start}
    return Tags(start, {**behind, job.account_id: start + job.cost / job.weight})


def correct(tags: Tags, job: Waiting, seconds: float) -> Tags:
    """The tags once `job` is known to have taken `seconds`."""
    tag = tags.start(job.account_id) + (seconds - job.cost) / job.weight
    return replace(tags, finish={**tags.finish, job.account_id: tag})


def order(tags: Tags, waiting: Sequence[Waiting]) -> list[Waiting]:
    """Everybody in the order in which they will be served if nobody else comes."""
    ahead: dict[int, list[Waiting]] = {}
    for job in sorted(waiting, key=lambda job: (job.shift, job.order), reverse=True):
        ahead.setdefault(job.account_id, []).append(job)
    served = []
    while ahead:
        job = choose(tags, [jobs[-1] for jobs in ahead.values()])
        tags = serve(tags, job)
        served.append(job)
        ahead[job.account_id].pop()
        if not ahead[job.account_id]:
            del ahead[job.account_id]
    return served
