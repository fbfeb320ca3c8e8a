"""A Discord for each test. Whoever drives a bot with it imports the fixture from here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.discord import schema
from tests.discord.server import Standin, standin


@pytest.fixture
async def discord_standin() -> AsyncIterator[Standin]:
    """A stand-in; at the end there must have been no violation."""
    async with standin() as running:
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
        pytest.skip(f"{schema.ENV} leads to no specs/discord-openapi.json")
    async with standin() as running:
        yield running
