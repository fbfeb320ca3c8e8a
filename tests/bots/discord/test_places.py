"""Servers, threads, direct messages, guests; cards for one person; channels for adults."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bots.app import new_key
from bots.discord.attachments import Cdn
from core.errors import BadPicture
from core.job import Identity
from tests.bots.discord.cinema import cinema, opened, text, videos
from tests.bots.projector import Projector
from tests.discord import components
from tests.discord.permissions import Permission
from tests.discord.server import Standin

pytestmark = pytest.mark.timeout(300)


async def test_threads_and_direct_messages(discord_standin: Standin, tmp_path: Path) -> None:
    scene = discord_standin.scene
    async with cinema(discord_standin, tmp_path) as here:
        thread = scene.thread(here.room, "takes", here.anna)
        assert videos(await here.clip(here.anna.slash("create", thread, prompt="a", length=1)))
        scene.deny_app(here.room, Permission.SEND_MESSAGES_IN_THREADS)
        refused = here.anna.slash("create", thread, prompt="a ball")
        await here.answer(refused, "*Send Messages in Threads*")
        chat = scene.dm(here.anna)
        card = await here.clip(here.anna.slash("create", chat, prompt="b", length=1))
        await here.said(chat, "Your clip is done.")
        assert videos(await here.clip(here.anna.press(card, "Again")))


async def test_a_guest_restarts_without_losing_its_card(
    discord_standin: Standin, tmp_path: Path
) -> None:
    scene, engine = discord_standin.scene, Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        zoe = scene.user("zoe", installed=True)
        group = scene.group(zoe, here.ben, here.mia)
        asked = zoe.slash("create", group, prompt="a ball")
        await asked.message()
        await engine.next()
    engine = Projector()
    async with opened(discord_standin, tmp_path, engine=engine):
        await engine.finish(*await engine.next())
        card = await asked.message(videos)
        assert card.id == asked.now.original_id


async def test_a_guest_is_reached_by_its_token(discord_standin: Standin, tmp_path: Path) -> None:
    scene = discord_standin.scene
    async with cinema(discord_standin, tmp_path) as here:
        zoe = scene.user("zoe", installed=True)
        abroad = scene.channel(scene.guild("Abroad", zoe, installed=False), "general")
        card = await here.clip(zoe.slash("create", abroad, prompt="a ball", length=1))
        await here.said(abroad, "Your clip is done.")
        assert videos(await here.clip(zoe.press(card, "Again")))
        zoe.press(card, "Delete")
        await discord_standin.world.until(
            lambda: card.id not in discord_standin.world.messages, "the card deleted"
        )


async def test_a_private_card_is_seen_by_nobody_else(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        card = await here.clip(
            here.anna.slash("create", here.room, prompt="a secret", length=1, private=True)
        )
        assert card.audience == here.anna.id
        again = await here.clip(here.anna.press(card, "Again"))
        assert again.audience == here.anna.id
        for command in ("again", "extend", "show"):
            said = await here.answer(here.anna.slash(command, here.room), "for you alone")
            assert said.audience == here.anna.id
        others = [m for m in discord_standin.messages(here.room) if m.audience is None]
        assert others == []
        assert len(await here.home.studio.history(await here.account(here.anna))) == 2
        shown = await here.clip(here.anna.slash("show", here.room, private=False))
        assert shown.audience is None


async def test_moderators_have_a_say_where_a_card_is(
    discord_standin: Standin, tmp_path: Path
) -> None:
    scene = discord_standin.scene
    async with cinema(discord_standin, tmp_path) as here:
        card = await here.clip(here.anna.slash("create", here.room, prompt="a ball", length=1))
        there = scene.channel(scene.guild("Other", here.ben, here.anna), "general")
        shown = await here.clip(here.anna.slash("show", there))
        here.ben.press(shown, "Delete")
        await discord_standin.world.until(
            lambda: shown.id not in discord_standin.world.messages, "what he sees deleted"
        )
        assert videos(discord_standin.newest(card))
        assert len(await here.home.studio.history(await here.account(here.anna))) == 1


async def test_a_private_card_that_takes_long_comes_directly(
    discord_standin: Standin, tmp_path: Path
) -> None:
    engine, clock = Projector(), discord_standin.clock
    async with cinema(discord_standin, tmp_path, engine=engine, clock=clock.date) as here:
        asked = here.anna.slash("create", here.room, prompt="a secret", private=True)
        await asked.message()
        job_id, attempt, spec = await engine.next()
        clock.jump(1200)
        await engine.finish(job_id, attempt, spec)
        chat = discord_standin.scene.dm(here.anna)
        await discord_standin.world.until(
            lambda: [m for m in discord_standin.messages(chat) if videos(m)], "a direct message"
        )


async def test_what_was_made_among_adults_stays_there(
    discord_standin: Standin, tmp_path: Path
) -> None:
    scene = discord_standin.scene
    async with cinema(discord_standin, tmp_path) as here:
        adult = scene.channel(here.guild, "after-dark", nsfw=True)
        await here.clip(here.anna.slash("create", adult, prompt="a ball", length=1))
        refused = here.anna.slash("show", here.room)
        said = await here.answer(refused, "age-restricted")
        assert said.audience == here.anna.id
        shown = await here.clip(here.anna.slash("show", here.room, private=True))
        assert shown.audience == here.anna.id
        assert videos(await here.clip(here.anna.slash("show", adult)))
        for command in ("again", "extend"):
            await here.answer(here.anna.slash(command, here.room), "age-restricted")
        assert len(await here.home.studio.history(await here.account(here.anna))) == 1
        longer = await here.clip(here.anna.slash("extend", here.room, private=True))
        assert longer.audience == here.anna.id
        await here.answer(here.anna.slash("show", here.room), "age-restricted")
        assert videos(await here.clip(here.anna.slash("show", scene.dm(here.anna))))


async def test_a_card_moves_where_it_is_shown_again(
    discord_standin: Standin, tmp_path: Path
) -> None:
    engine = Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        other = discord_standin.scene.channel(here.guild, "other")
        asked = here.anna.slash("create", here.room, prompt="a ball")
        first = await asked.message()
        job_id, attempt, spec = await engine.next()
        engine.progress(job_id, attempt, 1, 2)
        shown = here.anna.slash("show", other, clip=job_id)
        await shown.message(lambda m: "step 1 of 2" in text(m))
        await asked.message(lambda m: "This card goes on at" in text(m))
        await engine.finish(job_id, attempt, spec)
        assert videos(await here.clip(shown))
        assert not videos(discord_standin.newest(first))
        missing = here.ben.slash("show", other, clip=job_id)
        await here.answer(missing, "There is no such clip.")


async def test_what_is_deleted_on_the_page_leaves_its_card(
    discord_standin: Standin, tmp_path: Path
) -> None:
    """And a contact sheet shows what is left."""
    async with cinema(discord_standin, tmp_path) as here:
        card = await here.clip(here.anna.slash("create", here.room, prompt="a ball", length=1))
        asked = here.anna.press(card, "×4 · 4 credits")
        await asked.message(lambda m: len(videos(m)) == 4)
        newest, *_, oldest = await here.home.studio.history(await here.account(here.anna))
        identity = Identity("discord", str(here.anna.id))
        _, key = await new_key(here.home.store, identity, "anna")
        async with here.home.client(key) as client:
            for view in (oldest, newest):
                where = f"/api/v1/clips/{view.job.id}?forget=true"
                async with client.delete(where) as answer:
                    assert answer.status == 204
        await discord_standin.world.until(
            lambda: card.id not in discord_standin.world.messages, "the card deleted"
        )
        sheet = await asked.message(lambda m: len(videos(m)) == 3)
        assert newest.job.id not in str(sheet.components)
        assert await here.home.store.places.post(oldest.job.place) is None


async def test_pictures_come_from_discord_alone(discord_standin: Standin, tmp_path: Path) -> None:
    """A payload that names another host fetches nothing, whatever sends it."""
    cdn = Cdn(discord_standin.cdn_url)
    for url in ("http://127.0.0.1:1/secret.png", "file:///etc/passwd", "secret.png"):
        elsewhere = SimpleNamespace(size=10, url=url)
        with pytest.raises(BadPicture, match="from Discord alone"):
            await cdn.fetch(cast(discord.Attachment, elsewhere))
    large = SimpleNamespace(size=30_000_000, url=f"{discord_standin.cdn_url}/a.png")
    with pytest.raises(BadPicture, match="up to 20 MB"):
        await cdn.fetch(cast(discord.Attachment, large))


async def test_pictures_come_by_the_operators_proxy() -> None:
    """Whose address may have a path."""

    async def serve(request: web.Request) -> web.Response:
        return web.Response(body=request.path_qs.encode())

    site = web.Application()
    site.router.add_get("/cdn/{rest:.*}", serve)
    async with TestServer(site) as server:
        cdn = Cdn(str(server.make_url("/cdn")))
        picture = SimpleNamespace(size=3, url="https://cdn.discordapp.com/attachments/1/a.png?ex=7")
        fetched = await cdn.fetch(cast(discord.Attachment, picture))
        assert fetched == b"/cdn/attachments/1/a.png?ex=7"


async def test_the_page_is_opened_for_the_author_alone(
    discord_standin: Standin, tmp_path: Path
) -> None:
    options = {"public_url": "https://kinora.example.org"}
    async with cinema(discord_standin, tmp_path, **options) as here:
        card = await here.clip(here.anna.slash("create", here.room, prompt="a ball", length=1))
        await here.answer(here.ben.press(card, "On the page"), "This is Anna's clip.")
        said = await here.answer(here.anna.press(card, "On the page"), "opens your page")
        assert said.audience == here.anna.id
        # Behind a button: whoever draws previews of links in messages would use it up.
        assert "/open/" not in text(said)
        (url,) = [str(c["url"]) for c in components.walk(said.components) if "url" in c]
        code = url.rpartition("/open/")[2]
        async with here.home.client(None) as client:
            client.headers["Host"] = "kinora.example.org"
            async with client.get(f"/open/{code}", allow_redirects=False) as answer:
                assert answer.status in (200, 303)
