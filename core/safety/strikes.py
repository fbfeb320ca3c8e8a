"""Strikes: refusals by somebody's own doing. Many in a short time are followed by a cool-down, and
all of them fade. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.safety.verdict import Clause

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Strike:
    """job_id: what was refused. lifted: a moderator overturned it, so that it counts no more.
    appealed: a moderator is asked about it now, so that it doesn't count meanwhile."""

    job_id: str
    clause: Clause
    at: datetime
    lifted: bool = False
    appealed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """So many strikes within a time are followed by a pause."""

    strikes: int
    within: timedelta
    pause: timedelta


@dataclass(frozen=True, slots=True)
class CoolDown:
    """until: nothing is taken from them before. strikes: how many led to it, by which step."""

    until: datetime
    strikes: int
    step: Step


@dataclass(frozen=True, slots=True)
class Patience:
    """fade: after which a strike is forgotten. steps: () for no cool-downs at all."""

    fade: timedelta = 30 * DAY
    steps: tuple[Step, ...] = (
        Step(3, DAY, timedelta(hours=1)),
        Step(5, DAY, DAY),
        Step(10, 30 * DAY, 7 * DAY),
    )


def is_strike(clause: Clause) -> bool:
    """Whether a refusal by that clause is the doing of who asked: nobody can know what was taken
    down before."""
    return clause not in (Clause.UNCHECKED, Clause.CONSENT, Clause.BLOCKED)


def counting(strikes: Sequence[Strike], now: datetime, patience: Patience) -> Sequence[Strike]:
    """Those that are neither lifted, nor appealed, nor faded, the oldest first."""
    left = (one for one in strikes if not one.lifted and not one.appealed)
    fresh = (one for one in left if one.at > now - patience.fade)
    return sorted(fresh, key=lambda one: one.at)


def cool_down(strikes: Sequence[Strike], now: datetime, patience: Patience) -> CoolDown | None:
    """The one that ends last; None where they may ask."""
    moments = [one.at for one in counting(strikes, now, patience)]
    found = [
        CoolDown(moment + step.pause, count, step)
        for step in patience.steps
        for index, moment in enumerate(moments)
        if (count := sum(moment - step.within < other for other in moments[: index + 1]))
        >= step.strikes
    ]
    running = (one for one in found if one.until > now)
    return max(running, key=lambda one: one.until, default=None)
