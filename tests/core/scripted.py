"""An engine that does what a test tells it, at the far edge of the dispatcher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from core.engine import EngineEvent, Failed, Lost, Progressed, Rendered, Spec, Stage, Stopped


class ScriptedEngine:
    """One slot. `started` gives each submitted attempt; the test says what becomes of it."""

    def __init__(self) -> None:
        self.started: asyncio.Queue[tuple[str, int, Spec]] = asyncio.Queue()
        self.asked_to_stop: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        self._events: asyncio.Queue[EngineEvent] = asyncio.Queue()
        self._running: tuple[str, int] | None = None
        self._sequence = 0

    def free_slots(self) -> int:
        return int(self._running is None)

    async def submit(self, job_id: str, attempt: int, spec: Spec) -> None:
        self._running = (job_id, attempt)
        self.started.put_nowait((job_id, attempt, spec))

    async def cancel(self, job_id: str, attempt: int) -> None:
        self.asked_to_stop.put_nowait((job_id, attempt))

    async def events(self) -> AsyncIterator[EngineEvent]:
        while True:
            yield await self._events.get()

    async def next(self) -> tuple[str, int, Spec]:
        async with asyncio.timeout(60):
            return await self.started.get()

    def progress(self, job_id: str, attempt: int, step: int, steps: int) -> None:
        self._say(Progressed(job_id, attempt, self._next(), Stage.RENDERING, step, steps))

    def enter(self, job_id: str, attempt: int, stage: Stage) -> None:
        self._say(Progressed(job_id, attempt, self._next(), stage))

    def render(self, job_id: str, attempt: int, spec: Spec, seconds: float = 1.0) -> None:
        """Leave files behind as a runner does."""
        video, poster = spec.folder / "clip.mp4", spec.folder / "poster.jpg"
        for path in (video, poster):
            Path(path).write_bytes(b"a clip")
        request = spec.request
        self._end(
            Rendered(
                job_id, attempt, self._next(), video, poster, request.width, request.height,
                request.num_frames, request.frame_rate, seconds,
            )
        )  # fmt: skip

    def lose(self, job_id: str, attempt: int) -> None:
        self._end(Lost(job_id, attempt, self._next(), "killed"))

    def fail(self, job_id: str, attempt: int) -> None:
        self._end(Failed(job_id, attempt, self._next(), "It did not fit.", "ref12345"))

    def stop(self, job_id: str, attempt: int) -> None:
        self._end(Stopped(job_id, attempt, self._next()))

    def _end(self, event: EngineEvent) -> None:
        if self._running == (event.job_id, event.attempt):
            self._running = None
        self._say(event)

    def _say(self, event: EngineEvent) -> None:
        self._events.put_nowait(event)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence
