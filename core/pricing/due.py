"""What an ended job costs: its price for a clip, what was used of it where it was cancelled midway,
and nothing else."""

from __future__ import annotations

from core.engine import Stage
from core.job import Job, State


def due(job: Job) -> int:
    """Credits to take of those that were held for an ended job.

    A cancelled one pays for the share of its steps that were done, rounded down: nothing before
    the first, everything once only the file was left to write, or to be checked.
    """
    if job.state is State.SUCCEEDED:
        return job.credits
    if job.state is not State.CANCELLED:
        return 0
    if job.stage in (Stage.ENCODING, Stage.CHECKING):
        return job.credits
    return job.credits * min(job.step, job.steps) // job.steps if job.steps > 0 else 0
