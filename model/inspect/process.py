"""A limited child process that answers one ask at a time; a new one takes the place of a dead one.

What it is asked goes over a socket as a line of JSON and the bytes that belong to it, the answer
comes back as a line of JSON; `model.inspect.child` is the other end. A child that is killed, hangs
or runs out of memory fails the ask under way and no other.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen
from types import TracebackType
from typing import Any, Final, Self

START_SECONDS: Final = 60.0
"""How long a child may take until it has its models in memory."""

MAX_ASK_BYTES: Final = 1 << 29
MAX_LINE_BYTES: Final = 1 << 20
MEGABYTE: Final = 1 << 20

KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT")
"""Of our environment; no setting and no secret is among it."""

ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

log = logging.getLogger("kinora.inspect")


class CouldNotLook(Exception):
    """No answer came, whatever the reason. Its words hold nothing of what was asked."""


class Process:
    """One child, started with the first ask or by `warm`, and kept.

    module: has `opened()`, which loads all it needs and gives back what answers:
    (question, data) → answer. See `model.inspect.child`.
    memory_bytes: of address space. niceness: how far it stands back, 0 to 19.
    answer_seconds: how long an answer may take before the child is killed.
    """

    def __init__(
        self,
        module: str,
        *,
        memory_bytes: int,
        answer_seconds: float,
        start_seconds: float = START_SECONDS,
        niceness: int = 5,
    ) -> None:
        self._module = module
        self._memory_bytes = memory_bytes
        self._answer_seconds = answer_seconds
        self._start_seconds = start_seconds
        self._niceness = niceness
        self._turn = asyncio.Lock()
        self._starting: asyncio.Task[_Child] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        self.warm()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is none that is ready."""
        child = self._ready()
        return child.pid if child is not None and child.lives else None

    def warm(self) -> None:
        """Start the child without waiting for it."""
        if self._starting is None and not self._closed:
            self._starting = asyncio.create_task(self._start())

    async def started(self) -> None:
        """Raises CouldNotLook where no child can be started."""
        async with self._turn:
            await self._child()

    async def ask(self, question: Mapping[str, Any], data: bytes | Path = b"") -> dict[str, Any]:
        """Its answer. data: bytes, or a file whose bytes are meant. In the order of asking.

        Raises CouldNotLook. Who stops waiting while it answers ends the child.
        """
        async with self._turn:
            child = await self._child()
            try:
                async with asyncio.timeout(self._answer_seconds):
                    answer = await child.ask(question, data, self._answer_seconds)
            except BaseException as error:
                await self._drop(child)
                if isinstance(error, Exception):
                    log.warning("%s was ended: %s", self._module, _why(error))
                    raise CouldNotLook(f"{self._module}: {_why(error)}") from None
                raise
            if "error" in answer:
                log.warning("%s: %s", self._module, answer["error"])
                if answer.get("leaving"):
                    await self._drop(child)
                raise CouldNotLook(f"{self._module}: {answer['error']}")
            return answer

    async def close(self) -> None:
        """End the child, whatever it does."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            with suppress(asyncio.CancelledError, CouldNotLook):
                await self._drop(await self._starting)

    async def _child(self) -> _Child:
        """The one there is, or the next. Who stops waiting leaves it to start for others."""
        if self._closed:
            raise CouldNotLook(f"{self._module} is closed")
        ready = self._ready()
        if ready is not None and not ready.lives:
            await self._drop(ready)
        self.warm()
        assert self._starting is not None
        starting = self._starting
        try:
            return await asyncio.shield(starting)
        except CouldNotLook:
            self._starting = None
            raise

    def _ready(self) -> _Child | None:
        task = self._starting
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return task.result()

    async def _start(self) -> _Child:
        command = [sys.executable, "-m", "model.inspect.child", self._module]
        command += [str(self._memory_bytes), str(self._niceness)]
        child = await _Child.begun(command)
        try:
            async with asyncio.timeout(self._start_seconds):
                if "error" in (said := await child.said()):
                    raise CouldNotLook(said["error"])
        except BaseException as error:
            await child.end()
            if isinstance(error, Exception):
                log.error("%s did not start: %s", self._module, _why(error))
                raise CouldNotLook(f"{self._module} did not start") from None
            raise
        return child

    async def _drop(self, child: _Child) -> None:
        if self._ready() is child:
            self._starting = None
        await child.end()


class _Child:
    """One process, and our end of the socket to it."""

    def __init__(
        self, process: Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def begun(cls, command: list[str]) -> Self:
        ours, theirs = socket.socketpair()
        beginning = asyncio.ensure_future(asyncio.to_thread(_begin, command, theirs))
        try:
            process = await asyncio.shield(beginning)
        except asyncio.CancelledError:
            ours.close()  # whoever is at the other end leaves then
            (await beginning).wait()
            raise
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours, limit=MAX_LINE_BYTES)
        return cls(process, reader, writer)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process.poll() is None and not self._reader.at_eof()

    async def ask(
        self, question: Mapping[str, Any], data: bytes | Path, seconds: float
    ) -> dict[str, Any]:
        size = len(data) if isinstance(data, bytes) else await asyncio.to_thread(_size, data)
        if size > MAX_ASK_BYTES:
            raise CouldNotLook(f"more than {MAX_ASK_BYTES >> 20} MB to look at")
        head = {"question": question, "bytes": size, "seconds": seconds}
        self._writer.write(json.dumps(head).encode() + b"\n")
        if isinstance(data, Path):
            with await asyncio.to_thread(data.open, "rb") as file:
                while chunk := await asyncio.to_thread(file.read, MEGABYTE):
                    self._writer.write(chunk)
                    await self._writer.drain()
        else:
            self._writer.write(data)
        await self._writer.drain()
        return await self.said()

    async def said(self) -> dict[str, Any]:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise CouldNotLook("the process ended")
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise CouldNotLook("no answer but something else")
        return answer

    async def end(self) -> None:
        """At once, with whatever it began."""
        self._writer.close()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await asyncio.shield(asyncio.to_thread(self._process.wait))


def _size(path: Path) -> int:
    return path.stat().st_size


def _begin(command: list[str], theirs: socket.socket) -> Popen[bytes]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return Popen(
        command,
        stdin=theirs.fileno(),
        stdout=DEVNULL,
        stderr=DEVNULL,
        env=kept | ONE_THREAD,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )


def _why(error: Exception) -> str:
    if isinstance(error, CouldNotLook):
        return str(error)
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
