"""Rate limits and faults: what too many, too slow, and lost look like."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.discord.conftest import Place


async def test_a_bucket_runs_dry_and_fills_again(place: Place) -> None:
    heard = [await place.wire.say(place.room.id, content=str(n)) for n in range(6)]
    assert [h.status for h in heard] == [200] * 5 + [429]
    left = [int(h.headers["X-RateLimit-Remaining"]) for h in heard[:5]]
    assert left == [4, 3, 2, 1, 0]
    assert len({h.headers["X-RateLimit-Bucket"] for h in heard}) == 1
    refused = heard[-1]
    assert refused.headers["Via"]
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert 0 < refused.body["retry_after"] <= 5
    assert refused.body["global"] is False
    place.running.clock.jump(5)
    assert (await place.wire.say(place.room.id, content="again")).status == 200


async def test_each_channel_has_its_own_bucket(place: Place) -> None:
    other = place.running.scene.channel(place.guild, "other")
    for n in range(5):
        await place.wire.say(place.room.id, content=str(n))
    assert (await place.wire.say(other.id, content="hi")).status == 200


async def test_one_token_bears_five_edits_in_two_seconds(place: Place) -> None:
    asked, other = place.ask(), place.ask()
    await place.wire.answer(asked, 5)
    await place.wire.answer(other, 5)
    heard = [await place.wire.edit(asked, content=str(n)) for n in range(6)]
    assert [h.status for h in heard] == [200] * 5 + [429]
    assert (await place.wire.edit(other, content="hi")).status == 200
    place.running.clock.jump(2)
    assert (await place.wire.edit(asked, content="again")).status == 200


async def test_fifty_a_second_in_all_but_interactions(place: Place) -> None:
    asked = place.ask()
    heard = [await place.wire.call("GET", f"/users/{place.alice.id}") for _ in range(25)]
    heard += [await place.wire.call("GET", "/users/@me") for _ in range(26)]
    assert [h.status for h in heard].count(200) in (49, 50), "registering commands may count"
    assert heard[-1].body["global"] is True
    assert heard[-1].headers["X-RateLimit-Global"] == "true"
    assert (await place.wire.answer(asked, 5)).status == 200


async def test_too_many_invalid_requests_end_in_a_ban(place: Place) -> None:
    place.running.limits.invalid_allowed = 3
    for _ in range(3):
        await place.wire.call("GET", "/users/@me", token="wrong")
    banned = await place.wire.call("GET", "/users/@me")
    assert banned.status == 429
    assert "Via" not in banned.headers
    assert isinstance(banned.body, str)
    place.running.clock.jump(600)
    assert (await place.wire.call("GET", "/users/@me")).status == 200


async def test_faults_hit_what_fits_so_many_times(place: Place) -> None:
    faults = place.running.faults
    faults.too_many("GET /users/*", 2, retry_after=0.5, via=False)
    faults.broken("GET /gateway", status=502)
    assert (await place.wire.call("GET", "/gateway")).status == 502
    heard = [await place.wire.call("GET", "/users/@me") for _ in range(3)]
    assert [h.status for h in heard] == [429, 429, 200]
    assert "Via" not in heard[0].headers
    assert heard[0].body["retry_after"] == 0.5
    everywhere = faults.too_many_everywhere()
    assert (await place.wire.call("GET", "/gateway")).body["global"] is True
    assert everywhere.hit == 1
    assert (await place.wire.call("GET", "/gateway")).status == 200


async def test_a_lost_acknowledgement_did_happen(place: Place) -> None:
    place.running.faults.lose("POST /channels/*")
    with pytest.raises(aiohttp.ClientConnectionError):
        await place.wire.say(place.room.id, content="hi", nonce="job-1", enforce_nonce=True)
    await place.wire.say(place.room.id, content="hi", nonce="job-1", enforce_nonce=True)
    assert [m.content for m in place.running.messages(place.room)] == ["hi"]


async def test_a_slow_upload_arrives_whole(place: Place) -> None:
    place.running.faults.slow("POST /channels/*", bytes_per_second=2_000_000)
    data = bytes(range(256)) * 800
    assert (await place.wire.say(place.room.id, {"a.bin": data}, content="hi")).status == 200
    (message,) = place.running.messages(place.room)
    assert place.running.world.cdn.read(message.attachments[0]) == data


async def test_an_upload_that_breaks_off_did_not_happen(place: Place) -> None:
    lost = False

    async def half() -> AsyncIterator[bytes]:
        nonlocal lost
        yield b'--b\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n{"content": "h'
        await place.wire.call("GET", "/gateway")  # by now its reading began
        lost = True
        raise ConnectionResetError

    url = f"{place.running.api_url}/channels/{place.room.id}/messages"
    headers = {
        "Authorization": f"Bot {place.running.token}",
        "Content-Type": "multipart/form-data; boundary=b",
    }
    with pytest.raises(aiohttp.ClientConnectionError):
        async with aiohttp.ClientSession() as session:
            await session.post(url, data=half(), headers=headers)
    assert lost
    assert (await place.wire.say(place.room.id, content="after")).status == 200
    assert [m.content for m in place.running.messages(place.room)] == ["after"]
    assert place.running.violations == []


async def test_a_delay_can_cost_the_acknowledgement(place: Place) -> None:
    asked = place.ask()
    place.running.clock.jump(2.9)
    place.running.clock.go()
    place.running.faults.delay("POST /interactions/*", 0.2)
    assert (await place.wire.answer(asked, 5)).code == 10062


async def test_requests_are_kept(place: Place) -> None:
    await place.wire.say(place.room.id, content="hi")
    last = place.running.world.requests[-1]
    assert (last.method, last.route, last.status, last.code) == (
        "POST", "/channels/{channel_id}/messages", 200, None,
    )  # fmt: skip
    assert last.body["content"] == "hi"
