"""Many at once on a few wallets, who often say the same thing twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from core.errors import NotEnoughCredits, Transient
from core.job import Account, Job, new_id
from storage.store import Store
from tests.storage.samples import NOON, a_clip, a_grant, a_job, a_person

T = TypeVar("T")

WALLETS = 5
SAID_TWICE = 0.2
FIRST_CREDITS = 200


@dataclass
class Member:
    """One task of the crowd. done: what it said, and how often."""

    store: Store
    people: list[Account]
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)
    busy: int = 0

    async def run(self, times: int) -> None:
        while self.done.total() < times:
            await self._step()

    async def _step(self) -> None:
        """Ask for a clip, and let it end in one of three ways; get credits where none are left."""
        account = self.chance.choice(self.people)
        job = a_job(account, self.chance.randint(1, 30))
        jobs = self.store.jobs
        try:
            queued = await self._say("hold", lambda: jobs.submit(job, job.id, "print"))
        except NotEnoughCredits:
            given = [a_grant(20, new_id())]
            await self._say("grant", lambda: self.store.accounts.renew(account.id, given))
            return
        how = self.chance.choice(("cancel", "fail", "finish", "finish"))
        if how == "cancel":
            await self._say(how, lambda: jobs.cancel(queued.id, NOON))
            return
        claimed = await self._heard(lambda: jobs.claim(queued.id, NOON))
        self.done["claim"] += 1
        assert claimed is not None
        await self._say(how, lambda: self._end(how, claimed))

    async def _end(self, how: str, job: Job) -> Job | None:
        if how == "fail":
            return await self.store.jobs.fail(job.id, job.attempt, "why", "ref", NOON)
        return await self.store.jobs.finish(job.id, job.attempt, a_clip(), 1.0, NOON)

    async def _say(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        twice = self.chance.random() < SAID_TWICE
        self.done[what] += 1 + twice
        return (await asyncio.gather(*(self._heard(call) for _ in range(1 + twice))))[0]

    async def _heard(self, call: Callable[[], Awaitable[T]]) -> T:
        """Whoever is told that the database is busy asks again."""
        while True:
            try:
                return await call()
            except Transient:
                self.busy += 1


async def crowd(store: Store, tasks: int, times: int) -> Counter[str]:
    """Each task says at least `times` things at once with the others. Which, and how often."""
    people = [await a_person(store, FIRST_CREDITS) for _ in range(WALLETS)]
    members = [Member(store, people, random.Random(number)) for number in range(tasks)]
    async with asyncio.TaskGroup() as group:
        for member in members:
            group.create_task(member.run(times))
    return sum((member.done for member in members), Counter())
