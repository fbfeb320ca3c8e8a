"""Many commands at once while a clip renders. How fast: `python -m tests.bench discord`."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.job import State
from tests.bots.discord.cinema import cinema, text
from tests.bots.projector import Projector
from tests.discord.server import Standin

PEOPLE, ROOMS, EACH = 20, 5, 2


@pytest.mark.timeout(600)
async def test_forty_commands_are_forty_jobs(discord_standin: Standin, tmp_path: Path) -> None:
    """Each is acknowledged within Discord's 3 s, has a card of its own, and is one job."""
    engine, scene, world = Projector(), discord_standin.scene, discord_standin.world
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        rooms = [scene.channel(here.guild, f"room-{number}") for number in range(ROOMS)]
        crowd = [scene.user(f"guest{number}") for number in range(PEOPLE)]
        for guest in crowd:
            scene.join(here.guild, guest)
        first = here.anna.slash("create", here.room, prompt="a ball")
        engine.progress(*(await engine.next())[:2], 1, 20)
        for number in range(EACH):
            asked = [
                guest.slash("create", rooms[index % ROOMS], prompt=f"ball {number}")
                for index, guest in enumerate(crowd)
            ]
            for one in asked:
                await world.until(lambda o=one: o.latency, f"{one} acknowledged", 60)  # type: ignore[misc]
            for one in asked:
                await world.until(
                    lambda o=one: (
                        o.now.original_id in world.messages  # type: ignore[misc]
                        and "In the queue" in text(world.messages[o.now.original_id])
                    ),
                    f"the card of {one}",
                    120,
                )
        assert discord_standin.unacknowledged() == 0
        card = (await first.message()).id
        await world.until(
            lambda: "step 1 of 20" in text(world.messages[card]), "the first card's progress", 120
        )
        jobs = [
            view.job
            for guest in crowd
            for view in await here.home.studio.history(await here.account(guest), 2 * EACH)
        ]
        assert len(jobs) == len({job.place for job in jobs}) == PEOPLE * EACH
        assert {job.state for job in jobs} == {State.QUEUED}
        for guest in crowd:
            available, held = await here.funds(guest)
            account = await here.account(guest)
            owed = sum(job.credits for job in jobs if job.account_id == account.id)
            assert (available + held, held) == (1000, owed)
