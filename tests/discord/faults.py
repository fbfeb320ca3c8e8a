"""Things that go wrong on the way, as a test wishes: for routes that fit, so many times."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass
class Fault:
    """Where it applies: to requests that fit and bring `least` bytes or more. And what happens, in
    this order: the answer waits for `delay` seconds, and until `held` is set; the upload is read at
    `bandwidth` bytes/s; `status` is answered instead, a 429 with `retry_after` seconds, and with a
    Via header if `via`; or else, where `lost`, the request is done and its connection closed
    without an answer."""

    pattern: str
    count: int
    least: int = 0
    delay: float = 0.0
    bandwidth: float = 0.0
    status: int = 0
    retry_after: float = 0.05
    via: bool = True
    everywhere: bool = False
    lost: bool = False
    held: asyncio.Event | None = None
    hit: int = 0

    async def wait(self) -> None:
        await asyncio.sleep(self.delay)
        if self.held is not None:
            await self.held.wait()


@dataclass
class Faults:
    """pattern: as `PATCH /webhooks/*`, with * for anything; the path is the request's own, without
    /api/v10; or as `CDN /attachments/*`, for a file that is fetched. A fault applies to the next
    `count` requests that fit."""

    waiting: list[Fault] = field(default_factory=list)

    def too_many(
        self, pattern: str, count: int = 1, *, retry_after: float = 0.05, via: bool = True
    ) -> Fault:
        """Answer 429: the library waits for those with Via, and gives up on those without."""
        return self._add(Fault(pattern, count, status=429, retry_after=retry_after, via=via))

    def too_many_everywhere(self, count: int = 1, *, retry_after: float = 0.05) -> Fault:
        """Answer 429 with `global`, whatever the route."""
        fault = Fault("*", count, status=429, retry_after=retry_after, everywhere=True)
        return self._add(fault)

    def broken(self, pattern: str, count: int = 1, *, status: int = 503) -> Fault:
        """Answer 5xx, without doing anything."""
        return self._add(Fault(pattern, count, status=status))

    def stray(self, pattern: str, count: int = 1) -> Fault:
        """Answer 200 with words of somebody else, as a proxy does, without doing anything."""
        return self._add(Fault(pattern, count, status=200))

    def lose(self, pattern: str, count: int = 1, *, least: int = 0) -> Fault:
        """Do it, and close the connection without a word."""
        return self._add(Fault(pattern, count, least, lost=True))

    def delay(self, pattern: str, seconds: float, count: int = 1, *, least: int = 0) -> Fault:
        """Let the request wait before anything is done."""
        return self._add(Fault(pattern, count, least, delay=seconds))

    def hold(self, pattern: str, count: int = 1) -> asyncio.Event:
        """Let the requests wait before anything is done, until the event is set."""
        held = asyncio.Event()
        self._add(Fault(pattern, count, held=held))
        return held

    def slow(
        self, pattern: str, bytes_per_second: float, count: int = 1, *, least: int = 0
    ) -> Fault:
        """Read the upload slowly."""
        return self._add(Fault(pattern, count, least, bandwidth=bytes_per_second))

    def clear(self) -> None:
        self.waiting.clear()

    def _add(self, fault: Fault) -> Fault:
        self.waiting.append(fault)
        return fault

    def next(self, method: str, path: str, size: int) -> Fault | None:
        """The fault that this request of `size` bytes meets."""
        for fault in self.waiting:
            if size >= fault.least and fnmatchcase(f"{method} {path}", fault.pattern):
                fault.hit += 1
                if fault.hit >= fault.count:
                    self.waiting.remove(fault)
                return fault
        return None
