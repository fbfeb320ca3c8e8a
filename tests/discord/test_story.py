"""The unmodified library lives through a story with the stand-in, and through its troubles."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest

from tests.bots.pictures import landscape, png
from tests.discord.cdn import Upload
from tests.discord.server import Standin
from tests.discord.smallest import Sharded, Smallest, logged_in
from tests.discord.users import Person
from tests.discord.world import Channel, Message

PICTURE = png(landscape(64, 36))


def cinema(running: Standin) -> tuple[Person, Channel]:
    alice = running.scene.user("alice")
    return alice, running.scene.channel(running.scene.guild("Cinema", alice), "general")


def shows_a_clip(message: Message) -> bool:
    return any(attachment.video for attachment in message.attachments)


async def heard(client: Any, event: str) -> None:
    async with asyncio.timeout(30):
        while await client.heard.get() != event:
            pass


async def test_a_clip_from_command_to_button(discord_standin: Standin) -> None:
    running = discord_standin
    alice, room = cinema(running)
    async with logged_in(running):
        await running.gateway.ready()
        asked = alice.slash("create", room, prompt="a red ball", image=PICTURE, length=7)
        await asked.acknowledged()
        message = await asked.message()
        assert running.world.cdn.read(message.attachments[0]) == PICTURE
        assert [sight.message_id for sight in alice.clips()] == [message.id]

        pressed = alice.press(message, "Again")
        again = await pressed.message(lambda m: "again" in str(m.components))
        assert again.id == message.id

        edit = alice.press(again, "Edit")
        submitted = await alice.submit_modal(edit, {"Prompt": "a blue ball"})
        private = await submitted.message()
        assert private.content == "edited: a blue ball"
        assert private.ephemeral

        posted = alice.post(room, "look", [Upload("cat.png", PICTURE)])
        animated = alice.message_command("Animate this", posted)
        assert (await animated.message()).content == "1 pictures"

        typing = alice.autocomplete("create", room, "prompt", prompt="a cat")
        assert (await typing.choices())[0]["name"] == "a cat in the rain"
    assert len(running.latencies()) == 5 + 1
    assert running.unacknowledged() == 0


async def test_buttons_work_after_a_restart(discord_standin: Standin) -> None:
    running = discord_standin
    alice, room = cinema(running)
    async with logged_in(running):
        await running.gateway.ready()
        message = await alice.slash("create", room, prompt="a red ball").message()
    async with logged_in(running):
        await running.gateway.ready()
        again = await alice.press(message, "Again").message(lambda m: "again" in str(m.components))
        assert again.id == message.id


@pytest.mark.parametrize("place", ["thread", "dm", "abroad", "group"])
async def test_everywhere(discord_standin: Standin, place: str) -> None:
    running, scene = discord_standin, discord_standin.scene
    alice, room = cinema(running)
    bob = scene.user("bob", installed=True)
    where = {
        "thread": lambda: scene.thread(room, "clips", alice),
        "dm": lambda: scene.dm(bob),
        "abroad": lambda: scene.channel(scene.guild("Elsewhere", bob, installed=False), "far"),
        "group": lambda: scene.group(bob, alice, scene.user("carol")),
    }[place]()
    async with logged_in(running):
        await running.gateway.ready()
        person = alice if place == "thread" else bob
        message = await person.slash("create", where, prompt="a red ball").message()
        assert shows_a_clip(message)
        await person.press(message, "Again").acknowledged()


async def test_events_of_a_gap_are_told_after_resuming(discord_standin: Standin) -> None:
    running = discord_standin
    alice, room = cinema(running)
    async with logged_in(running) as client:
        await running.gateway.ready()
        running.gateway.drop()
        await running.world.until(lambda: running.gateway.connected == 0)
        asked = alice.slash("create", room, prompt="a red ball")
        await asked.message()
        await heard(client, "resumed")


async def test_a_request_to_reconnect(discord_standin: Standin) -> None:
    running = discord_standin
    alice, room = cinema(running)
    async with logged_in(running) as client:
        await running.gateway.ready()
        running.gateway.reconnect()
        await heard(client, "resumed")
        await alice.slash("create", room, prompt="a red ball").message()


@pytest.mark.parametrize("resumable", [True, False])
async def test_an_invalid_session(discord_standin: Standin, resumable: bool) -> None:
    running = discord_standin
    alice, room = cinema(running)
    async with logged_in(running) as client:
        await running.gateway.ready()
        await heard(client, "connected")
        running.gateway.invalidate(resumable)
        await heard(client, "resumed" if resumable else "connected")
        await alice.slash("create", room, prompt="a red ball").message()


async def test_too_many_requests_are_waited_for_with_via_alone(discord_standin: Standin) -> None:
    running = discord_standin
    alice, room = cinema(running)
    async with logged_in(running):
        await running.gateway.ready()
        storm = running.faults.too_many("PATCH /webhooks/*", 3)
        await alice.slash("create", room, prompt="a red ball").message()
        assert storm.hit == 3
        running.faults.too_many("PATCH /webhooks/*", via=False)
        asked = alice.slash("create", room, prompt="a red ball")
        await asked.acknowledged()
        await running.world.until(lambda: not running.faults.waiting)
        assert asked.now.original_id is not None
        assert running.world.messages[asked.now.original_id].loading


async def test_a_wrong_token(discord_standin: Standin) -> None:
    with pytest.raises(discord.LoginFailure):
        async with logged_in(discord_standin, token="wrong") as client:
            await client.ended


async def test_a_missing_intent(discord_standin: Standin) -> None:
    discord_standin.world.intents_allowed = discord.Intents(guilds=True).value
    client = Smallest(intents=discord.Intents(guilds=True, message_content=True))
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with logged_in(discord_standin, client) as client:
            await client.ended


async def test_shards(discord_standin: Standin) -> None:
    running = discord_standin
    running.gateway.shards = 2
    alice, room = cinema(running)
    other = (room.guild_id or 0) + (1 << 22)
    far = running.scene.channel(running.scene.guild("Far", alice, guild_id=other), "far")
    async with logged_in(running, Sharded()):
        await running.gateway.ready(2)
        for where in (room, far):
            await alice.slash("create", where, prompt="a red ball").message()
    assert running.gateway.log[:2] == ["identify 0/2", "identify 1/2"]


async def test_frames_without_compression(
    discord_standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = discord_standin
    alice, room = cinema(running)
    plain = discord.utils._ActiveDecompressionContext
    monkeypatch.setattr(plain, "COMPRESSION_TYPE", "none")
    async with logged_in(running):
        await running.gateway.ready()
        await alice.slash("create", room, prompt="a red ball").message()
