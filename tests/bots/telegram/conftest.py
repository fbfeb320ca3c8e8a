"""The bot in a house of its own, against a Telegram of our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bots.logged import errors
from tests.telegram.conftest import telegram_standin

__all__ = ("telegram_standin",)

OURS = ("kinora", "telegram", "asyncio")
"""Loggers."""


@pytest.fixture(autouse=True)
def _nothing_broke(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """No error was logged, but where one is explained."""
    yield
    if "explained" not in request.node.name:
        broken = errors(caplog, OURS)
        assert not broken, broken
