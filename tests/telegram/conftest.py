"""A Telegram for each test. Whoever drives a bot with it imports the fixture from here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.standin.shared import ENV
from tests.telegram import schema
from tests.telegram.server import Standin, standin
from tests.telegram.wire import Wire, wired


@pytest.fixture
async def telegram_standin() -> AsyncIterator[Standin]:
    """A stand-in; at the end there must have been no violation."""
    async with standin() as running:
        yield running
        assert not running.violations, "\n".join(running.violations)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """Plain HTTP to a stand-in whose rules a test breaks on purpose; its clock stands still."""
    async with standin(judged=False) as running, wired(running) as wire:
        running.clock.stop()
        yield wire


@pytest.fixture
async def judged() -> AsyncIterator[Wire]:
    """The same with the Bot API's own description."""
    if schema.description() is None:
        pytest.skip(f"{ENV} leads to no specs/telegram-bot-api-10.0.json")
    async with standin() as running, wired(running) as wire:
        running.clock.stop()
        yield wire
