"""One person on Discord, on Telegram and on the page: one wallet, one queue, one history."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bots import app
from bots.cli import app as cli
from bots.settings import Discord
from core.job import Identity
from tests.bots.discord import cinema as on_discord
from tests.bots.discord.cinema import text
from tests.bots.projector import Projector
from tests.bots.telegram import cinema as on_telegram
from tests.discord.server import Standin as DiscordStandin
from tests.house import Home, house
from tests.storage.books import faults
from tests.telegram.server import Standin as TelegramStandin

pytestmark = pytest.mark.timeout(300)
CODE = re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}")


@dataclass(frozen=True)
class Town:
    """The same program on both platforms."""

    home: Home
    discord: on_discord.Cinema
    telegram: on_telegram.Cinema


@asynccontextmanager
async def town(
    discord: DiscordStandin, telegram: TelegramStandin, folder: Path, engine: Projector
) -> AsyncIterator[Town]:
    settings = Discord(
        token=SecretStr(discord.token),
        api_url=discord.api_url,
        gateway_url=discord.gateway_url,
        cdn_url=discord.cdn_url,
    )
    anna, ben, mia = (discord.scene.user(name) for name in ("anna", "ben", "mia"))
    guild = discord.scene.guild("Cinema", mia, anna, ben)
    room = discord.scene.channel(guild, "general")
    people = [telegram.scene.user(name) for name in ("anna", "ben", "mia")]
    group = telegram.scene.group("Cinema", people[2], *people[:2])
    other = on_telegram.settings(telegram)
    async with house(folder, discord=settings, telegram=other, engine=engine) as home:
        await discord.gateway.ready()
        await discord.world.until(lambda: discord.world.commands, "the commands")
        await telegram.world.until(lambda: telegram.updates.asked, "a poll")
        yield Town(
            home,
            on_discord.Cinema(discord, home, guild, room, anna, ben, mia),
            on_telegram.Cinema(telegram, home, group, *people),
        )


@asynccontextmanager
async def browser(home: Home, name: str) -> AsyncIterator[aiohttp.ClientSession]:
    link = await app.new_link(home.store, home.url, Identity("web", name), name)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(home.url, cookie_jar=jar) as session:
        async with session.get(link) as answer:
            assert answer.status == 200
        yield session


async def page(session: aiohttp.ClientSession, path: str = "/link") -> str:
    async with session.get(path) as answer:
        assert answer.status == 200
        return await answer.text()


async def send(session: aiohttp.ClientSession, path: str, **fields: str) -> tuple[int, str]:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', await page(session))
    assert found
    async with session.post(path, data={"token": found[1], **fields}) as answer:
        return answer.status, await answer.text()


def code_in(words: str) -> str:
    found = CODE.search(words)
    assert found, words
    return found[0]


async def test_one_person_everywhere(
    discord_standin: DiscordStandin, telegram_standin: TelegramStandin, tmp_path: Path
) -> None:
    engine = Projector()
    async with town(discord_standin, telegram_standin, tmp_path, engine) as here:
        discord, telegram, home = here.discord, here.telegram, here.home
        anna, room = discord.anna, discord.room

        made = await discord.answer(anna.slash("link", room), "Join your accounts")
        assert made.audience == anna.id
        code = code_in(text(made))
        await discord.answer(anna.slash("link", room, code=code), "This code is your own")
        wrong = anna.slash("link", room, code="AAAAA-AAAAA")
        await discord.answer(wrong, "This code opens nothing")
        read = telegram.anna.say(f"/link {code}", telegram.group)
        await telegram.answer(read, "it opens nothing any more")
        await telegram.answer(telegram.anna.say(f"/link {code}"), "This code opens nothing")

        made = await discord.answer(anna.slash("link", room), "Join your accounts")
        asked = telegram.anna.say(f"/link {code_in(text(made)).lower().replace('-', ' ')}")
        card = await telegram.answer(asked, "Join these accounts?")
        assert "that of Anna on Discord" in card.text
        assert "2000 credits" in card.text
        assert await telegram.funds(telegram.anna) == (1000, 0)
        telegram.anna.press(card, "Join them")
        await telegram.until(card, lambda message: "Joined" in message.text)
        assert await telegram.funds(telegram.anna) == await discord.funds(anna) == (2000, 0)
        dm = discord_standin.scene.dm(anna)
        told = await discord.said(dm, "Your account was joined with that of")
        assert f"telegram:{telegram.anna.id}" in text(told).replace("\\", "")

        shown = await telegram.answer(telegram.anna.say("/me"), "Linked: Discord and Telegram")
        assert "2000 credits" in shown.text
        telegram.anna.say("a red ball --seconds 1")
        job_id, attempt, spec = await engine.next()
        queue = await discord.answer(anna.slash("queue", room), job_id)
        assert "1 running" in text(queue)

        async with browser(home, "anna") as page_of_anna:
            assert job_id not in await page(page_of_anna, "/")
            status, said = await send(page_of_anna, "/link", code="nothing at all")
            assert (status, "A code has ten letters" in said) == (422, True)
            _, said = await send(page_of_anna, "/link/code")
            card_of_page = anna.slash("link", room, code=code_in(said))
            offered = await discord.answer(card_of_page, "Join these accounts?")
            assert "3000 credits" not in text(offered), "one is held for what runs"
            anna.press(offered, "Join them")
            await card_of_page.message(lambda message: "Joined" in text(message))
            assert job_id in await page(page_of_anna, "/")
            await telegram_standin.world.until(
                lambda: any("Your account was joined" in m.text
                            for m in telegram_standin.world.messages.values()),
                "word of it on Telegram",
            )  # fmt: skip

            await engine.finish(job_id, attempt, spec)
            clip = await discord.clip(anna.slash("show", room, clip=job_id))
            assert discord.bytes_of(clip)
            all_have = (await discord.funds(anna))[0]
            assert await telegram.funds(telegram.anna) == (all_have, 0)

            asked = telegram.anna.say("/unlink")
            card = await telegram.answer(asked, "stay with Discord and the page")
            telegram.anna.press(card, "Leave it")
            await telegram.until(card, lambda message: "Parted" in message.text)
            assert await telegram.funds(telegram.anna) == (0, 0)
            assert await discord.funds(anna) == (all_have, 0)
            made = await discord.answer(anna.slash("link", room), "Join your accounts")
            soon = telegram.anna.say(f"/link {code_in(text(made))}")
            await telegram.answer(soon, "left another account lately")
            async with page_of_anna.get("/link", allow_redirects=False) as answer:
                assert answer.status == 401, "nobody knows whose browser it is"

        made = await discord.answer(anna.slash("link", room), "Join your accounts")
        async with browser(home, "ben") as page_of_ben:
            status, said = await send(page_of_ben, "/link", code=code_in(text(made)))
            assert (status, "Both are on the page already" in said) == (403, True)
        async with browser(home, "anna") as again:
            status, said = await send(again, "/link/part")
            assert status == 200
            assert "Leave this account" not in said
            assert job_id not in await page(again, "/")
        assert await discord.funds(anna) == (all_have, 0)
        assert await faults(home.store) == []


async def test_an_operator_joins_and_parts(tmp_path: Path) -> None:
    shell = CliRunner(env={"KINORA_DATA_DIR": str(tmp_path / "data")})

    async def do(*words: str, status: int = 0) -> str:
        result = await asyncio.to_thread(shell.invoke, cli, ["admin", *words])
        assert result.exit_code == status, result.stderr
        return (result.stderr if status else result.stdout).strip()

    for name in ("anna", "ben"):
        await do("key", name)
        await do("grant", name, "20")
    dry = await do("merge", "ben", "anna", "--dry-run")
    assert dry.startswith("Nothing is done yet.")
    assert "web:ben" not in await do("show", "anna")
    done = json.loads(await do("merge", "ben", "anna", "--json"))
    assert "goes into account 1 with" in done["words"]
    assert "web:anna web:ben" in await do("show", "2#")
    assert "one account already" in await do("merge", "ben", "anna", status=1)
    await do("unlink", "ben")
    assert "no other name" in await do("unlink", "ben", status=1)
    assert "· merge ·" in await do("audit")
    assert "unchanged" in await do("audit", "verify")
