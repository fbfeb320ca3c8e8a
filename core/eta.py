"""How long things take: measured seconds per model and shape, given as a range.

Before a model has been measured its catalogue entry's guess serves, with a wide range.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.catalog import Model
from core.ports import Measured
from core.request import Request

REMEMBERED = 40
"""Measurements kept for each model: old ones say little about today's load."""

_SAME_SHAPE = 1.15
_GUESS = (0.4, 3.0)
_SLACK = (0.8, 1.25)
_TELLING = 0.15
"""The share of a job's steps from which its pace is known."""

_HANDLING_SECONDS = 0.2
"""From the clip's last frame to its card, and from one job to the next."""


@dataclass(frozen=True, slots=True)
class Range:
    """Seconds, from low to high."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def less(self, seconds: float) -> Range:
        """What is left after `seconds` have passed, never below zero."""
        return Range(max(0.0, self.low - seconds), max(0.0, self.high - seconds))


NOTHING = Range(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a job is drawn: the first step that was told and the newest, and when they were, in
    seconds of one clock. What came before the first, such as a model that was loaded, says
    nothing."""

    steps: int
    first: int
    first_at: float
    step: int
    step_at: float

    @classmethod
    def begun(cls, step: int, steps: int, at: float) -> Pace:
        return cls(steps, step, at, step, at)

    def told(self, step: int, steps: int, at: float) -> Pace:
        """The pace once another step is told."""
        if steps != self.steps or step < self.step:
            return Pace.begun(step, steps, at)
        return self if step == self.step else replace(self, step=step, step_at=at)

    def left(self, now: float) -> float | None:
        """Seconds to the last step; None while too few are done to tell. A step that takes longer
        than those before it is taken for what the rest will take."""
        done = self.step - self.first
        if done <= 0 or done / self.steps < _TELLING:
            return None
        since = now - self.step_at
        each = max((self.step_at - self.first_at) / done, since)
        return max(0.0, each * (self.steps - self.step) - since)


def work(request: Request) -> float:
    """Millions of pixels drawn, times the steps that each takes."""
    return request.megapixel_frames * request.num_inference_steps


class Estimator:
    """Learns from what finished jobs took."""

    def __init__(self, catalogue: Sequence[Model], measured: Iterable[Measured] = ()) -> None:
        self._models: Mapping[str, Model] = {model.name: model for model in catalogue}
        self._measured: defaultdict[str, deque[Measured]] = defaultdict(
            lambda: deque(maxlen=REMEMBERED)
        )
        for one in measured:
            self.observe(one)

    def observe(self, one: Measured) -> None:
        self._measured[one.model].append(one)

    def estimate(self, request: Request) -> Range:
        """Seconds from start to clip: the inner 80 % of like jobs, with some slack."""
        amount = work(request)
        known = self._measured.get(request.model, ())
        like = [
            one.seconds for one in known if amount / _SAME_SHAPE <= one.work <= amount * _SAME_SHAPE
        ]
        if len(like) >= 3:
            return _spread(like)
        guess = self._guess(request.model, amount)
        ratios = [one.seconds / self._guess(one.model, one.work) for one in known]
        if not ratios:
            return Range(guess * _GUESS[0], guess * _GUESS[1])
        scaled = _spread(ratios)
        return Range(scaled.low * guess * 0.8, scaled.high * guess * 1.25)

    def _guess(self, name: str, amount: float) -> float:
        model = self._models.get(name)
        return model.cost.fixed + model.cost.per_megapixel_frame * amount if model else 60.0


def remaining(estimate: Range, drawn: float, pace: Pace | None, now: float) -> Range:
    """What is left of a running job, from its estimate and, once it has come some way, its pace.

    drawn: seconds since its model was there; 0 while it is loaded. now: by the pace's clock.
    """
    left = pace.left(now) if pace else None
    if left is not None:
        return Range(left * _SLACK[0], left * _SLACK[1] + 0.5)
    rest = estimate.less(drawn)
    return Range(rest.low, max(rest.high, estimate.high * 0.1))


def span(seconds: Range) -> str:
    """A range of seconds in words: "5–8 s", "1–2 min", "50 s–2 min", "under 3 s", "a moment"."""
    high, unit = _rounded(seconds.high)
    if not high:
        return "a moment"
    low, low_unit = _rounded(min(seconds.low, seconds.high))
    if (low, low_unit) == (high, unit):
        return f"{high} {unit}"
    if not low:
        return f"under {high} {unit}"
    return f"{low}–{high} {unit}" if low_unit == unit else f"{low} {low_unit}–{high} {unit}"


def _rounded(seconds: float) -> tuple[int, str]:
    """A number that a person would say, and its unit."""
    if seconds < 10:
        return round(seconds), "s"
    if seconds < 90:
        return 5 * round(seconds / 5), "s"
    if seconds < 90 * 60:
        return max(2, round(seconds / 60)), "min"
    return max(2, round(seconds / 3600)), "h"


def _spread(values: Sequence[float]) -> Range:
    ordered = sorted(values)
    last = len(ordered) - 1
    return Range(
        ordered[round(last * 0.1)] * _SLACK[0],
        ordered[round(last * 0.9)] * _SLACK[1] + _HANDLING_SECONDS,
    )
