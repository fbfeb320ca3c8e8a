"""How much was asked for and drawn over time: what a console plots.

Told in quarters of an hour, of which the days of every zone are made.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Protocol

from core.days import beginning, day_of
from core.moderation import EVERYWHERE

QUARTER_SECONDS = 900
SLICES_MOST = 200_000
"""Of quarters of an hour by models or servers, in a month."""


class Over(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class By(StrEnum):
    MODEL = "model"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Totals:
    """Of jobs that were asked for in some time. gpu_seconds: that they were drawn for; credits:
    that were paid; started, waited: how many were begun, and the seconds until then, summed.
    refused: how many of them the gates or a moderator did, and how
    many more were not taken: for lack of credits, a limit, a pause."""

    jobs: int = 0
    gpu_seconds: float = 0.0
    credits: int = 0
    started: int = 0
    waited: float = 0.0
    refused: int = 0

    def __add__(self, other: Totals) -> Totals:
        names = [one.name for one in fields(self)]
        return Totals(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def wait(self) -> float:
        """Seconds, on average."""
        return self.waited / self.started if self.started else 0.0


@dataclass(frozen=True, slots=True)
class Slice:
    """One quarter of an hour, of one model or server."""

    at: datetime
    key: str
    used: Totals


class Usage(Protocol):
    async def slices(self, since: datetime, by: By, server: str = EVERYWHERE) -> Sequence[Slice]:
        """Of jobs that were asked for from `since` on."""
        ...

    async def refused(self, server: str, model: str, why: str) -> None:
        """Count one that was not taken. model: "" where none was named."""
        ...


def spans(over: Over, now: datetime, zone: tzinfo) -> Sequence[datetime]:
    """Where each span begins, oldest first, and the end of the last: the last 24 hours, 7 local
    days, or 30."""
    if over is Over.DAY:
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return [hour + timedelta(hours=number) for number in range(-23, 2)]
    today: date = day_of(now, zone)
    days = 7 if over is Over.WEEK else 30
    return [beginning(today + timedelta(days=number), zone) for number in range(1 - days, 2)]


def gathered(slices: Iterable[Slice], starts: Sequence[datetime]) -> Mapping[str, Sequence[Totals]]:
    """For each key, what was used in each span; the key with most jobs first."""
    found: dict[str, list[Totals]] = defaultdict(lambda: [Totals()] * (len(starts) - 1))
    for one in slices:
        number = bisect_right(starts, one.at) - 1
        if 0 <= number < len(starts) - 1:
            found[one.key][number] += one.used
    most = sorted(found, key=lambda key: (-sum(used.jobs for used in found[key]), key))
    return {key: found[key] for key in most}
