"""Three seconds, fifteen minutes, a day: each runs out when the clock says so."""

from __future__ import annotations

import aiohttp

from tests.discord.cdn import Upload
from tests.discord.conftest import Place


async def test_three_seconds_to_acknowledge(place: Place) -> None:
    late = place.ask()
    place.running.clock.jump(3.5)
    heard = await place.wire.answer(late, 5)
    assert (heard.status, heard.code) == (404, 10062)
    assert place.running.unacknowledged() == 1
    assert (await place.wire.edit(late, content="done")).code == 10015


async def test_fifteen_minutes_for_the_token(place: Place) -> None:
    asked = place.ask()
    await place.wire.answer(asked, 5)
    place.running.clock.jump(14 * 60)
    assert (await place.wire.edit(asked, content="nearly")).status == 200
    place.running.clock.jump(2 * 60)
    for heard in (
        await place.wire.edit(asked, content="done"),
        await place.wire.follow_up(asked, content="done"),
    ):
        assert (heard.status, heard.code) == (401, 50027)
    message = await asked.message()
    assert message.content == "nearly"
    path = f"/channels/{place.room.id}/messages/{message.id}"
    assert (await place.wire.call("PATCH", path, {"content": "done"})).status == 200


async def test_links_are_signed_and_expire(place: Place) -> None:
    message = place.alice.post(place.room, files=[Upload("cat.png", b"a cat")])
    link = place.running.world.cdn.link(message.attachments[0])
    async with aiohttp.ClientSession() as session:

        async def fetch(url: str) -> tuple[int, bytes]:
            async with session.get(url) as answer:
                return answer.status, await answer.read()

        assert await fetch(link) == (200, b"a cat")
        assert (await fetch(link.replace("hm=", "hm=0")))[0] == 404
        assert (await fetch(link.partition("?")[0]))[0] == 404
        place.running.clock.jump(25 * 3600)
        assert (await fetch(link))[0] == 404
        assert await fetch(place.running.world.cdn.link(message.attachments[0])) == (200, b"a cat")


async def test_latencies_are_kept(place: Place) -> None:
    asked = place.ask()
    await place.wire.answer(asked, 5)
    (latency,) = place.running.latencies()
    assert asked.latency == latency
    assert 0 <= latency < 3
    assert place.running.unacknowledged() == 0


async def test_edits_are_kept_with_their_times(place: Place) -> None:
    asked = place.ask()
    await place.wire.answer(asked, 5)
    await place.wire.edit(asked, content="1")
    place.running.clock.jump(60)
    await place.wire.edit(asked, content="2")
    first, second = place.running.edits(await asked.message())
    assert second - first > 59
