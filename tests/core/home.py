"""A queue over a real store, with an engine that obeys.

async with home(tmp_path) as at_home:
    job = await at_home.ask(await at_home.account("anna"))
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.bulletin import Bulletin
from core.checking import Checking
from core.conduct import Conduct
from core.counter import Terms
from core.dispatch import Dispatch
from core.eta import Estimator
from core.inspection import Inspection
from core.job import Account, Identity, Job, State
from core.lobby import Lobby
from core.plans import FREE, Plan, Plans
from core.ports import Clock, DecodedPicture, Jobs, Moderation
from core.prompt import parse
from core.reviews import Reviews
from core.safety.strikes import Patience
from core.studio import Studio
from storage.store import Store, open_store
from tests.core.models import CATALOGUE
from tests.core.scripted import ScriptedEngine
from tests.sight import Blind, a_gate

GRANT = 20
A_DAY = Plan(FREE, daily=GRANT)
USUAL = Terms()


@dataclass(frozen=True)
class Home:
    store: Store
    engine: ScriptedEngine
    dispatch: Dispatch
    studio: Studio
    bulletin: Bulletin
    sight: Blind
    reviews: Reviews
    lobby: Lobby

    async def account(self, name: str) -> Account:
        return await self.studio.account(Identity("web", name), name)

    async def ask(self, account: Account, line: str = "a red ball") -> Job:
        return await self.studio.submit(account, "web:page", parse(line))

    async def until(self, job: Job, state: State) -> Job:
        """Wait for the job to come to a state, by what the bulletin says."""
        with self.bulletin.job(job.id) as subscription:
            async with asyncio.timeout(20):
                while True:
                    seen = await self.store.jobs.job(job.id)
                    assert seen is not None
                    if seen.state is state:
                        return seen
                    await subscription.changed(1.0)

    async def seen(self, what: Callable[[], object]) -> None:
        """Wait until the dispatcher has seen so much of the queue."""
        with self.bulletin.everything() as changes:
            async with asyncio.timeout(60):
                while not what():
                    await changes.changed(1.0)

    async def funds(self, account: Account) -> tuple[int, int]:
        wallet = await self.studio.wallet(account)
        return wallet.available, wallet.held


async def decode(data: bytes) -> DecodedPicture:
    return DecodedPicture(b"\xff\xd8\xff" + data, 1600, 900)


@asynccontextmanager
async def home(
    folder: Path,
    free: Plan = A_DAY,
    keep: timedelta = timedelta(days=7),
    jobs_as: Callable[[Jobs], Jobs] = lambda jobs: jobs,
    moderation_as: Callable[[Moderation], Moderation] = lambda moderation: moderation,
    terms: Terms = USUAL,
    clock: Clock = lambda: datetime.now(UTC),
) -> AsyncIterator[Home]:
    url = f"sqlite:///{folder / 'kinora.db'}"
    async with open_store(url, folder, keep, clock) as opened:
        moderation = moderation_as(opened.moderation)
        store = replace(opened, jobs=jobs_as(opened.jobs), moderation=moderation)
        engine, bulletin, estimator = ScriptedEngine(), Bulletin(), Estimator(CATALOGUE)
        heavy = replace(free, name="heavy", weight=4.0)
        plans = Plans({FREE: free, heavy.name: heavy})
        sight = Blind()
        gate = a_gate(sight)
        dispatch = Dispatch(
            store.accounts, store.jobs, store.files, engine, bulletin, estimator, clock, plans,
            store.moderation, Checking(gate),
        )  # fmt: skip
        conduct = Conduct(store.reviews, Patience(), clock)
        lobby = Lobby(store.accounts, store.jobs, store.outbox, store.places, clock)
        inspection = Inspection(gate, lobby.level, conduct, store.reviews, store.files, clock)
        studio = Studio(
            store.accounts, store.jobs, store.files, store.moderation, decode, dispatch,
            estimator, CATALOGUE, replace(terms, plans=plans), clock, inspection,
        )  # fmt: skip
        reviews = Reviews(
            store.reviews, store.jobs, store.accounts, store.moderation, studio.means,
            studio.changed, conduct, clock,
        )  # fmt: skip
        running = asyncio.create_task(dispatch.run())
        try:
            yield Home(store, engine, dispatch, studio, bulletin, sight, reviews, lobby)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
