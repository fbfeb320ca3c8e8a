"""Tells who runs this Kinora that something waits for them, in their own chats.

Once for what came since, and not again within `PAUSE`: it says that there is a queue, and is none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from core.job import Identity
from core.moderation import moment
from core.ports import Clock
from core.reviews import LISTED_MOST, Reviews
from core.sentences import clips

PAUSE = timedelta(hours=1)
TELL_SECONDS = 20.0

log = logging.getLogger("kinora.reminders")


class Reminders:
    """Call `sweep` now and then. operators: as the settings name them."""

    def __init__(
        self,
        reviews: Reviews,
        operators: Collection[Identity],
        tell: Callable[[Identity, str], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._reviews = reviews
        self._operators = operators
        self._tell = tell
        self._clock = clock
        self._told_of: frozenset[str] = frozenset()
        self._quiet_until: datetime | None = None

    async def sweep(self) -> None:
        now = self._clock()
        if not self._operators:
            return
        if self._quiet_until is not None and now < self._quiet_until:
            return
        held = await self._reviews.pending(None, LISTED_MOST)
        reported = await self._reviews.reports(None, LISTED_MOST)
        waiting = frozenset({one.job.id for one in held} | {one.job.id for one in reported})
        new, self._told_of = waiting - self._told_of, waiting
        if not new:
            return
        self._quiet_until = now + PAUSE
        said = []
        if held:
            first = held[0].decide_by
            by = f", the first until {moment(first)}" if first else ""
            wait = "waits" if len(held) == 1 else "wait"
            said.append(f"{clips(len(held))} {wait} for a moderator{by}.")
        if reported:
            are = "is" if len(reported) == 1 else "are"
            said.append(f"{clips(len(reported))} {are} reported.")
        said.append("Review in the console shows them, /mod queue and /mod reports where they are.")
        for one in self._operators:
            await self._remind(one, " ".join(said))

    async def _remind(self, operator: Identity, words: str) -> None:
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await self._tell(operator, words)
        except Exception as error:
            log.info("%s was not told of what waits: %s", operator.platform, type(error).__name__)
