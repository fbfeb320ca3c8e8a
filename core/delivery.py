"""Brings finished jobs to the chats that wait for them, from the outbox.

A row is leased, its platform's carrier edits the job's card, and the row is done. A carrier that
dies in between leaves the row to be leased again: editing a card twice shows it once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from core.errors import Transient
from core.job import Job
from core.ports import Clock, Delivery, Jobs, Outbox

log = logging.getLogger("kinora.delivery")

Carry = Callable[[Job], Awaitable[None]]
"""Show an ended job where its card lives. Raises Transient where a later try may work."""

LEASE_SECONDS = 60.0
IDLE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
BATCH = 16


class Courier:
    """Run it as one task. carriers: by platform; a place without one waits until there is one."""

    def __init__(
        self, jobs: Jobs, outbox: Outbox, carriers: Mapping[str, Carry], clock: Clock
    ) -> None:
        self._jobs = jobs
        self._outbox = outbox
        self._carriers = carriers
        self._clock = clock

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                due = await self._outbox.lease(self._clock(), LEASE_SECONDS, BATCH)
                async with asyncio.TaskGroup() as tasks:
                    for delivery in due:
                        tasks.create_task(self._deliver(delivery))
            except Exception:
                log.exception("looking for deliveries failed; trying again")
                due = ()
            if not due:
                await asyncio.sleep(IDLE_SECONDS)

    async def _deliver(self, delivery: Delivery) -> None:
        pause = min(2.0 ** min(delivery.tries, 16), LONGEST_PAUSE_SECONDS)
        try:
            async with asyncio.timeout(LEASE_SECONDS * 0.8):
                if await self._carry(delivery):
                    await self._outbox.sent(delivery.id)
                    return
        except Transient as error:
            pause = max(pause, error.retry_after)
        except Exception:
            log.exception("job %s was not delivered; trying again", delivery.job_id)
        try:
            await self._outbox.retry(delivery.id, self._clock() + timedelta(seconds=pause))
        except Exception:
            log.exception(
                "job %s: its delivery comes again when its lease is over", delivery.job_id
            )

    async def _carry(self, delivery: Delivery) -> bool:
        """Whether nothing is left to do for this delivery."""
        carry = self._carriers.get(delivery.place.partition(":")[0])
        if carry is None:
            return False
        job = await self._jobs.job(delivery.job_id)
        if job is not None:
            await carry(job)
        return True
