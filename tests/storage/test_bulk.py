"""The same for many: each once, wherever it was cut off; on every database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC

import pytest

from core import moderation as acts
from core.bulk import Bulk
from core.errors import NotFound, Refused, UserError, WrongState
from core.job import Identity
from core.moderation import Act, Actor, Rank
from core.moderators import Done, Moderators
from core.plans import FREE, Plan, Plans
from storage.store import Store
from tests.storage.books import faults
from tests.storage.samples import HOST, NOON, SetClock, a_person, do

SERVER, ROLE = "discord:81", "discord:81/55"
MIA = Actor("mia", Rank.MODERATOR, SERVER)
GIFT = acts.Grant(server=SERVER, account_id=0, credits=20, reason="a prize")


class Cut(Moderators):
    """Waits behind the last of so many acts, as a program that is about to be killed."""

    def __init__(self, store: Store, clock: SetClock) -> None:
        otto = frozenset({Identity("web", "otto")})
        parts = (store.moderation, store.accounts, store.jobs)
        super().__init__(*parts, Plans({FREE: Plan(FREE, daily=0)}), UTC, clock, otto)
        self.left = 10**9
        self.hung, self.goes_on = asyncio.Event(), asyncio.Event()

    async def do(
        self, actor: Actor, act: Act, key: str, theirs: Rank = Rank.MEMBER, *, dry: bool = False
    ) -> Done:
        done = await super().do(actor, act, key, theirs, dry=dry)
        self.left -= 1
        if not self.left:
            self.hung.set()
            await self.goes_on.wait()
        return done


@asynccontextmanager
async def running(bulk: Bulk) -> AsyncIterator[None]:
    task = asyncio.create_task(bulk.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_is_cut_off_is_gone_on_with_and_nobody_has_it_twice(
    store: Store, clock: SetClock
) -> None:
    crowd = [await a_person(store, 5) for _ in range(9)]
    otto = await store.accounts.account(Identity("web", "otto"), "Otto")
    ids = [one.id for one in crowd] + [otto.id]
    first = Cut(store, clock)
    bulk = Bulk(first, store.moderation)
    with pytest.raises(WrongState, match="no treasury"):
        await bulk.dry(MIA, ROLE, "@Supporters", GIFT, ids)
    await do(store, acts.Fill(server=SERVER, credits=190))
    with pytest.raises(UserError, match="The treasury has 190 credits; you wanted to give 200"):
        await bulk.dry(MIA, ROLE, "@Supporters", GIFT, ids)
    await do(store, acts.Fill(server=SERVER, credits=50), "more")
    act, said = await bulk.dry(MIA, ROLE, "@Supporters", GIFT, ids)
    assert said == (
        "20 credits each for 10 people with @Supporters. That is 200 in sum; the treasury then has "
        "40 left."
    )
    assert len(await store.moderation.rows(99)) == 2
    await bulk.begin(MIA, act, "discord:7")
    await bulk.begin(MIA, act, "discord:7")
    first.left = 4
    async with running(bulk):
        await first.hung.wait()
        assert bulk.progress("discord:7").done == 3
    given = [(await store.accounts.wallet(one.id)).available for one in crowd]
    assert sorted(given) == [5] * 5 + [25] * 4

    again = Bulk(Cut(store, clock), store.moderation)
    async with running(again):
        async with asyncio.timeout(20):
            while await store.moderation.begun():
                await asyncio.sleep(0.01)
        progress = await again.changed("discord:7", 20)
    assert (progress.done, progress.left_out, progress.ended) == (9, 1, True)
    assert "Nobody acts on their own rank" in progress.words
    given = [(await store.accounts.wallet(one.id)).available for one in crowd]
    assert given == [25] * 9
    assert (await store.accounts.wallet(otto.id)).available == 0
    rows = await store.moderation.rows(99)
    assert {row.who for row in rows[2:]} == {"mia"}
    assert [row.act for row in rows[2:]] == ["to role", *["grant"] * 9, "role done"]
    assert await store.moderation.begun() == []
    assert await faults(store) == []


async def test_it_can_be_stopped_and_is_not_for_everybody(store: Store, clock: SetClock) -> None:
    ids = [(await a_person(store, 5)).id for _ in range(5)]
    slow = Cut(store, clock)
    bulk = Bulk(slow, store.moderation)
    quota = acts.SetQuota(server=SERVER, account_id=0, credits=3)
    other = Actor("ben", Rank.MODERATOR, "discord:82")
    with pytest.raises(Refused, match="nowhere else"):
        await bulk.dry(other, ROLE, "@Supporters", quota, ids)
    with pytest.raises(Refused, match="Only who runs this Kinora"):
        await bulk.dry(MIA, ROLE, "@All", acts.Take(account_id=0, credits=3), ids)
    with pytest.raises(UserError, match="There is no plan"):
        await bulk.dry(HOST, ROLE, "@All", acts.SetPlan(account_id=0, plan="gold"), ids)
    with pytest.raises(NotFound, match="Nobody who has the role @All"):
        await bulk.dry(MIA, ROLE, "@All", quota, [])
    act, said = await bulk.dry(MIA, ROLE, "@All", quota, ids)
    assert said == "A quota of 3 credits a day on discord:81 for 5 people with @All."
    await bulk.begin(MIA, act, "discord:8")
    with pytest.raises(WrongState):
        bulk.stop("discord:8", other)
    slow.left = 2
    async with running(bulk):
        await slow.hung.wait()
        bulk.stop("discord:8", MIA)
        slow.goes_on.set()
        progress = await bulk.changed("discord:8", 20)
    assert progress.words == "Stopped. Done for 2 of 5; 3 people as before."
    held = await store.moderation.restraints(ids, NOON)
    assert [one.whom for one in held] == [acts.person(account_id) for account_id in ids[:2]]
    with pytest.raises(WrongState, match="has ended"):
        bulk.stop("discord:8", MIA)
    assert await store.moderation.begun() == []
