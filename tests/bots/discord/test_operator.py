"""What an operator is told: by the log, and by `kinora doctor`; and what a server's may settle."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bots.discord import sync
from bots.discord.desk import Discord as DiscordSettings
from bots.discord.remedies import unreachable
from core.errors import Transient
from tests.bots.discord.cinema import cinema, opened, settled, text, videos
from tests.discord.given import Impossible
from tests.discord.permissions import EVERYONE, Permission
from tests.discord.server import Standin
from tests.discord.shop import CONSUMABLE
from tests.house import Home
from tests.program import command, running

pytestmark = pytest.mark.timeout(300)


async def doctor(standin: Standin, folder: Path, **environment: str) -> tuple[int, str]:
    status, said, complained = await command(
        folder,
        "doctor",
        KINORA_DISCORD__TOKEN=standin.token,
        KINORA_DISCORD__API_URL=standin.api_url,
        KINORA_DISCORD__GATEWAY_URL=standin.gateway_url,
        KINORA_DISCORD__CDN_URL=standin.cdn_url,
        **environment,
    )
    assert standin.token not in said + complained
    return status, " ".join(said.split())


async def until_logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    async with asyncio.timeout(60):
        while words not in caplog.text:
            await asyncio.sleep(0.05)


async def test_a_wrong_token_is_explained(
    discord_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = replace(discord_standin, token="no-token-of-theirs")
    with caplog.at_level(logging.ERROR, "kinora.discord"):
        async with settled(wrong, tmp_path / "house"):
            await until_logged(caplog, "Reset Token")
    assert "KINORA_DISCORD__TOKEN" in caplog.text
    assert "no-token-of-theirs" not in caplog.text
    status, said = await doctor(wrong, tmp_path)
    assert status == 1
    assert "the token is refused" in said
    assert "Reset Token" in said


async def test_refused_intents_are_explained(
    discord_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "kinora.discord"):
        async with cinema(discord_standin, tmp_path):
            discord_standin.gateway.close(4014)
            await until_logged(caplog, "4014")
    assert "discord.com/developers" in caplog.text


async def test_a_missing_permission_is_explained(
    discord_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene = discord_standin.scene
    with caplog.at_level(logging.WARNING, "kinora.discord"):
        async with cinema(discord_standin, tmp_path / "house") as here:
            guild = scene.world.guilds[here.guild.id]
            everyone = guild.roles[guild.id]
            scene.grant(guild, everyone, int(EVERYONE & ~Permission.ATTACH_FILES))
            asked = here.anna.slash("create", here.room, prompt="a ball")
            await here.answer(asked, "*Attach Files*")
            status, said = await doctor(discord_standin, tmp_path)
            assert status == 1
            assert "Cinema (Attach Files)" in said
            assert "Server Settings, then Roles" in said
            other = scene.guild("Other", here.ben, installed=False)
            role = scene.world.guilds[other.id].roles[other.id]
            scene.grant(other, role, int(EVERYONE & ~Permission.SEND_MESSAGES))
            scene.install(other)
            await until_logged(caplog, "on Other the bot may not Send Messages")


async def test_doctor_greets_a_bot_that_is_well(discord_standin: Standin, tmp_path: Path) -> None:
    status, said = await doctor(discord_standin, tmp_path)
    assert status == 0
    assert "on no server yet" in said
    assert "oauth2/authorize?client_id=" in said
    scene = discord_standin.scene
    scene.guild("Cinema", scene.user("mia"))
    status, said = await doctor(discord_standin, tmp_path)
    assert status == 0
    assert "on 1 server " in said
    assert "oauth2/authorize?client_id=" in said
    status, said, _ = await command(tmp_path, "doctor")
    assert status == 0
    assert "no token, so no bot" in said


async def test_doctor_looks_at_the_portal(discord_standin: Standin, tmp_path: Path) -> None:
    scene, world = discord_standin.scene, discord_standin.world
    mia = scene.user("mia")
    scene.guild("Cinema", mia)
    other = scene.guild("Other", mia)
    role = world.guilds[other.id].roles[other.id]
    scene.grant(other, role, int(EVERYONE & ~Permission.VIEW_CHANNEL))
    installs = {"scopes": ["applications.commands", "bot"], "permissions": "0"}
    world.portal = {
        "bot_require_code_grant": True,
        "integration_types_config": {"0": {"oauth2_install_params": installs}},
    }
    status, said = await doctor(discord_standin, tmp_path, DISCORD_TOKEN="not-looked-at")
    assert status == 1
    assert "is no setting" not in said
    assert "on 2 servers" in said
    assert "Other (View Channels)" in said
    assert "Requires OAuth2 Code Grant" in said
    assert "check User Install" in said
    world.portal = {"integration_types_config": {"1": {}}}
    shop = discord_standin.shop
    wares = {
        "KINORA_PAYMENTS": "true",
        "KINORA_WARES__PACK__CREDITS": "500",
        "KINORA_WARES__PACK__SKU": shop.sku("500 credits", CONSUMABLE)["id"],
    }
    _, said = await doctor(discord_standin, tmp_path, **wares)
    assert "/buy offers pack" in said
    gone = {"KINORA_WARES__MORE__CREDITS": "900", "KINORA_WARES__MORE__SKU": "7"}
    _, said = await doctor(discord_standin, tmp_path, **wares, **gone)
    assert "more: SKU 7 is none of this app" in said
    assert "no server can add it" in said
    assert "User Install" not in said


async def test_somebody_elses_answer_is_explained(
    discord_standin: Standin,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy's page is no traceback, and the bot is there once Discord answers again."""
    for path in ("users/@me", "applications/@me", "users/@me/guilds"):
        discord_standin.faults.clear()
        discord_standin.faults.stray(f"GET /{path}")
        if path == "applications/@me":
            discord_standin.faults.stray(f"GET /oauth2/{path}")
        status, said = await doctor(discord_standin, tmp_path)
        assert status == 1
        assert f"what answers at {discord_standin.api_url} is not Discord's API" in said
        assert "KINORA_DISCORD__API_URL" in said
    discord_standin.faults.clear()
    discord_standin.faults.stray("GET /users/@me")
    discord_standin.faults.stray("GET /gateway/bot")
    async with opened(discord_standin, tmp_path / "house"):
        assert caplog.text.count("is not Discord's API") == 2
    monkeypatch.setattr(sync, "AGAIN_SECONDS", 0.1)
    discord_standin.faults.stray("PUT /applications/*/commands")
    with caplog.at_level(logging.INFO, "kinora.discord"):
        async with opened(discord_standin, tmp_path / "house"):
            await until_logged(caplog, "the commands are not registered yet: what answers at")
            await until_logged(caplog, "Discord knows")
    assert "Traceback" not in caplog.text


async def test_a_refused_gateway_is_explained_in_a_line(
    discord_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """DEBUG alone brings tracebacks; /readyz tells of the bot, and stays ready."""
    discord_standin.gateway.open = False
    async with settled(discord_standin, tmp_path) as home:
        await until_logged(caplog, "gateway can't be reached (503")
        async with home.client() as client, client.get("/readyz") as answer:
            told = await answer.json()
            assert (answer.status, told["ready"], told["bots"]) == (200, True, {"discord": False})
        assert "KINORA_DISCORD__GATEWAY_URL" in caplog.text
        assert "Traceback" not in caplog.text
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "kinora.discord"):
            await until_logged(caplog, "Traceback")
        discord_standin.gateway.open = True
        await discord_standin.gateway.ready()
        await until_told(home, {"discord": True})
        discord_standin.gateway.open = False
        discord_standin.gateway.drop()
        await until_told(home, {"discord": False})


async def until_told(home: Home, bots: dict[str, bool]) -> None:
    async with asyncio.timeout(60), home.client() as client:
        while True:
            async with client.get("/readyz") as answer:
                if (await answer.json())["bots"] == bots:
                    return
            await asyncio.sleep(0.05)


async def test_doctor_knows_what_is_no_token_and_asks_nobody(tmp_path: Path) -> None:
    for token, says in (
        ("123456789012345678", "the application's id"),
        ("0123456789abcdef" * 4, "public key"),
        ("abcdefghijklmnop_-ABCDEFGHIJKLMN", "client secret"),
        ("Bot abc.def.ghi", "three parts"),
    ):
        status, said, complained = await command(
            tmp_path, "doctor", KINORA_DISCORD__TOKEN=token, HTTPS_PROXY="http://127.0.0.1:9"
        )
        assert status == 1
        assert says in said
        assert "Reset Token" in said
        assert token not in said + complained


async def test_a_network_that_is_down_is_not_discords_trouble() -> None:
    discord = DiscordSettings("a.token.here")
    away = unreachable(discord, OSError("Network is unreachable"))
    assert "this machine's own connection" in away
    assert "discordstatus" not in away
    assert "discordstatus" in unreachable(discord, Transient("not Discord's API", 5.0))


async def test_serve_ends_its_start_with_how_each_bot_stands(
    discord_standin: Standin, tmp_path: Path
) -> None:
    discord_standin.scene.guild("Cinema", discord_standin.scene.user("mia"))
    environment = {
        "KINORA_DISCORD__TOKEN": discord_standin.token,
        "KINORA_DISCORD__API_URL": discord_standin.api_url,
        "KINORA_DISCORD__GATEWAY_URL": discord_standin.gateway_url,
        "KINORA_DISCORD__CDN_URL": discord_standin.cdn_url,
        "KINORA_TELEGRAM__TOKEN": "1:a",
        "KINORA_TELEGRAM__API_URL": "http://127.0.0.1:9",
    }
    async with running(tmp_path, **environment) as program:
        assert program.process.stdout is not None
        said = [(await program.process.stdout.readline()).decode().strip() for _ in range(2)]
    name = discord_standin.world.app.name
    assert said[0].startswith(f"Discord: {name}")
    assert said[0].endswith(" on 1 server")
    assert said[1].startswith("Telegram: not connected: Telegram can't be reached (")
    assert said[1].endswith("See `kinora doctor`")
    log = (tmp_path / "log.txt").read_text()
    assert "PyNaCl" not in log
    assert "davey" not in log
    assert "Traceback" not in log


async def test_a_server_is_settled_by_those_who_manage_it(
    discord_standin: Standin, tmp_path: Path
) -> None:
    scene = discord_standin.scene

    async def settle(**said: Any) -> str:
        return text(await here.answer(here.mia.slash("settings", here.room, **said), "Kinora on"))

    async with cinema(discord_standin, tmp_path) as here:
        told = await settle(
            length=1.0, longest=2.0, resolution="144p", largest="144p", safety="strict"
        )
        assert "1 s; 2 s at most" in told
        assert "Safety: strict" in told
        assert "Safety: as the operator has it" in await settle(safety="any")
        assert "144p; 144p at most" in told
        card = await here.clip(here.anna.slash("create", here.room, prompt="a ball"))
        assert "1 s · 144p" in text(card)
        too_long = here.anna.slash("create", here.room, prompt="a ball", length=3.0)
        said = await here.answer(too_long, "Here a clip can be up to 2 seconds")
        assert "Nothing was charged." in text(said)
        too_large = here.anna.slash("create", here.room, prompt="a ball --res 240p")
        await here.answer(too_large, "Here a clip can be up to 144p")
        longer = here.anna.press(card, "Extend")
        assert videos(await here.clip(longer))
        larger = here.anna.press(card, "Upscale")
        await here.answer(larger, "Here a clip can be up to 144p")

        # One channel alone, and its threads; the others say where.
        studio = scene.channel(here.guild, "studio")
        await settle(where=studio)
        elsewhere = here.anna.slash("create", here.room, prompt="a ball")
        await here.answer(elsewhere, f"Kinora is used in <#{studio.id}>")
        thread = scene.thread(studio, "takes", here.anna)
        assert videos(await here.clip(here.anna.slash("create", thread, prompt="a ball")))

        # Private by default, and back again.
        told = await settle(where=studio, private=True, longest=0.0, model="sketch")
        assert "as long as the model can" in told
        assert "Model: sketch" in told
        hidden = await here.clip(here.anna.slash("create", here.room, prompt="a ball"))
        assert hidden.audience == here.anna.id
        shown = await here.clip(
            here.anna.slash("create", here.room, prompt="a ball", private=False)
        )
        assert shown.audience is None

        # A channel that was named and is gone counts no more.
        assert f"<#{studio.id}>" in await settle(where=studio)
        scene.delete_channel(studio)
        assert "all that I may write in" in await settle(private=False)

        # Rules are the server's: elsewhere all is as it was.
        there = scene.channel(scene.guild("Other", here.anna), "general")
        free = await here.clip(here.anna.slash("create", there, prompt="a ball", length=3.0))
        assert free.audience is None


async def test_only_who_manages_a_server_settles_it(
    discord_standin: Standin, tmp_path: Path
) -> None:
    """Discord sees to it, and Kinora too, where a server's admins opened the command to all."""
    async with cinema(discord_standin, tmp_path) as here:
        with pytest.raises(Impossible):
            here.anna.slash("settings", here.room, private=True)
        for command in discord_standin.world.commands.values():
            command["default_member_permissions"] = None
        asked = here.anna.slash("settings", here.room, private=True)
        await here.answer(asked, "Only who may manage a server")
        assert "for all" in text(await here.answer(here.mia.slash("settings", here.room), "Cards:"))
