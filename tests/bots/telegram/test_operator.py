"""What an operator is told by the log where Telegram does not let the bot in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from core.job import Job
from core.lobby import Lobby
from tests.bots.projector import Reel
from tests.bots.telegram.cinema import cinema, settled
from tests.house import Home
from tests.telegram.server import Standin
from tests.telegram.smallest import polling

pytestmark = pytest.mark.timeout(300)


async def until_logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    async with asyncio.timeout(60):
        while words not in caplog.text:
            await asyncio.sleep(0.05)


async def test_a_wrong_token_is_explained(
    telegram_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest of the house goes on."""
    wrong = replace(telegram_standin, token="7000000001:no-token-of-theirs-but-as-long-as-one")
    caplog.set_level(logging.INFO)
    async with settled(wrong, tmp_path) as home:
        await until_logged(caplog, "BotFather")
        async with home.client() as client, client.get("/healthz") as answer:
            assert answer.status == 200
    assert "KINORA_TELEGRAM__TOKEN" in caplog.text
    assert "no-token-of-theirs" not in caplog.text


async def test_a_token_that_is_revoked_is_explained(
    telegram_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Telegram is asked no more; the rest of the house goes on."""
    async with cinema(telegram_standin, tmp_path) as here:
        telegram_standin.world.token = "7000000001:another-token-that-is-good-from-now"
        here.anna.say("a ball")
        await until_logged(caplog, "BotFather")
        async with here.home.client() as client, client.get("/healthz") as answer:
            assert answer.status == 200
    assert telegram_standin.token not in caplog.text


async def test_cards_that_nobody_keeps_any_more_are_explained_and_the_bot_comes_back(
    telegram_standin: Standin,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unfinished, tries = Lobby.unfinished, count(1)

    async def broken_at_first(lobby: Lobby) -> Sequence[Job]:
        if next(tries) == 1:
            raise RuntimeError("what nobody foresaw")
        return await unfinished(lobby)

    monkeypatch.setattr(Lobby, "unfinished", broken_at_first)
    monkeypatch.setattr("bots.telegram.client.SOON_SECONDS", 0.1)
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        await until_logged(caplog, "the bot broke")
        await here.clip(here.anna.say("a ball --seconds 0.5"))


async def test_a_second_poller_is_explained(
    telegram_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """When it is gone, the bot works again."""
    caplog.set_level(logging.INFO)
    async with cinema(telegram_standin, tmp_path) as here:
        async with polling(telegram_standin, []):
            await until_logged(caplog, "another")
        await here.clip(here.anna.say("a ball --seconds 0.5"))
    assert "same token" in caplog.text


async def test_somebody_elses_answer_is_explained(
    telegram_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy's page is no traceback, and its 404 no word of the token; /readyz tells of the bot,
    and stays ready."""
    telegram_standin.faults.broken("getMe", status=200, page=True)
    async with cinema(telegram_standin, tmp_path) as here:
        assert "what answers there is not Telegram's Bot API" in caplog.text
        await until_told(here.home, {"telegram": True})
        telegram_standin.faults.broken("getUpdates", 1000, status=200, page=True)
        here.anna.say("a ball --seconds 0.5")
        await until_told(here.home, {"telegram": False})
        telegram_standin.faults.clear()
        await until_told(here.home, {"telegram": True})
        telegram_standin.faults.broken("getUpdates", status=404)
        await here.clip(here.anna.say("a ball --seconds 0.5"))
    assert "BotFather" not in caplog.text
    assert "Traceback" not in caplog.text


async def until_told(home: Home, bots: dict[str, bool]) -> None:
    """Wait until /readyz says so of the bots."""
    async with asyncio.timeout(90), home.client() as client:
        while True:
            async with client.get("/readyz") as answer:
                told = await answer.json()
                assert (answer.status, told["ready"]) == (200, True)
                if told["bots"] == bots:
                    return
            await asyncio.sleep(0.05)


async def test_no_token_is_in_the_log(
    telegram_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with cinema(telegram_standin, tmp_path) as here:
        telegram_standin.faults.broken("edit*", 2)
        telegram_standin.faults.lose("sendMessage")
        await here.clip(here.anna.say("a ball --seconds 0.5"))
    ours = [r for r in caplog.records if not r.name.startswith(("aiohttp", "asyncio"))]
    leaks = [r.name for r in ours if telegram_standin.token in r.getMessage()]
    assert not leaks, leaks
