"""How often an address may be wrong about a secret, and how many uploads are taken in at once."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from core.errors import TooMany, Transient

WINDOW_SECONDS = 60.0
FAILURES_PER_WINDOW = 60
ADDRESSES = 4096
"""Remembered at most; the longest silent is forgotten first."""

UPLOADS_AT_ONCE = 4
"""Uploads of a kind at the same time; further ones wait, unread."""

UPLOADS_PER_ACCOUNT = 2
UPLOAD_WAIT_SECONDS = 30.0
UPLOAD_RETRY_SECONDS = 15.0


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


class Uploads:
    """Turns at sending something large."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self._accounts: Counter[int] = Counter()

    @asynccontextmanager
    async def turn(self, account_id: int) -> AsyncIterator[None]:
        """Raises TooMany, or Transient where no turn came in time."""
        if self._accounts[account_id] >= UPLOADS_PER_ACCOUNT:
            raise TooMany(f"You are sending {UPLOADS_PER_ACCOUNT} files already: let one end.")
        self._accounts[account_id] += 1
        try:
            try:
                async with asyncio.timeout(UPLOAD_WAIT_SECONDS):
                    await self._turns.acquire()
            except TimeoutError:
                raise Transient("too many uploads at once", UPLOAD_RETRY_SECONDS) from None
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._accounts[account_id] -= 1
