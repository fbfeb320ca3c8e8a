"""A training run that can be stopped and taken up again: its clock, its rate, its checkpoint.

Knows nothing of what is trained. Runs are planned in minutes of work, not in steps, because the
machine may be shared; minutes already spent are kept in the checkpoint.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from model.pocket import parallel

SAVE_EVERY_S: Final = 120.0


@dataclass(slots=True)
class Every:
    """Says once in so many seconds that it is time."""

    seconds: float
    _last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        now = time.monotonic()
        if now - self._last < self.seconds:
            return False
        self._last = now
        return True


@dataclass(slots=True)
class Progress:
    """Where a run stands. `path` is the checkpoint; a line of figures per report goes beside it."""

    path: Path
    minutes: float
    """Work planned in all."""
    step: int = 0
    worked_s: float = 0.0
    """Work done before this start of the process."""
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        return self.worked_s + time.monotonic() - self.started

    @property
    def fraction(self) -> float:
        """Share of the planned work that is done, 0…1."""
        return min(self.elapsed_s / (self.minutes * 60), 1.0)

    def until(self, share: float, kept: Callable[[], Mapping[str, Any]]) -> Iterator[float]:
        """The share of the work that is done, over and over, while it is below `share`.

        All processes hear the same. What `kept` gives is saved now and then, and at the end.
        """
        saving = Every(SAVE_EVERY_S)
        while (fraction := parallel.agreed(self.fraction)) < share:
            yield fraction
            if parallel.rank() == 0 and saving.due():
                self.save(**kept())
        if parallel.rank() == 0:
            self.save(**kept())

    def save(self, **state: Any) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".part")
        torch.save({"step": self.step, "worked_s": self.elapsed_s, **state}, fresh)
        fresh.replace(self.path)

    def resume(
        self, suits: Callable[[Mapping[str, Any]], bool] = lambda state: True
    ) -> dict[str, Any] | None:
        """What `save` kept, or None at a first start.

        None too, and said in the log, where what was kept doesn't suit: the run begins anew.
        """
        if not self.path.exists():
            return None
        state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        if not suits(state):
            self._note({"step": 0, "minutes": 0.0, "anew": "what was kept came of other weights"})
            return None
        self.step, self.worked_s = state.pop("step"), state.pop("worked_s")
        return state

    def log(self, **figures: float) -> None:
        rounded = {name: round(value, 5) for name, value in figures.items()}
        self._note({"step": self.step, "minutes": round(self.elapsed_s / 60, 2), **rounded})

    def _note(self, line: Mapping[str, float | str]) -> None:
        if parallel.rank() != 0:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".jsonl").open("a") as lines:
            lines.write(json.dumps(line) + "\n")
        print(self.path.stem, json.dumps(line), flush=True)
