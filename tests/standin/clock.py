"""The stand-in's time: it runs as any clock; a test may jump ahead, or stop it but for that."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970. Real seconds pass; `jump` adds to them."""

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()
        self._stopped: float | None = None

    def now(self) -> float:
        return self._start + (time.monotonic() if self._stopped is None else self._stopped)

    def jump(self, seconds: float) -> None:
        """Let `seconds` pass at once. Nobody who sleeps is woken: only deadlines come nearer."""
        self._start += seconds

    def stop(self) -> None:
        """Let no time pass but by `jump`: on a busy machine, too, a second is a second."""
        self._stopped = time.monotonic()

    def go(self) -> None:
        if self._stopped is not None:
            self._start -= time.monotonic() - self._stopped
            self._stopped = None

    def date(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)
