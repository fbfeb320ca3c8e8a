"""Who cannot be reached: the clip is kept for them, and what nobody saw costs nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.job import State
from tests.bots.playhouse import rows
from tests.bots.projector import Reel
from tests.bots.telegram.cinema import Cinema, cinema
from tests.bots.telegram.wound import refunded, running, seen_once, wound
from tests.telegram.people import Person
from tests.telegram.refusals import Refused
from tests.telegram.server import Standin

pytestmark = pytest.mark.timeout(300)


async def test_a_blocked_bot_keeps_the_clip_until_its_author_comes_back(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """And takes nothing for what nobody saw."""
    async with wound(telegram_standin, tmp_path) as here:
        job = await running(here, here.anna.say("a ball"))
        here.anna.block()
        await job.finish()
        await until_kept(tmp_path)
        await refunded(here, here.anna)
        here.anna.unblock()
        asked = here.anna.say("a cube")
        later = await running(here, asked)
        await told(here, f"/show {job.job_id} (not charged)")
        await here.answer(job.asked, f"could not bring this here. /show {job.job_id}")
        await later.finish()
        await here.clip(asked)
        shown = await here.clip(here.anna.say(f"/show {job.job_id}"))
        assert "not charged" in shown.text
        history = await here.answer(here.anna.say("/me"))
        assert "a ball · 1 s · done · not charged" in history.text
        await seen_once(here, here.anna)


async def test_who_keeps_the_bot_blocked_pays_from_the_fourth_clip_on(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        for _ in range(4):
            job = await running(here, here.anna.say("a ball"))
            here.anna.block()
            await job.finish()
            await until_kept(tmp_path)
            here.anna.unblock()
            here.anna.say("/queue")
            await told(here, f"/show {job.job_id}")
        charged = [job.charged for job in await here.jobs(here.anna)]
        price = (await here.jobs(here.anna))[0].credits
        assert charged == [price, 0, 0, 0]
        assert await here.funds(here.anna) == (1000 - price, 0)


async def told(here: Cinema, words: str) -> None:
    """Wait until anna was told so in her own chat."""
    await here.telegram.world.until(
        lambda: any(words in message.text for message in here.anna.messages()), words
    )


async def until_kept(folder: Path) -> None:
    """Wait until the program gave up on reaching an author."""
    async with asyncio.timeout(60):
        while not rows(folder, "SELECT id FROM delivery WHERE state = 'kept'"):
            await asyncio.sleep(0.05)


async def test_who_blocks_the_bot_while_the_clip_fails_is_refunded(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        job = await running(here, here.anna.say("a ball"))
        here.anna.block()
        job.engine.fail(job.job_id, job.attempt)
        await until_refunded(here, here.anna)


async def until_refunded(here: Cinema, person: Person) -> None:
    async with asyncio.timeout(60):
        while await here.funds(person) != (1000, 0):
            await asyncio.sleep(0.05)


async def test_who_blocks_the_bot_calls_off_what_waits_for_them_alone(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """What is drawn already goes on, and so does what others see."""
    async with wound(telegram_standin, tmp_path) as here:
        first = await running(here, here.anna.say("a ball"))
        waiting = await here.answer(here.anna.say("a cube"), "In the queue")
        await here.answer(here.anna.say("/create a cone", here.group), "In the queue")
        here.anna.block()
        async with asyncio.timeout(60):
            while [job.state for job in await here.jobs(here.anna)] != [
                State.QUEUED, State.CANCELLED, State.RUNNING
            ]:  # fmt: skip
                await asyncio.sleep(0.05)
        await first.finish()
        await first.engine.finish(*await first.engine.next())
        seen, cancelled, unseen = await here.jobs(here.anna)
        await until_paid(here, 1000 - seen.credits)
        here.anna.unblock()
        here.anna.say("/queue")
        for job in (cancelled, unseen):
            await told(here, f"/show {job.id} (not charged)")
        await here.until(waiting, lambda m: "could not bring this here" in m.text)


async def until_paid(here: Cinema, left: int) -> None:
    async with asyncio.timeout(60):
        while await here.funds(here.anna) != (left, 0):
            await asyncio.sleep(0.05)


async def test_the_bot_is_kicked_midway(telegram_standin: Standin, tmp_path: Path) -> None:
    """The clip goes to its author."""
    async with wound(telegram_standin, tmp_path) as here:
        job = await running(here, here.anna.say("/create a ball", here.group))
        telegram_standin.scene.kick(here.group)
        await job.finish()
        sight = await telegram_standin.until_clip(here.anna)
        assert sight.chat_id == here.anna.id
        await seen_once(here, here.anna)


async def test_what_telegram_refuses_again_and_again_is_kept(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        telegram_standin.faults.refuse("edit*", Refused("message can't be edited"), 1000)
        asked = here.anna.say("a ball --seconds 0.5")
        await here.answer(asked)
        await until_kept(tmp_path)
        telegram_standin.faults.clear()
        (job,) = await here.jobs(here.anna)
        await here.clip(here.anna.say(f"/show {job.id}"))
        await seen_once(here, here.anna)
