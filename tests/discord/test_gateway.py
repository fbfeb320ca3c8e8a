"""The gateway on the wire: what it asks, closes for, tells again."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.discord import frames
from tests.discord.conftest import Place
from tests.discord.gateway import (
    BAD_INTENTS,
    BAD_PAYLOAD,
    BAD_SEQUENCE,
    BAD_SHARD,
    BAD_TOKEN,
    DISPATCH,
    FORBIDDEN_INTENTS,
    HEARTBEAT_ACK,
    HELLO,
    INVALID_SESSION,
    NOT_AUTHENTICATED,
    RECONNECT,
    TIMED_OUT,
    TOO_FAST,
    TWICE,
)
from tests.discord.server import TOKEN, Standin

Json = dict[str, Any]

GUILDS, GUILD_MESSAGES, MESSAGE_CONTENT = 1, 1 << 9, 1 << 15


class Ear:
    """A client's end of a gateway connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._inflate = zlib.decompressobj()

    async def say(self, op: int, data: Any = None) -> None:
        await self.socket.send_str(json.dumps({"op": op, "d": data}))

    async def hear(self) -> Json:
        message = await self.socket.receive(timeout=20)
        text = message.data
        if message.type is aiohttp.WSMsgType.BINARY:
            text = self._inflate.decompress(text).decode()
        heard: Json = json.loads(text)
        return heard

    async def closed(self) -> int | None:
        """The code it is closed with, past whatever is told before."""
        while not self.socket.closed:
            await self.socket.receive(timeout=20)
        return self.socket.close_code

    async def identify(self, **changes: Any) -> None:
        assert (await self.hear())["op"] == HELLO
        whole = {"token": TOKEN, "intents": GUILDS, "properties": {}} | changes
        await self.say(frames.IDENTIFY, whole)

    async def ready(self, **changes: Any) -> Json:
        await self.identify(**changes)
        heard = await self.hear()
        assert heard["t"] == "READY"
        told: Json = heard["d"]
        return told

    async def event(self, name: str) -> Json:
        """The next event of this name, past others."""
        while True:
            heard = await self.hear()
            if heard["t"] == name:
                return heard


@asynccontextmanager
async def listening(running: Standin, query: str = "") -> AsyncIterator[Ear]:
    url = f"{running.gateway_url}?v=10&encoding=json{query}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        yield Ear(socket)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"token": "wrong"}, BAD_TOKEN),
        ({"intents": 1 << 30}, BAD_INTENTS),
        ({"intents": GUILDS | MESSAGE_CONTENT}, FORBIDDEN_INTENTS),
        ({"shard": [2, 2]}, BAD_SHARD),
        ({"shard": [0]}, BAD_PAYLOAD),
        ({"intents": "guilds"}, BAD_PAYLOAD),
        ({"colour": "red"}, BAD_PAYLOAD),
    ],
)
async def test_who_may_not_come_in(place: Place, changes: Json, code: int) -> None:
    place.running.world.intents_allowed &= ~MESSAGE_CONTENT
    async with listening(place.running) as ear:
        await ear.identify(**changes)
        assert await ear.closed() == code


async def test_what_may_not_be_said(place: Place) -> None:
    for op, data, code in (
        (frames.PRESENCE, {"since": 0, "activities": [], "status": "idle", "afk": False},
         NOT_AUTHENTICATED),
        (frames.PRESENCE, {"status": "idle"}, BAD_PAYLOAD),
        (frames.HEARTBEAT, "now", BAD_PAYLOAD),
        (99, None, BAD_PAYLOAD),
        (frames.IDENTIFY, {"token": "x" * 5000}, BAD_PAYLOAD),
    ):  # fmt: skip
        async with listening(place.running) as ear:
            await ear.say(op, data)
            assert await ear.closed() == code
        assert place.noticed("gateway")
    async with listening(place.running) as ear:
        await ear.ready()
        await ear.say(frames.IDENTIFY, {"token": TOKEN, "intents": 1, "properties": {}})
        assert await ear.closed() == TWICE


async def test_too_many_events(place: Place) -> None:
    async with listening(place.running) as ear:
        for _ in range(121):
            await ear.say(frames.HEARTBEAT)
        assert await ear.closed() == TOO_FAST
    assert place.noticed("more than 120")


async def test_heartbeats_are_answered_and_missed(place: Place) -> None:
    place.running.gateway.heartbeat_seconds = 0.2
    async with listening(place.running) as ear:
        assert (await ear.hear())["d"]["heartbeat_interval"] == 200
        await ear.say(frames.HEARTBEAT)
        assert (await ear.hear())["op"] == HEARTBEAT_ACK
        assert await ear.closed() == TIMED_OUT


async def test_ready_then_servers_then_what_happens(place: Place) -> None:
    async with listening(place.running, "&compress=zlib-stream") as ear:
        ready = await ear.ready()
        assert ready["resume_gateway_url"] == place.running.gateway_url
        assert ready["guilds"] == [{"id": str(place.guild.id), "unavailable": True}]
        created = await ear.event("GUILD_CREATE")
        assert [c["name"] for c in created["d"]["channels"]] == ["general"]
        asked = place.ask()
        told = await ear.event("INTERACTION_CREATE")
        assert told["d"]["id"] == str(asked.id)
        place.running.scene.delete_channel(place.room)
        assert (await ear.event("CHANNEL_DELETE"))["d"]["id"] == str(place.room.id)
        place.running.scene.outage(place.guild)
        assert (await ear.event("GUILD_DELETE"))["d"]["unavailable"]
        place.running.scene.recover(place.guild)
        await ear.event("GUILD_CREATE")
        place.running.scene.kick(place.guild)
        gone = await ear.event("GUILD_DELETE")
        assert gone["d"] == {"id": str(place.guild.id)}


async def test_intents_decide_what_is_told(place: Place) -> None:
    async with listening(place.running) as ear, listening(place.running) as other:
        await ear.ready(intents=GUILDS)
        await other.ready(intents=GUILDS | GUILD_MESSAGES)
        place.alice.post(place.room, "a secret")
        place.ask()
        assert (await ear.event("INTERACTION_CREATE"))["s"] == 3, "no message before it"
        assert (await other.event("MESSAGE_CREATE"))["d"]["content"] == ""


async def test_message_content_is_for_those_who_may(place: Place) -> None:
    async with listening(place.running) as ear:
        await ear.ready(intents=GUILDS | GUILD_MESSAGES | MESSAGE_CONTENT)
        place.alice.post(place.room, "a secret")
        assert (await ear.event("MESSAGE_CREATE"))["d"]["content"] == "a secret"


async def test_resume_tells_what_was_missed(place: Place) -> None:
    async with listening(place.running) as ear:
        session = (await ear.ready())["session_id"]
        seen = (await ear.event("GUILD_CREATE"))["s"]
        place.running.gateway.drop()
        assert await ear.closed() == 1006
    asked = place.ask()
    resume = {"token": TOKEN, "session_id": session, "seq": seen}
    async with listening(place.running) as ear:
        await ear.hear()
        await ear.say(frames.RESUME, resume)
        told = await ear.hear()
        assert (told["t"], told["d"]["id"]) == ("INTERACTION_CREATE", str(asked.id))
        resumed = await ear.hear()
        assert (resumed["op"], resumed["t"]) == (DISPATCH, "RESUMED")
        place.running.gateway.drop()
        await ear.closed()
    async with listening(place.running) as ear:
        await ear.hear()
        await ear.say(frames.RESUME, resume | {"seq": 99})
        assert await ear.closed() == BAD_SEQUENCE


async def test_sessions_end(place: Place) -> None:
    gateway = place.running.gateway
    async with listening(place.running) as ear:
        session = (await ear.ready())["session_id"]
        gateway.drop()
        await ear.closed()
    place.running.clock.jump(3600)
    async with listening(place.running) as ear:
        await ear.hear()
        await ear.say(frames.RESUME, {"token": TOKEN, "session_id": session, "seq": 1})
        assert (await ear.hear())["op"] == INVALID_SESSION
        gateway.reconnect()
        assert (await ear.hear())["op"] == RECONNECT
        gateway.close(4000)
        assert await ear.closed() == 4000
    gateway.open = False
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with listening(place.running):
            pass


async def test_shards_hear_of_their_own_servers(place: Place) -> None:
    scene = place.running.scene
    other = place.guild.id + (1 << 22)
    far = scene.channel(scene.guild("Far", place.alice, guild_id=other), "far")
    number = (place.guild.id >> 22) % 2
    async with listening(place.running) as mine, listening(place.running) as theirs:
        assert len((await mine.ready(shard=[number, 2]))["guilds"]) == 1
        assert len((await theirs.ready(shard=[1 - number, 2]))["guilds"]) == 1
        place.ask()
        place.alice.slash("create", far, prompt="a")
        assert (await mine.event("INTERACTION_CREATE"))["d"]["guild_id"] == str(place.guild.id)
        assert (await theirs.event("INTERACTION_CREATE"))["d"]["guild_id"] == str(other)


async def test_purchases_are_told_on_shard_0(place: Place) -> None:
    shop = place.running.shop
    async with listening(place.running) as first, listening(place.running) as second:
        await first.ready(shard=[0, 2], intents=0)
        await second.ready(shard=[1, 2], intents=0)
        plan = shop.sku("plan")
        held = shop.entitle(place.alice, plan)
        assert (await first.event("ENTITLEMENT_CREATE"))["d"]["sku_id"] == plan["id"]
        assert (await first.event("SUBSCRIPTION_CREATE"))["d"]["entitlement_ids"] == [held["id"]]
        shop.lapse(held)
        assert (await first.event("ENTITLEMENT_UPDATE"))["d"]["ends_at"]
        shop.refund(held)
        assert (await first.event("ENTITLEMENT_DELETE"))["d"]["deleted"]
        (quiet,) = [s for s in place.running.gateway.sessions.values() if s.shard == 1]
        assert quiet.sequence == 1, "READY alone"
