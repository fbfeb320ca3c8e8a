"""What a second of a model's clips costs, from what those of late took.

A base holds for a local day. It is the median of the newest clips that ended before that day
began, so whoever asks, and whenever Kinora was started, it is the same. For the first hour of a day
the lower one of both days counts: nobody pays more than what they were shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from statistics import median

from core.catalog import Model
from core.days import beginning, day_of
from core.ports import Jobs, Measured

ENOUGH = 3
"""Measured clips of a model from which its base is known."""

MEASURED = 40
"""Clips that count, for each model, however seldom it is asked for."""

SHOWN_FOR = timedelta(hours=1)
"""How long a price of yesterday still holds, where it is the lower one."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """What an operator decides. gpu_seconds: measured seconds that a credit stands for.
    fixed: bases by model, whatever was measured."""

    gpu_seconds: float = 4.0
    fixed: Mapping[str, float] = field(default_factory=dict)


class Bases:
    """Credits for a second at 720p. `renew` it at the start and every few minutes."""

    def __init__(
        self, catalogue: Sequence[Model], tariff: Tariff | None = None, zone: tzinfo = UTC
    ) -> None:
        self._catalogue = catalogue
        self._tariff = tariff or Tariff()
        self._zone = zone
        self._days: dict[date, Mapping[str, float]] = {}

    async def renew(self, jobs: Jobs, now: datetime) -> None:
        """Learn the bases of today, and of the day before."""
        today = day_of(now, self._zone)
        days = (today - timedelta(days=1), today)
        known = {day: self._days[day] for day in days if day in self._days}
        for day in days:
            if day not in known:
                began = beginning(day, self._zone)
                names = [model.name for model in self._catalogue]
                took = {name: await jobs.measured(MEASURED, began, name) for name in names}
                known[day] = {name: _middle(each) for name, each in took.items()}
        self._days = known

    def of(self, model: Model, now: datetime) -> float:
        """What holds now; the model's own where nothing is known."""
        if model.name in self._tariff.fixed:
            return self._tariff.fixed[model.name]
        today = day_of(now, self._zone)
        fresh = now - beginning(today, self._zone) < SHOWN_FOR
        days = (today - timedelta(days=1), today) if fresh else (today,)
        known = [self._days[day] for day in days if day in self._days]
        known = known or list(self._days.values())[-1:]
        return min(
            (self._base(model, seconds) for seconds in known), default=model.credits_per_second
        )

    def _base(self, model: Model, seconds: Mapping[str, float]) -> float:
        measured = seconds.get(model.name, 0.0) / self._tariff.gpu_seconds
        return max(model.credits_per_second, float(f"{measured:.2g}"))


def _middle(measured: Sequence[Measured]) -> float:
    """Seconds that a second of 720p took; 0.0 where too little is known."""
    took = [one.seconds / one.priced_seconds for one in measured if one.priced_seconds > 0]
    return median(took) if len(took) >= ENOUGH else 0.0
