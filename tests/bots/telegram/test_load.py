"""Many photos at once while a clip renders. How fast: `python -m tests.bench telegram`."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.job import State
from tests.bots.projector import Projector
from tests.bots.telegram.cinema import PICTURE, cinema
from tests.telegram.server import Standin

PEOPLE, EACH = 10, 2


@pytest.mark.timeout(600)
async def test_twenty_photos_are_twenty_jobs(telegram_standin: Standin, tmp_path: Path) -> None:
    """Each is answered with a card of its own and is one job, and nobody's rate is exceeded."""
    engine, world = Projector(), telegram_standin.world
    async with cinema(telegram_standin, tmp_path, engine=engine) as here:
        crowd = [telegram_standin.scene.user(f"guest{number}") for number in range(PEOPLE)]
        first = here.anna.say("a ball")
        engine.progress(*(await engine.next())[:2], 1, 20)
        asked = [
            (guest, guest.photo(PICTURE, f"pan left {number}"))
            for number in range(EACH)
            for guest in crowd
        ]
        for _, photo in asked:
            await world.until(lambda p=photo: here.answers(p), f"an answer to {photo}", 120)  # type: ignore[misc]
        assert all(len(here.answers(photo)) == 1 for _, photo in asked)
        jobs = [job for guest in crowd for job in await here.jobs(guest)]
        assert len(jobs) == len({job.place for job in jobs}) == PEOPLE * EACH
        assert {job.state for job in jobs} == {State.QUEUED}
        for guest in crowd:
            owed = sum(job.credits for job in await here.jobs(guest))
            assert await here.funds(guest) == (1000 - owed, owed)
        await here.answer(first, "step 1 of 20")
    assert telegram_standin.limits.exceeded == []
