"""An attempt that the engine has: how far it is, and how long it may take yet. What can be said of
one to people."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.engine import Progressed, Stage
from core.eta import Pace, Range, remaining
from core.fairness import Waiting
from core.job import Job


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be said of an unfinished job. position counts from 1; 0 once it runs.

    paused: why it waits, in a sentence; the rest is as it would be if it did not.
    """

    position: int
    ahead: int
    starts_in: Range
    left: Range
    stage: str = ""
    step: int = 0
    steps: int = 0
    preview_number: int = 0
    paused: str = ""


@dataclass(frozen=True, slots=True)
class Flight:
    """Times are of the event loop.

    stage: None until the engine tells one. drawing: since when its model is there, where it had to
    be loaded; else as `began`.
    """

    job: Job
    waiting: Waiting
    estimate: Range
    began: float
    drawing: float
    stage: Stage | None = None
    step: int = 0
    steps: int = 0
    pace: Pace | None = None
    sequence: int = -1
    noted: float = 0.0
    preview: bytes | None = None
    preview_number: int = 0

    def left(self, now: float) -> Range:
        """How long it may take yet, beside the loading of its model."""
        drawn = 0.0 if self.stage is Stage.LOADING else now - self.drawing
        return remaining(self.estimate, drawn, self.pace, now)

    def told(self, event: Progressed, now: float) -> Flight:
        """The flight once the engine told of progress."""
        loading = Stage.LOADING in (self.stage, event.stage)
        pace = self.pace
        if event.steps:
            fresh = Pace.begun(event.step, event.steps, now)
            pace = pace.told(event.step, event.steps, now) if pace else fresh
        return replace(
            self,
            drawing=now if loading else self.drawing,
            stage=event.stage,
            step=event.step,
            steps=event.steps,
            pace=pace,
            sequence=event.sequence,
        )

    def showing(self, preview: bytes) -> Flight:
        """The flight once a preview may be shown."""
        return replace(self, preview=preview, preview_number=self.preview_number + 1)

    def rendered(self, sequence: int) -> Flight:
        """The flight once the engine is done, and what it made is looked at."""
        return replace(self, stage=Stage.CHECKING, step=0, steps=0, pace=None, sequence=sequence)
