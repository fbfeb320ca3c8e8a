"""The commands in Telegram's menus."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram.ext import ExtBot

from bots.telegram.limiter import Limiter, Turn
from bots.telegram.menu import SCOPES, keep_in_step, menus
from bots.words import catalogue
from tests.telegram.refusals import Refused
from tests.telegram.server import Standin


@pytest.fixture
async def bot(telegram_standin: Standin) -> AsyncIterator[ExtBot[Turn]]:
    running = telegram_standin
    async with ExtBot(
        running.token, running.base_url, running.base_file_url, rate_limiter=Limiter()
    ) as bot:
        yield bot


def told(running: Standin) -> int:
    return sum(entry.method == "setMyCommands" for entry in running.world.requests)


async def test_each_chat_has_its_commands_in_each_language(
    bot: ExtBot[Turn], telegram_standin: Standin
) -> None:
    running = telegram_standin
    scene = running.scene
    anna, bob = scene.user("anna", language_code="de"), scene.user("bob", language_code="fr")
    group = scene.group("Club", anna, bob)
    await keep_in_step(bot)
    private, member, leader = (list(commands) for _, commands in SCOPES)
    assert anna.menu() == private
    assert bob.menu() == private
    assert anna.menu(group) == leader
    assert bob.menu(group) == member
    assert "settings" in leader
    assert "settings" not in member
    languages = {language for _, language in running.world.commands}
    assert languages == {"", "de", "es"}
    german = catalogue()["de"]
    described = [
        command["description"]
        for (_, language), commands in running.world.commands.items()
        for command in commands
        if language == "de"
    ]
    assert set(described) <= set(german.values())


async def test_only_what_changed_is_told_again(
    bot: ExtBot[Turn], telegram_standin: Standin
) -> None:
    running = telegram_standin
    await keep_in_step(bot)
    first = told(running)
    assert first == len(list(menus()))
    await keep_in_step(bot)
    assert told(running) == first
    running.world.commands.popitem()
    await keep_in_step(bot)
    assert told(running) == first + 1


async def test_a_refusal_is_explained_in_the_log(
    bot: ExtBot[Turn], telegram_standin: Standin, caplog: pytest.LogCaptureFixture
) -> None:
    running = telegram_standin
    running.faults.refuse("setMyCommands", Refused("BOT_COMMAND_INVALID"))
    await keep_in_step(bot)
    assert "Telegram refuses the commands" in caplog.text
