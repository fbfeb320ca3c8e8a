"""A Discord for each test. Whoever drives a bot with it imports the fixture from here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.discord import schema
from tests.discord.asked import Asked
from tests.discord.server import Standin, standin
from tests.discord.users import Person
from tests.discord.wire import ANIMATE, CREATE, Wire, wired
from tests.discord.world import Channel, Guild
from tests.standin.shared import ENV


@pytest.fixture
async def discord_standin() -> AsyncIterator[Standin]:
    """A stand-in; at the end there must have been no violation. On a busy machine seconds say
    nothing: interactions wait for longer here than Discord's three; how long they did is kept."""
    async with standin() as running:
        running.world.acknowledge_seconds = 30.0
        yield running
        assert not running.violations, "\n".join(running.violations)


@pytest.fixture
async def lenient_standin() -> AsyncIterator[Standin]:
    """A stand-in whose hand-written rules a test breaks on purpose."""
    async with standin(judged=False) as running:
        yield running


@pytest.fixture
async def judging_standin() -> AsyncIterator[Standin]:
    """A stand-in with Discord's own description, which a test breaks on purpose."""
    if schema.description() is None:
        pytest.skip(f"{ENV} leads to no specs/discord-openapi.json")
    async with standin() as running:
        yield running


@dataclass(frozen=True)
class Place:
    """A channel of a server where the app is, with a person in it, and the app on the wire."""

    running: Standin
    wire: Wire
    alice: Person
    guild: Guild
    room: Channel

    def ask(self) -> Asked:
        return self.alice.slash("create", self.room, prompt="a red ball")

    def noticed(self, words: str) -> bool:
        """Whether a violation says so; it is taken off."""
        found = [why for why in self.running.violations if words in why]
        self.running.violations.clear()
        return bool(found)


@asynccontextmanager
async def opened(running: Standin) -> AsyncIterator[Place]:
    owner, alice = running.scene.user("olivia"), running.scene.user("alice")
    guild = running.scene.guild("Cinema", owner, alice)
    room = running.scene.channel(guild, "general")
    async with wired(running) as wire:
        assert (await wire.register(CREATE, ANIMATE)).status == 200
        running.clock.stop()
        yield Place(running, wire, alice, guild, room)


@pytest.fixture
async def place(lenient_standin: Standin) -> AsyncIterator[Place]:
    async with opened(lenient_standin) as place:
        yield place


@pytest.fixture
async def judged(judging_standin: Standin) -> AsyncIterator[Place]:
    async with opened(judging_standin) as place:
        yield place
