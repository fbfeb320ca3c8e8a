"""What somebody meets who wants too much: each in a house of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from bots import app
from bots.web import limits
from core.job import Identity
from tests.bots.caller import ask, finished, get, send
from tests.bots.pictures import jpeg, landscape
from tests.bots.test_page import page, signed_in, token
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
        me = await get(poor, "/api/v1/me")
        assert (me["balance"], me["limits"]["daily"], me["limits"]["relaxed"]) == (4, 4, 3)


async def test_who_has_too_little_can_have_it_for_nothing(tmp_path: Path) -> None:
    """As an offer that is accepted, by a flag, and on the page without scripts."""
    async with house(tmp_path, daily_credits=4) as home, home.client() as poor:
        dear = {"prompt": "a ball", "seconds": 8}
        status, offer = await send(poor, "POST", "/api/v1/clips?offer=true", dear)
        assert (status, offer["state"], offer["credits"]) == (202, "quoted", 0)
        here = f"/api/v1/clips/{offer['id']}"
        assert (await send(poor, "POST", f"{here}/render"))[0] == 402
        assert (await send(poor, "POST", f"{here}/render", {"slow": True}))[0] == 422
        status, accepted = await send(poor, "POST", f"{here}/render", {"relaxed": True})
        assert (status, accepted["id"], accepted["credits"]) == (202, offer["id"], 0)
        clip = await finished(poor, offer["id"])
        assert (clip["state"], clip["lane"], clip["charged"]) == ("succeeded", "relaxed", 0)
        assert clip["price"] == {
            "credits": 7,
            "parts": [
                {"name": "sketch, a second", "factor": 4},
                {"name": "8 s", "factor": 8},
                {"name": "240p", "factor": 0.2},
            ],
        }
        assert (await send(poor, "POST", f"{here}/render"))[0] == 409
        relaxed = await ask(poor, "a ball --seconds 8", relaxed=True)
        assert (await finished(poor, relaxed["id"]))["lane"] == "relaxed"

        async with signed_in(home) as browser:
            form = {"prompt": "a cube", "seconds": "8"}
            shown = await posted(browser, "/clips", form)
            assert "This costs 7 and you have 4. It can run for free in the relaxed lane" in shown
            found = re.search(r'formaction="(/clips/[0-9a-z]{12}/relax)"[^>]*>Relaxed', shown)
            assert found
            await posted(browser, found[1], {})
            job_id = found[1].split("/")[2]
            assert (await finished(poor, job_id))["lane"] == "relaxed"
            assert "free · relaxed lane" in await page(browser)
        assert (await get(poor, "/api/v1/me"))["balance"] == 4


async def posted(browser: aiohttp.ClientSession, path: str, form: dict[str, str]) -> str:
    """What the page shows after a form was sent."""
    data = aiohttp.FormData({**form, "token": await token(browser)}, default_to_multipart=True)
    plain = {**form, "token": await token(browser)}
    async with browser.post(path, data=data if path == "/clips" else plain) as answer:
        assert answer.status == 200
        return await answer.text()


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


UNREAD_BYTES = 8 * 1024**2
"""More than all the buffers between a client and a server that does not read."""


class SlowUpload:
    """A form with a file, of unknown length: `read` once most of it was, whole once `go_on`."""

    def __init__(self, path: str = "/api/v1/clips", file: str = "image") -> None:
        self._path, self._file = path, file
        self.read = asyncio.Event()
        self.go_on = asyncio.Event()

    async def parts(self) -> AsyncIterator[bytes]:
        named = '--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
        yield (named % ("prompt", "") + "pan right --seconds 0.5\r\n").encode()
        yield (named % (self._file, '; filename="a.jpg"')).encode()
        yield jpeg(landscape(320, 180)) + bytes(UNREAD_BYTES)
        self.read.set()
        await self.go_on.wait()
        yield b"\r\n--b--\r\n"

    async def send(self, client: aiohttp.ClientSession) -> tuple[int, str | None]:
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        async with client.post(self._path, data=self.parts(), headers=kind) as answer:
            return answer.status, answer.headers.get("Retry-After")


async def test_uploads_take_turns_and_words_do_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UPLOAD_WAIT_SECONDS", 0.3)
    async with house(tmp_path) as home, AsyncExitStack() as clients:
        ada, bo, cy = [
            await clients.enter_async_context(home.client(await home.key(name)))
            for name in ("ada", "bo", "cy")
        ]
        slow = [(SlowUpload(), client) for client in (ada, ada, bo, bo)]
        sending = [asyncio.create_task(upload.send(client)) for upload, client in slow]
        async with asyncio.timeout(20):
            for upload, _ in slow:
                await upload.read.wait()
        assert await SlowUpload().send(ada) == (429, "30")
        assert await SlowUpload().send(cy) == (503, "15")
        words = aiohttp.FormData({"prompt": "a ball --seconds 1"}, default_to_multipart=True)
        async with cy.post("/api/v1/clips", data=words) as answer:
            assert answer.status == 202
        for upload, _ in slow:
            upload.go_on.set()
        assert [status for status, _ in await asyncio.gather(*sending)] == [202] * 4

        # A picture doesn't wait for files that are only looked into.
        slow = [(SlowUpload("/api/v1/verify", "file"), client) for client in (ada, ada, bo, bo)]
        sending = [asyncio.create_task(upload.send(client)) for upload, client in slow]
        async with asyncio.timeout(20):
            for upload, _ in slow:
                await upload.read.wait()
        assert await SlowUpload("/api/v1/verify", "file").send(cy) == (503, "15")
        last = SlowUpload()
        last.go_on.set()
        assert (await last.send(cy))[0] == 202
        for upload, _ in slow:
            upload.go_on.set()
        assert [status for status, _ in await asyncio.gather(*sending)] == [200] * 4


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
    stream.close()
