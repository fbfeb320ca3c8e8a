"""People and groups, a stand-in for Telegram around them, and the real program in a process.

async with playhouse(tmp_path) as here:
    async with here.open() as program:
        asked = here.people[0].photo(PICTURE, "pan right")
        await here.kill(program)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bots import playhouse as house
from tests.bots.playhouse import PLENTY, UP_SECONDS
from tests.program import Program, running
from tests.telegram.people import Person
from tests.telegram.server import Standin, standin
from tests.telegram.world import Chat


@dataclass(frozen=True)
class Playhouse(house.Playhouse):
    """telegram: the world; people: each with a private chat; groups: where all of them are."""

    telegram: Standin
    people: tuple[Person, ...]
    groups: tuple[Chat, ...]

    @asynccontextmanager
    async def open(self, **more: str) -> AsyncIterator[Program]:
        """more: settings."""
        updates, world = self.telegram.updates, self.telegram.world
        polled = updates.asked
        settings = {
            "KINORA_TELEGRAM__TOKEN": self.telegram.token,
            "KINORA_TELEGRAM__API_URL": self.telegram.api_url,
            "KINORA_TELEGRAM__FILE_URL": f"{self.telegram.api_url}/file",
            "KINORA_CREDITS__DAILY": PLENTY,
            **more,
        }
        async with running(self.folder, **settings) as program:
            await world.until(lambda: updates.asked > polled, "the bot", UP_SECONDS)
            yield program

    async def kill(self, program: Program) -> None:
        await program.kill()

    async def until(self, question: Callable[[], object], what: str, seconds: float) -> None:
        await self.telegram.world.until(question, what, seconds)

    def mend(self) -> None:
        self.telegram.faults.clear()

    def violations(self) -> list[str]:
        return self.telegram.violations


@asynccontextmanager
async def playhouse(
    folder: Path, people: int = 3, groups: int = 2, **options: Any
) -> AsyncIterator[Playhouse]:
    """Build it; nothing runs in it yet. options: of `tests.telegram.server.standin`."""
    async with standin(**options) as telegram:
        scene = telegram.scene
        owner = scene.user("olivia")
        guests = tuple(scene.user(f"guest{number}") for number in range(people))
        rooms = tuple(scene.group(f"Room {number}", owner, *guests) for number in range(groups))
        yield Playhouse(folder, telegram, guests, rooms)
