"""The stand-in's time: it runs as any clock, and a test may jump ahead."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970. Real seconds pass; `jump` adds to them."""

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()

    def now(self) -> float:
        return self._start + time.monotonic()

    def jump(self, seconds: float) -> None:
        """Let `seconds` pass at once. Nobody who sleeps is woken: only deadlines come nearer."""
        self._start += seconds

    def date(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)
