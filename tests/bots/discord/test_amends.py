"""kill -9 just before a job is written down: nobody is left at "thinking…" for ever.

The moments are held still, by requests that the stand-in doesn't answer and by a lock on the
program's database.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bots.discord.cinema import text, videos
from tests.bots.discord.kills import PICTURE
from tests.bots.discord.playhouse import Playhouse, playhouse
from tests.discord.asked import Asked

pytestmark = pytest.mark.timeout(600)

RESTARTED = (
    "Kinora was restarted before this was written down. Nothing was charged: please ask again."
)
ASKED = "SELECT place FROM post WHERE place LIKE '%/@%'"
CARDS = "SELECT place FROM post WHERE place NOT LIKE '%/@%'"


async def test_who_was_acknowledged_and_not_written_down_is_told(tmp_path: Path) -> None:
    """Killed after Discord heard the acknowledgement, before the card's id is known."""
    async with playhouse(tmp_path) as here:
        async with here.open() as program:
            acknowledging = here.discord.faults.hold("POST /interactions/*", 3)
            asked = ask_three(here)
            await written(here, ASKED, 3)
            with locked(tmp_path):
                acknowledging.set()
                for one in asked:
                    await one.acknowledged()
                await here.kill(program)
        assert len(here.rows(ASKED)) == 3
        await told_after_the_start(here, asked)


async def test_whose_card_was_known_and_whose_job_was_not_is_told(tmp_path: Path) -> None:
    """Killed after the card's id was written down, before the job is."""
    async with playhouse(tmp_path) as here:
        async with here.open() as program:
            here.discord.faults.hold("CDN *", 3)
            asked = ask_three(here)
            await written(here, CARDS, 3)
            await here.kill(program)
        assert not here.rows(ASKED)
        await told_after_the_start(here, asked)


async def test_who_was_told_already_is_told_nothing_else(tmp_path: Path) -> None:
    """Killed after a refusal was said, before its post is forgotten."""
    async with playhouse(tmp_path) as here:
        async with here.open() as program:
            fetching = here.discord.faults.hold("CDN *")
            asked = here.people[0].slash("create", here.rooms[0], prompt="a", image=b"no picture")
            await until(lambda: not here.discord.faults.waiting)
            with locked(tmp_path):
                fetching.set()
                await here.until(asked.followups, "the refusal", 60)
                await here.kill(program)
        async with here.open():
            await written(here, CARDS, 0)
            (said,) = asked.followups()
            assert "That is not a picture" in text(said)
        assert not here.violations()


def ask_three(here: Playhouse) -> Sequence[Asked]:
    """In the open, for one alone, and directly."""
    anna, ben, cleo = here.people
    chat = here.discord.scene.dm(cleo)
    return [
        anna.slash("create", here.rooms[0], prompt="pan left", image=PICTURE),
        ben.slash("create", here.rooms[0], prompt="pan left", image=PICTURE, private=True),
        cleo.slash("create", chat, prompt="pan left", image=PICTURE),
    ]


async def told_after_the_start(here: Playhouse, asked: Sequence[Asked]) -> None:
    """Each is told that it cost nothing, and may ask again."""
    here.discord.faults.clear()
    async with here.open() as program:
        for one in asked:
            said = await one.message()
            assert text(said) == RESTARTED
            assert said.audience in (None, one.now.user_id)
        await written(here, CARDS, 0)
        assert not here.rows("SELECT * FROM job")
        assert not here.rows("SELECT * FROM entry WHERE held_change != 0")
        again = here.people[0].slash(
            "create", here.rooms[0], prompt="pan left", image=PICTURE, length=1.0
        )
        await again.message(videos)
        assert await program.stop() == 0
    assert [text(await one.message()) for one in asked] == [RESTARTED] * 3
    assert not list(here.faults())


async def written(here: Playhouse, question: str, count: int) -> None:
    """Wait until the program's database holds so many rows."""
    await until(lambda: len(here.rows(question)) == count)


async def until(question: Callable[[], bool]) -> None:
    """Wait for what nobody tells the coming of."""
    async with asyncio.timeout(60):
        while not question():
            await asyncio.sleep(0.01)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nothing more is written down meanwhile."""
    database = sqlite3.connect(folder / "data" / "kinora.db", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
    finally:
        database.close()
