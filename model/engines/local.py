"""The engine of one machine: a supervised child process that renders, and is replaced when it dies.

Knows nothing of retries: a lost attempt is reported, and whoever submitted it decides.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from core.engine import EngineEvent, Failed, Lost, Progressed, Spec, Stopped
from core.errors import Transient
from core.job import new_id
from core.request import Request
from model.engines import wire

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 10.0
"""Between the death of a runner and the next: doubled each time, until an attempt ends well."""

LOADING_PATIENCE: Final = 4
"""How much longer silence may last while a model is loaded: a library of gigabytes is mapped in one
call, and no other thread runs meanwhile."""

GOODBYE_SECONDS: Final = 2.0
BURIAL_SECONDS: Final = 5.0
MAX_PROGRESS_WAITING: Final = 256
MAX_ENDED_REMEMBERED: Final = 1000

TOO_LONG = "This clip took too long to make."

log = logging.getLogger("kinora.engine")
runner_log = logging.getLogger("kinora.runner")


def generous_seconds(request: Request) -> float:
    """How long an attempt may run before it counts as stuck: an hour, and a minute for each second
    of film."""
    return 3600 + 60 * request.seconds


@dataclass(slots=True)
class Flight:
    """The attempt that the runner has. Times are of `time.monotonic`."""

    job_id: str
    attempt: int
    spec: Spec
    give_up_at: float
    stop_by: float | None = None
    sequence: int = -1

    @property
    def key(self) -> tuple[str, int]:
        return self.job_id, self.attempt


class LocalEngine:
    """`core.engine.Engine` with one runner. Use it as an async context, or start and close it.

    families: where the runner finds its models, as module or module:name.
    warm: a model to load while nobody asks.
    threads: processor threads for a model; None: its choice.
    niceness: how far the runner stands back for the event loop, 0 to 19.
    offline: the runner may not fetch weights from a hub.
    silence_seconds: after how long without a sign of life it is taken for dead.
    cancel_seconds: how long it may take to stop when asked, before it is killed.
    limit_seconds: how long an attempt may run.
    """

    def __init__(
        self,
        *,
        families: str = "model.families",
        warm: str | None = None,
        threads: int | None = None,
        niceness: int = 5,
        offline: bool = True,
        silence_seconds: float = 15.0,
        cancel_seconds: float = 10.0,
        limit_seconds: Callable[[Request], float] = generous_seconds,
    ) -> None:
        self._families = families
        self._warm = warm
        self._threads = threads
        self._niceness = niceness
        self._offline = offline
        self._silence_seconds = silence_seconds
        self._cancel_seconds = cancel_seconds
        self._limit_seconds = limit_seconds
        self._events: asyncio.Queue[EngineEvent | None] = asyncio.Queue()
        self._ended: deque[tuple[str, int]] = deque(maxlen=MAX_ENDED_REMEMBERED)
        self._flight: Flight | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._last_heard = time.monotonic()
        self._loading = False
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._closed = False

    async def start(self) -> None:
        """Start the runner, without waiting until it is up."""
        self._supervisor = asyncio.create_task(self._supervise())

    async def close(self) -> None:
        """End the runner, whatever it does; `events` ends. What it was doing is not reported."""
        self._closed = True
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await process.wait()
        if self._supervisor is not None:
            self._supervisor.cancel()
            with suppress(asyncio.CancelledError):
                await self._supervisor
        self._events.put_nowait(None)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # What an operator may look at

    @property
    def runner_pid(self) -> int | None:
        """The runner's process id; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def alive(self) -> bool:
        """Whether there is a runner that was heard within `silence_seconds`, or loads a model."""
        silence = time.monotonic() - self._last_heard
        return self.runner_pid is not None and silence < self._patience_seconds

    # The port

    def free_slots(self) -> int:
        return int(self._flight is None and self.runner_pid is not None and not self._closed)

    async def submit(self, job_id: str, attempt: int, spec: Spec) -> None:
        """Raises Transient while another attempt runs. Without a runner it waits for the next."""
        key = (job_id, attempt)
        if key in self._ended or (self._flight is not None and self._flight.key == key):
            return
        if self._flight is not None:
            raise Transient("the runner is busy", retry_after=1.0)
        give_up_at = time.monotonic() + self._limit_seconds(spec.request)
        self._flight = Flight(job_id, attempt, spec, give_up_at)
        self._tell(wire.Submit(job_id, attempt, spec))

    async def cancel(self, job_id: str, attempt: int) -> None:
        flight = self._flight
        if flight is None or flight.key != (job_id, attempt) or flight.stop_by is not None:
            return
        if self.runner_pid is None:
            self._end(Stopped(job_id, attempt, flight.sequence + 1))
            return
        flight.stop_by = time.monotonic() + self._cancel_seconds
        self._tell(wire.Cancel(job_id, attempt))

    async def events(self) -> AsyncIterator[EngineEvent]:
        """For one listener. Ends when the engine is closed."""
        while not (self._closed and self._events.empty()):
            event = await self._events.get()
            if event is None:
                return
            yield event

    # Supervision

    async def _supervise(self) -> None:
        while True:
            try:
                why = await self._run()
            except Exception as error:
                log.exception("the runner could not be kept")
                why = f"the runner could not be kept: {type(error).__name__}"
            if self._closed:
                return
            log.warning("%s; the next one in %.1f s", why, self._pause_seconds)
            self._bury(why)
            await asyncio.sleep(self._pause_seconds)
            self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    async def _run(self) -> str:
        """One runner from birth to death; why it ended."""
        process = await asyncio.create_subprocess_exec(
            *self._command(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=wire.MAX_LINE_BYTES,
            start_new_session=True,
            env=self._environment(),
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._last_heard, self._loading = time.monotonic(), False
        forwarding = asyncio.create_task(_forward(process.stderr))
        try:
            if (flight := self._flight) is not None:
                self._tell(wire.Submit(flight.job_id, flight.attempt, flight.spec))
            why = await self._listen(process.stdout)
            return why or await _cause(process)
        finally:
            await _kill(process)
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await forwarding

    async def _listen(self, stdout: asyncio.StreamReader) -> str | None:
        """Pass on what the runner says. Returns why it has to go; None where it went by itself."""
        while True:
            if why := self._overdue():
                return why
            try:
                async with asyncio.timeout(self._silence_seconds):
                    line = await stdout.readline()
                if not line:
                    return None
                report = wire.report(line)
            except TimeoutError:
                continue
            except ValueError:
                return "the runner said something unreadable"
            self._last_heard = time.monotonic()
            if isinstance(report, wire.Beat):
                self._loading = report.loading
            else:
                self._pass_on(report)

    def _pass_on(self, event: EngineEvent) -> None:
        flight = self._flight
        if flight is None or flight.key != (event.job_id, event.attempt):
            return
        flight.sequence = event.sequence
        if isinstance(event, Progressed):
            if self._events.qsize() < MAX_PROGRESS_WAITING:
                self._events.put_nowait(event)
            return
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._end(event)

    def _overdue(self) -> str | None:
        now = time.monotonic()
        flight = self._flight
        if now - self._last_heard >= self._patience_seconds:
            return f"the runner was silent for {now - self._last_heard:.1f} s"
        if flight is not None and flight.stop_by is not None and now >= flight.stop_by:
            return "the runner did not stop when asked"
        if flight is not None and now >= flight.give_up_at:
            return "an attempt took too long"
        return None

    def _bury(self, why: str) -> None:
        """Report the attempt that went down with its runner."""
        flight = self._flight
        if flight is None:
            return
        head = (flight.job_id, flight.attempt, flight.sequence + 1)
        if flight.stop_by is not None:
            self._end(Stopped(*head))
        elif time.monotonic() >= flight.give_up_at:
            reference = new_id()[:8]
            log.error("reference %s, job %s attempt %d: %s", reference, *flight.key, why)
            self._end(Failed(*head, TOO_LONG, reference))
        else:
            self._end(Lost(*head, why))

    def _end(self, event: EngineEvent) -> None:
        self._flight = None
        self._ended.append((event.job_id, event.attempt))
        self._events.put_nowait(event)

    @property
    def _patience_seconds(self) -> float:
        return self._silence_seconds * (LOADING_PATIENCE if self._loading else 1)

    def _tell(self, command: wire.Command) -> None:
        """Without waiting: a line is small, and a runner that reads no more is found out by its
        silence."""
        process = self._process
        if process is None or process.returncode is not None or process.stdin is None:
            return
        if not process.stdin.is_closing():
            process.stdin.write(wire.line(command))

    def _command(self) -> list[str]:
        beat_seconds = min(1.0, self._silence_seconds / 5)
        command = [sys.executable, "-m", "model.runner", "--families", self._families]
        command += ["--nice", str(self._niceness), "--beat", str(beat_seconds)]
        command += ["--warm", self._warm] if self._warm else []
        command += ["--threads", str(self._threads)] if self._threads else []
        return command

    def _environment(self) -> dict[str, str]:
        """Ours without our settings: a runner needs no token."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KINORA_")}
        return kept | ({"HF_HUB_OFFLINE": "1"} if self._offline else {})


async def _forward(stderr: asyncio.StreamReader) -> None:
    """What the runner and its libraries print becomes our log; a traceback stays in one piece."""
    while chunk := await stderr.read(1 << 16):
        text = chunk.decode(errors="replace").rstrip()
        grave = text.startswith("ERROR") or "Traceback" in text
        runner_log.log(logging.ERROR if grave else logging.INFO, "%s", text)


async def _cause(process: asyncio.subprocess.Process) -> str:
    """How a runner ended that hung up."""
    try:
        async with asyncio.timeout(BURIAL_SECONDS):
            code = await process.wait()
    except TimeoutError:
        return "the runner hung up"
    if code < 0:
        return f"the runner was ended by {signal.Signals(-code).name}"
    return f"the runner ended with status {code}"


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End the runner and whatever it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(BURIAL_SECONDS):
            await process.wait()
