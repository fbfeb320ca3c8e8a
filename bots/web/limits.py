"""How often an address may be wrong about a secret."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_SECONDS = 60.0
FAILURES_PER_WINDOW = 60
ADDRESSES = 4096
"""Remembered at most; the longest silent is forgotten first."""


class Failures:
    """Counts wrong secrets by address. now: seconds on a monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, address: str) -> None:
        times = self._seen.setdefault(address, deque(maxlen=FAILURES_PER_WINDOW))
        times.append(self._now())
        self._seen.move_to_end(address)
        if len(self._seen) > ADDRESSES:
            self._seen.popitem(last=False)

    def wait_seconds(self, address: str) -> float:
        """How long the address has to wait before it may try again; 0 for most."""
        times = self._seen.get(address)
        if times is None or len(times) < FAILURES_PER_WINDOW:
            return 0.0
        return max(0.0, times[0] + WINDOW_SECONDS - self._now())
