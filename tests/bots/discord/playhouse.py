"""A server with people, a stand-in for Discord around it, and the real program in a process.

async with playhouse(tmp_path) as here:
    async with here.open() as program:
        asked = here.people[0].slash("create", here.rooms[0], prompt="a red ball")
        await asked.acknowledged()
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
from tests.discord.server import Standin, standin
from tests.discord.users import Person
from tests.discord.world import Channel, Guild
from tests.program import Program, running


@dataclass(frozen=True)
class Playhouse(house.Playhouse):
    """discord: the world; people: members of the guild; rooms: its text channels."""

    discord: Standin
    guild: Guild
    people: tuple[Person, ...]
    rooms: tuple[Channel, ...]

    @asynccontextmanager
    async def open(self, **more: str) -> AsyncIterator[Program]:
        world, gateway = self.discord.world, self.discord.gateway
        settings = {
            "KINORA_DISCORD__TOKEN": self.discord.token,
            "KINORA_DISCORD__API_URL": self.discord.api_url,
            "KINORA_DISCORD__GATEWAY_URL": self.discord.gateway_url,
            "KINORA_DISCORD__CDN_URL": self.discord.cdn_url,
            "KINORA_CREDITS__DAILY": PLENTY,
        }
        async with running(self.folder, **settings | more) as program:
            await world.until(lambda: gateway.connected, "the bot", UP_SECONDS)
            await world.until(lambda: world.commands, "its commands", UP_SECONDS)
            yield program

    async def kill(self, program: Program) -> None:
        await program.kill()
        await self.discord.world.until(lambda: not self.discord.gateway.connected, "it gone")

    async def until(self, question: Callable[[], object], what: str, seconds: float) -> None:
        await self.discord.world.until(question, what, seconds)

    def mend(self) -> None:
        self.discord.faults.clear()

    def violations(self) -> list[str]:
        return self.discord.violations


@asynccontextmanager
async def playhouse(
    folder: Path, people: int = 3, rooms: int = 2, **options: Any
) -> AsyncIterator[Playhouse]:
    """Build it; nothing runs in it yet. options: of `tests.discord.server.standin`."""
    async with standin(**options) as discord:
        scene = discord.scene
        owner = scene.user("olivia")
        guests = tuple(scene.user(f"guest{number}") for number in range(people))
        guild = scene.guild("Playhouse", owner, *guests)
        channels = tuple(scene.channel(guild, f"room-{number}") for number in range(rooms))
        yield Playhouse(folder, discord, guild, guests, channels)
