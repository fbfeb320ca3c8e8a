"""One house for the tests of a module: it takes a second to open; both platforms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.discord.conftest import discord_standin
from tests.house import Inn, inn
from tests.telegram.conftest import telegram_standin

__all__ = ("discord_standin", "telegram_standin")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    with inn(tmp_path_factory.mktemp("house")) as opened:
        yield opened
