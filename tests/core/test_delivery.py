"""The courier: ended jobs on their way to the chats."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from core.delivery import MOST_TRIES, Courier
from core.errors import Transient
from core.job import Job, State
from core.prompt import parse
from tests.core.home import Home


async def test_a_delivery_is_tried_until_it_arrives_and_others_do_not_wait(
    at_home: Home,
) -> None:
    anna = await at_home.account("anna")
    tried: asyncio.Queue[str] = asyncio.Queue()
    moods = iter(["breaks", "is busy"])

    async def carry(job: Job) -> None:
        tried.put_nowait(job.place)
        if job.place == "odd:1":
            mood = next(moods, "works")
            if mood == "breaks":
                raise RuntimeError("a bug in the carrier")
            if mood == "is busy":
                raise Transient("slow down", 0.0)

    for place in ("odd:1", "nowhere:1", "even:1"):
        job = await at_home.studio.submit(anna, place, parse("a red ball"))
        at_home.engine.render(*await at_home.engine.next())
        await at_home.until(job, State.SUCCEEDED)
    clock = datetime.now(UTC)

    def ahead() -> datetime:
        """Each look is ten seconds later, so that no pause is waited for, and no lease lapses."""
        nonlocal clock
        clock += timedelta(seconds=10)
        return clock

    courier = Courier(
        at_home.store.jobs, at_home.store.outbox, {"odd": carry, "even": carry}, ahead
    )
    running = asyncio.create_task(courier.run())
    async with asyncio.timeout(20):
        arrived = [await tried.get() for _ in range(4)]
    assert sorted(arrived) == ["even:1", "odd:1", "odd:1", "odd:1"]
    await courier.drain()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    left = await at_home.store.outbox.lease(clock + timedelta(days=1), 0, 9)
    assert [one.place for one in left] == ["nowhere:1"]
    assert tried.empty()


async def test_what_can_never_be_delivered_is_kept_for_its_author(at_home: Home) -> None:
    anna = await at_home.account("anna")
    job = await at_home.studio.submit(anna, "odd:1", parse("a red ball"))
    at_home.engine.render(*await at_home.engine.next())
    await at_home.until(job, State.SUCCEEDED)
    clock, tries = datetime.now(UTC), 0

    async def carry(job: Job) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("a bug in the carrier")

    def ahead() -> datetime:
        nonlocal clock
        clock += timedelta(hours=1)
        return clock

    courier = Courier(at_home.store.jobs, at_home.store.outbox, {"odd": carry}, ahead)
    running = asyncio.create_task(courier.run())
    async with asyncio.timeout(60):
        while not (kept := await at_home.store.outbox.tell_kept(anna.id)):
            await asyncio.sleep(0.1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert (list(kept), tries) == ([job.id], MOST_TRIES)
