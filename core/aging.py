"""What was used lately counts less as time goes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from core.fairness import HALF_LIFE_SECONDS, Tags, later
from core.ports import Clock, Jobs

RECENT = timedelta(seconds=7 * HALF_LIFE_SECONDS)
RECENT_MOST = 20_000
"""What was used before that, or by older jobs than so many, counts nothing after a restart."""

AGE_SECONDS = 60.0


class Aging:
    def __init__(self, jobs: Jobs, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._aged_at: float | None = None

    async def aged(self, tags: Tags) -> Tags:
        """The tags as they are now; at first, with what the store knows of."""
        now = asyncio.get_running_loop().time()
        if self._aged_at is None:
            used: defaultdict[int, float] = defaultdict(float)
            today = self._clock()
            for one in await self._jobs.used(today - RECENT, RECENT_MOST):
                age = (today - one.ended_at).total_seconds()
                used[one.account_id] += one.seconds * 0.5 ** (age / HALF_LIFE_SECONDS)
            tags = replace(tags, used=used)
        elif now - self._aged_at < AGE_SECONDS:
            return tags
        else:
            tags = later(tags, now - self._aged_at)
        self._aged_at = now
        return tags
