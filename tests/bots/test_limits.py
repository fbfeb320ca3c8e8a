"""What somebody meets who wants too much: each in a house of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bots import app
from core.job import Identity
from tests.bots.caller import ask, finished, get, send
from tests.house import ADMIN_KEY, house


async def test_who_has_too_little_is_told_so(tmp_path: Path) -> None:
    async with house(tmp_path, daily_credits=4) as home, home.client() as poor:
        waiting = await ask(poor, "wait", model="slow", seconds=2)
        dear = {"prompt": "a ball", "seconds": 8}
        price = (await send(poor, "POST", "/api/v1/quote", dear))[1]
        left = price["available"]
        assert price["credits"] > left == 4 - waiting["credits"]
        status, problem = await send(poor, "POST", "/api/v1/clips", dear)
        assert (status, problem["type"]) == (402, "urn:kinora:problem:not-enough-credits")
        assert problem["detail"].startswith(f"This costs {price['credits']} and you have {left}.")
        assert (await send(poor, "DELETE", f"/api/v1/clips/{waiting['id']}"))[0] == 200
        await finished(poor, waiting["id"])
        assert (await get(poor, "/api/v1/me"))["balance"] == 4


async def test_who_guesses_keys_has_to_wait(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        async with home.client("guess") as guesser:
            statuses = []
            for _ in range(70):
                async with guesser.get("/api/v1/me") as answer:
                    statuses.append(answer.status)
        assert set(statuses) == {401, 429}
        assert statuses.index(429) == 60
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        _, stored = await app.new_key(home.store, Identity("web", "ada"), "ada")
        for right in (stored, ADMIN_KEY):
            async with home.client(right) as heard:
                await get(heard, "/api/v1/me")
        async with home.client(None) as nobody:
            for path, status in ((await home.link(), 303), ("/open/guess", 410)):
                async with nobody.get(path, allow_redirects=False) as answer:
                    assert answer.status == status


async def test_a_key_that_can_be_guessed_is_not_compared_for_ever(tmp_path: Path) -> None:
    async with house(tmp_path, admin_key="password") as home:
        async with home.client("password") as owner:
            await get(owner, "/api/v1/me")
        from_elsewhere = {"X-Forwarded-For": "203.0.113.9"}
        for path in ("/api/v1/me", "/metrics"):
            async with home.client("guess") as guesser:
                for _ in range(30):
                    async with guesser.get(path, headers=from_elsewhere) as answer:
                        assert answer.status == 401
        async with home.client("password") as guesser:
            for path in ("/api/v1/me", "/metrics"):
                async with guesser.get(path, headers=from_elsewhere) as answer:
                    assert answer.status == 429


async def test_only_so_many_streams(tmp_path: Path) -> None:
    async with house(tmp_path) as home, home.client() as client:
        waiting = await ask(client, "wait", model="slow", seconds=2)
        path = f"/api/v1/clips/{waiting['id']}/events"
        streams = [await client.get(path) for _ in range(24)]
        assert {stream.status for stream in streams} == {200}
        assert "24 streams" in (await get(client, path, 429))["detail"]
        assert (await send(client, "DELETE", f"/api/v1/clips/{waiting['id']}"))[0] == 200
        for stream in streams:
            assert b'"state": "cancelled"' in await stream.read()
        await get(client, f"/api/v1/clips/{waiting['id']}")
        assert (await finished(client, waiting["id"]))["state"] == "cancelled"


async def test_a_lost_file_is_gone_and_said_so(tmp_path: Path) -> None:
    async with house(tmp_path) as home, home.client() as client:
        done = await finished(client, (await ask(client, "a ball", seconds=0.5))["id"])
        for lost in home.files():
            Path(lost).unlink()
        for link in ("video", "poster"):
            problem = await get(client, done["links"][link], 410)
            assert problem["detail"].startswith("This clip is no longer stored.")


async def test_a_bug_keeps_its_inside_to_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path) as home, home.client() as client:
        monkeypatch.setattr(home.studio, "_accounts", None)
        async with client.get("/api/v1/me") as answer:
            problem = await answer.json()
            assert (answer.status, answer.content_type) == (500, "application/problem+json")
    assert problem["reference"] in problem["detail"]
    assert "NoneType" not in str(problem)
    assert "charged" not in problem["detail"]
    found = [one for one in caplog.records if problem["reference"] in one.getMessage()]
    assert [one.exc_info is not None for one in found] == [True]


async def test_a_stream_in_trouble_just_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as home, home.client() as client:
        waiting = await ask(client, "wait", model="slow", seconds=2)
        async with client.get(f"/api/v1/clips/{waiting['id']}/events") as stream:
            while not (await stream.content.readline()).startswith(b"data:"):
                pass
            monkeypatch.setattr(home.studio, "_jobs", None)
            rest = await stream.read()
    assert b"HTTP/" not in rest
    assert b"problem" not in rest


async def test_an_open_stream_does_not_keep_the_house_open(tmp_path: Path) -> None:
    async with house(tmp_path) as home, home.client() as client:
        waiting = await ask(client, "wait", model="slow", seconds=2)
        stream = await client.get(f"/api/v1/clips/{waiting['id']}/events")
        assert (await stream.content.readline()).startswith(b"retry:")
