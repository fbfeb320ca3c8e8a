"""What the core asks of an engine, and what engines tell of attempts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from core.provenance import Label
from core.request import Request


class Stage(StrEnum):
    """Where a running attempt is. LOADING is told where the model was not there, and a first
    RENDERING once it is; these and ENCODING have no steps. CHECKING is not the engine's: what it
    rendered passes the gate."""

    LOADING = "loading"
    RENDERING = "rendering"
    ENCODING = "encoding"
    CHECKING = "checking"


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a runner is told. Paths are absolute.

    picture, last_picture: the first frame and the last. previous: the clip that this one continues.
    folder: an existing empty folder of this attempt, where the runner puts its files.
    word: what the frames say by an invisible mark; label: what they say in letters.
    """

    request: Request
    folder: Path
    picture: Path | None = None
    previous: Path | None = None
    last_picture: Path | None = None
    word: int | None = None
    label: Label | None = None


@dataclass(frozen=True, slots=True)
class Progressed:
    """step of steps done; preview: a small JPEG of how it looks so far."""

    job_id: str
    attempt: int
    sequence: int
    stage: Stage
    step: int = 0
    steps: int = 0
    preview: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """The attempt's clip lies in its folder. run_seconds: from its start to now."""

    job_id: str
    attempt: int
    sequence: int
    video: Path
    poster: Path
    width: int
    height: int
    num_frames: int
    frame_rate: int
    run_seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed by itself and would again.

    sentence: fit to be shown. reference: what an operator finds beside the traceback in the log.
    """

    job_id: str
    attempt: int
    sequence: int
    sentence: str
    reference: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The attempt stopped because `cancel` asked it to."""

    job_id: str
    attempt: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The runner died, or fell silent and was killed; the attempt left nothing behind."""

    job_id: str
    attempt: int
    sequence: int
    why: str


EngineEvent = Progressed | Rendered | Failed | Stopped | Lost


class Engine(Protocol):
    """Executes attempts; knows nothing of accounts or credits."""

    def free_slots(self) -> int:
        """How many attempts it would start at once."""
        ...

    async def submit(self, job_id: str, attempt: int, spec: Spec) -> None:
        """Start an attempt; a repeat of (job_id, attempt) changes nothing."""
        ...

    async def cancel(self, job_id: str, attempt: int) -> None:
        """Ask an attempt to stop. A request: the events say what came of it."""
        ...

    def events(self) -> AsyncIterator[EngineEvent]:
        """What happens to attempts, at least once each; sequence rises within an attempt."""
        ...
