"""The bot in a house of its own, against a Discord of our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bots.logged import errors
from tests.discord.conftest import discord_standin

__all__ = ("discord_standin",)

OURS = ("kinora", "discord", "asyncio")
"""Loggers. The database's pool also speaks of loops that are cancelled at closing."""


@pytest.fixture(autouse=True)
def _nothing_broke(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """No error was logged, but where one is explained."""
    yield
    if "explained" in request.node.name:
        return
    broken = errors(caplog, OURS)
    assert not broken, broken
