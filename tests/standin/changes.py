"""Something that changes, and those who wait until it is as they want it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 120.0


@dataclass(repr=False)
class Changes(ABC):
    _waiting: list[asyncio.Future[None]] = field(default_factory=list, init=False)

    @abstractmethod
    def last(self) -> list[str]:
        """What happened last, a line each, for whoever waited in vain."""

    def touch(self) -> None:
        """Something changed: whoever waits looks again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def change(self, seconds: float) -> bool:
        """Wait for the next change, or for `seconds`; whether there was one."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        return True

    async def until(
        self, question: Callable[[], T], what: str = "", seconds: float = PATIENCE_SECONDS
    ) -> T:
        """Wait until `question` has a true answer, and give that.

        Raises:
            AssertionError: it did not come about; with what happened last.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not (answer := question()):
            left = end - loop.time()
            if left <= 0 or not await self.change(left):
                lines = [f"waited in vain for {what or question}; last:", *self.last()]
                raise AssertionError("\n  ".join(lines))
        return answer
