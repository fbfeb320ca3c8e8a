"""Brings finished jobs to the chats that wait for them, from the outbox.

A row is leased, its platform's carrier edits the job's card, and the row is done. A carrier that
dies in between leaves the row to be leased again: editing a card twice shows it once. Each chat has
one sender at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from core.errors import Transient, Unreachable
from core.job import Job
from core.places import platform
from core.ports import Clock, Delivery, Jobs, Outbox

log = logging.getLogger("kinora.delivery")

Carry = Callable[[Job], Awaitable[None]]
"""Show an ended job where its card lives, or take it off where it was deleted, which may come while
it is on its way. Raises Transient where a later try may work, TimeoutError where no answer came,
Unreachable where no try will work: then it is kept until its author comes by, and a clip is paid
back."""

LEASE_SECONDS = 600.0
"""Large clips on slow lines take minutes. A lease outlives nobody: `recover` ends those of the
dead."""

IDLE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
MOST_TRIES = 12
"""Of what breaks in a way that nobody foresaw."""

AT_ONCE = 16
DRAIN_SECONDS = 20.0


class Courier:
    """Run it as one task. carriers: by platform; a place without one waits until there is one."""

    def __init__(
        self, jobs: Jobs, outbox: Outbox, carriers: Mapping[str, Carry], clock: Clock
    ) -> None:
        self._jobs = jobs
        self._outbox = outbox
        self._carriers = carriers
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()
        self._draining = False

    async def run(self) -> None:
        """Work until cancelled."""
        recovered = False
        async with asyncio.TaskGroup() as tasks:
            while True:
                due: Sequence[Delivery] = ()
                try:
                    if not recovered:
                        await self._outbox.recover(self._clock())
                        recovered = True
                    if (free := AT_ONCE - len(self._under_way)) and not self._draining:
                        due = await self._outbox.lease(self._clock(), LEASE_SECONDS, free)
                except Exception:
                    log.exception("looking for deliveries failed; trying again")
                for delivery in due:
                    self._under_way.add(tasks.create_task(self._deliver(delivery)))
                if not self._under_way:
                    await asyncio.sleep(IDLE_SECONDS)
                    continue
                await asyncio.wait(
                    self._under_way,
                    timeout=IDLE_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                self._under_way = {task for task in self._under_way if not task.done()}

    async def drain(self) -> None:
        """Take nothing more, and let what is under way come to its end, for a while."""
        self._draining = True
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=DRAIN_SECONDS)

    async def _deliver(self, delivery: Delivery) -> None:
        pause = min(2.0 ** min(delivery.tries, 16), LONGEST_PAUSE_SECONDS)
        put: Callable[[Delivery, datetime], Awaitable[None]] = self._outbox.retry
        try:
            async with asyncio.timeout(LEASE_SECONDS * 0.8):
                if await self._carry(delivery):
                    await self._outbox.sent(delivery)
                    return
        except Unreachable as error:
            log.warning("job %s is kept for its author: %s", delivery.job_id, error)
            put = self._keep
        except Transient as error:
            pause = max(pause, error.retry_after)
        except TimeoutError:
            log.warning("job %s: no answer to its delivery; looking again", delivery.job_id)
            put = self._outbox.unknown
        except Exception:
            log.exception("job %s was not delivered, try %d", delivery.job_id, delivery.tries)
            if delivery.tries >= MOST_TRIES:
                put = self._keep
        try:
            await put(delivery, self._clock() + timedelta(seconds=pause))
        except Exception:
            log.exception(
                "job %s: its delivery comes again when its lease is over", delivery.job_id
            )

    async def _keep(self, delivery: Delivery, _: datetime) -> None:
        await self._outbox.kept(delivery, self._clock())

    async def _carry(self, delivery: Delivery) -> bool:
        """Whether nothing is left to do for this delivery."""
        carry = self._carriers.get(platform(delivery.place))
        if carry is None:
            return False
        job = await self._jobs.job(delivery.job_id)
        if job is not None:
            await carry(job)
        return True
