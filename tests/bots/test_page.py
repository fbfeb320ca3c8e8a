"""The page as a browser without scripts meets it: forms, sessions, headers, and the stream."""

from __future__ import annotations

import html
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from PIL import Image
from yarl import URL

from bots.web import events as stream_events
from tests.bots.caller import events, finished, get
from tests.bots.pictures import jpeg, landscape
from tests.house import Home, Inn, house

JPEG = jpeg(landscape(320, 180))


@asynccontextmanager
async def browser(home: Inn, link: str = "") -> AsyncIterator[aiohttp.ClientSession]:
    """Signed in by a link."""
    jar = aiohttp.CookieJar(unsafe=True)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(home.url, cookie_jar=jar, timeout=timeout) as session:
        async with session.get(link or home.link()) as answer:
            assert answer.status == 200
            assert answer.url.path == "/"
        yield session


@asynccontextmanager
async def signed_in(home: Home) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser in a house that runs in this very loop."""
    jar = aiohttp.CookieJar(unsafe=True)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(home.url, cookie_jar=jar, timeout=timeout) as session:
        link = URL(await home.link())
        async with session.get(link.path) as answer:
            assert answer.status == 200
        yield session


async def token(session: aiohttp.ClientSession) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', await page(session))
    assert found
    return found[1]


async def page(session: aiohttp.ClientSession, path: str = "/", status: int = 200) -> str:
    async with session.get(path) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return text


def form(fields: dict[str, str], image: bytes = b"", name: str = "") -> aiohttp.FormData:
    """As a browser sends it: an unused file input is an empty part without a name."""
    data = aiohttp.FormData(fields, default_to_multipart=True)
    data.add_field("image", image, filename=name, content_type="application/octet-stream")
    return data


async def test_everything_works_without_scripts(home: Inn) -> None:
    async with browser(home) as ada:
        mine = await token(ada)
        assert "What would you like to see?" in await page(ada)
        fields = {
            "token": mine, "prompt": "slow zoom in", "seconds": "0.5", "variant_of": "", "res": "",
        }  # fmt: skip
        async with ada.post(
            "/clips", data=form(fields, jpeg(landscape()), "photo.jpg"), allow_redirects=False
        ) as answer:
            assert answer.status == 303, await answer.text()
            job_id = answer.headers["Location"].removeprefix("/#clip-")
        done = await finished(ada, job_id)
        shown = await page(ada)
        assert f'<video class="clip" src="{done["links"]["video"]}"' in shown
        assert html.escape(done["line_two"]) in shown
        assert "What would you like to see?" not in shown.partition("<footer")[0]
        filled = await page(ada, f"/?edit={job_id}")
        assert re.search(r"<textarea[^>]*>slow zoom in --seconds 0.5 ", filled)
        assert f'name="variant_of" id="variant" value="{job_id}"' in filled
        for action in ("again", "delete"):
            async with ada.post(
                f"/clips/{job_id}/{action}", data={"token": mine}, allow_redirects=False
            ) as answer:
                assert answer.status == 303
                where = answer.headers["Location"]
                if action == "again":
                    other = where.removeprefix("/#clip-")
        assert job_id not in await page(ada)
        assert (await finished(ada, other))["parent"] == job_id


async def test_a_wrong_word_is_told_and_nothing_typed_is_lost(home: Inn) -> None:
    async with browser(home) as bo:
        fields = {"token": await token(bo), "prompt": 'a "<b>" ball --wrap'}
        async with bo.post("/clips", data=form(fields)) as answer:
            text = await answer.text()
            assert answer.status == 422
        assert "There is no --wrap." in text
        assert "a &#34;&lt;b&gt;&#34; ball --wrap</textarea>" in text


async def test_a_card_shows_a_small_picture_that_the_browser_keeps(home: Inn) -> None:
    async with browser(home) as ann, home.client(home.key("else")) as stranger:
        fields = {"token": await token(ann), "prompt": "pan left", "seconds": "0.5"}
        large = jpeg(landscape(2000, 1125))
        sent = form(fields, large, "a.jpg")
        async with ann.post("/clips", data=sent, allow_redirects=False) as answer:
            job_id = answer.headers["Location"].removeprefix("/#clip-")
        assert f'<img class="thumb" src="/clips/{job_id}/thumb"' in await page(ann)
        await finished(ann, job_id)
        picture, small = f"/api/v1/clips/{job_id}/picture", f"/clips/{job_id}/thumb"
        for path, sides in ((picture, (2000, 1125)), (small, (320, 180))):
            async with ann.get(path) as answer:
                assert (answer.status, answer.content_type) == (200, "image/jpeg")
                assert answer.headers["Cache-Control"] == "private, no-cache"
                with Image.open(io.BytesIO(await answer.read())) as seen:
                    assert seen.size == sides
            kept = {"If-None-Match": answer.headers["ETag"]}
            async with ann.get(path, headers=kept) as answer:
                assert (answer.status, await answer.read()) == (304, b"")
        await page(ann, f"/clips/{'0' * 12}/thumb", 404)
        await page(stranger, small, 401)


async def test_a_refused_form_keeps_its_choices(home: Inn) -> None:
    async with browser(home) as bea:
        mine = {"token": await token(bea), "seconds": "", "res": "", "camera": ""}
        fields = mine | {"prompt": "pan left", "seconds": "1"}
        async with bea.post(
            "/clips", data=form(fields, JPEG, "a.jpg"), allow_redirects=False
        ) as ok:
            job_id = ok.headers["Location"].removeprefix("/#clip-")
        fields = mine | {
            "prompt": "pan left", "seconds": "60", "ar": "1:1", "model": "slide",
            "camera": "zoom in", "variant_of": job_id,
        }  # fmt: skip
        async with bea.post("/clips", data=form(fields)) as answer:
            text = await answer.text()
            assert answer.status == 422
        assert f'id="variant" value="{job_id}"' in text
        assert f'src="/api/v1/clips/{job_id}/picture"' in text.partition("<footer")[2]
        assert re.findall(r"<option[^>]* selected>([^<]+)<", text) == [
            "slide", "60 s", "1:1", "zoom in",
        ]  # fmt: skip
        fields = mine | {"prompt": "x --warp", "variant_of": "\0" * 12}
        async with bea.post("/clips", data=form(fields, JPEG, "a.jpg")) as answer:
            text = await answer.text()
            assert answer.status in (404, 422)
        assert "Choose the picture again." in text
        assert 'id="variant" value=""' in text
        await finished(bea, job_id)


async def test_another_site_can_change_nothing(home: Inn) -> None:
    async with browser(home) as cy:
        mine, before = await token(cy), await get(cy, "/api/v1/clips")
        wish = {"prompt": "a ball"}
        bad: list[tuple[dict[str, str], str]] = [
            ({}, "no token"),
            ({"X-Kinora-Token": "0" * 64}, "another token"),
            ({"X-Kinora-Token": mine, "Origin": "http://evil.example"}, "another origin"),
            ({"X-Kinora-Token": mine, "Origin": "null"}, "no origin"),
            ({"X-Kinora-Token": mine, "Sec-Fetch-Site": "cross-site"}, "another site"),
            ({"X-Kinora-Token": mine, "Sec-Fetch-Site": "same-site"}, "a neighbour"),
        ]
        for headers, why in bad:
            async with cy.post("/api/v1/clips", json=wish, headers=headers) as answer:
                assert answer.status == 403, why
        for path in ("/clips", "/close", f"/clips/{'0' * 12}/delete"):
            async with cy.post(path, data=form({"prompt": "x"})) as answer:
                assert answer.status == 403, path
        assert (await get(cy, "/api/v1/clips")) == before
        async with cy.post(
            "/api/v1/quote", json=wish, headers={"X-Kinora-Token": mine, "Origin": home.url}
        ) as answer:
            assert answer.status == 200


async def test_behind_a_proxy_the_page_still_knows_itself(tmp_path: Path) -> None:
    async with (
        house(tmp_path, public_url="http://kinora.example:81") as home,
        signed_in(home) as di,
    ):
        mine = await token(di)
        for host, origin, status in (
            ("127.0.0.1:8080", "http://kinora.example:81", 200),
            ("kinora.example", "http://kinora.example", 200),
            ("kinora.example", "http://evil.example", 403),
            ("127.0.0.1:8080", "http://kinora.example.evil.example", 403),
            ("127.0.0.1:8080", "http://[kinora", 403),
        ):
            headers = {"X-Kinora-Token": mine, "Host": host, "Origin": origin}
            async with di.post("/api/v1/quote", json={"prompt": "x"}, headers=headers) as answer:
                assert answer.status == status, (host, origin)


async def test_a_session_ends_when_it_is_closed(home: Inn) -> None:
    async with browser(home) as dee:
        kept = {cookie.key: cookie.value for cookie in dee.cookie_jar}
        async with dee.post("/close", data={"token": await token(dee)}) as answer:
            assert "signed out" in await answer.text()
        assert "not signed in" in await page(dee, status=401)
    async with aiohttp.ClientSession(home.url, cookies=kept) as thief:
        assert "<code>kinora link</code> makes a new one" in await page(thief, status=401)


async def test_signing_out_ends_the_streams_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_events, "CHECK_SECONDS", 0.5)
    async with house(tmp_path) as home, home.client() as owner, signed_in(home) as dee:
        wish = {"prompt": "never ends", "model": "slow"}
        async with owner.post("/api/v1/clips", json=wish) as answer:
            job_id = (await answer.json())["id"]
        async with (
            dee.get("/stream") as chat,
            dee.get(f"/api/v1/clips/{job_id}/events") as card,
            owner.get(f"/api/v1/clips/{job_id}/events") as kept,
        ):
            async with dee.post("/close", data={"token": await token(dee)}) as answer:
                assert answer.status == 200
            for stream in (chat, card):
                assert b"problem" not in await stream.read()
            async with owner.delete(f"/api/v1/clips/{job_id}") as answer:
                assert answer.status == 200
            assert b'"cancelled"' in await kept.read()


async def test_a_link_is_not_spent_by_looking_ahead(home: Inn) -> None:
    link = home.link()
    async with aiohttp.ClientSession() as scout:
        async with scout.head(link) as answer:
            assert answer.status == 405
        async with scout.get(link, headers={"Sec-Purpose": "prefetch;prerender"}) as answer:
            assert answer.status == 503
        for drawer in (
            "TelegramBot (like TwitterBot)", "WhatsApp/2.23.20.0",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        ):  # fmt: skip
            async with scout.get(link, headers={"User-Agent": drawer}) as answer:
                assert answer.status == 503
    async with browser(home, link) as eve:
        cookies = {cookie.key: cookie for cookie in eve.cookie_jar}
    cookie = cookies["kinora_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert not cookie["secure"]
    assert int(cookie["max-age"]) == 30 * 24 * 3600


async def test_every_answer_wears_its_headers(home: Inn) -> None:
    async with browser(home) as flo:
        for path in ("/", "/api/v1/me", "/nothing", "/static/chat.js", "/healthz", "/stream"):
            async with flo.get(path) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "unsafe" not in policy
                assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
                assert answer.headers["Server"] == "Kinora"
                kept = "no-cache" if path.startswith("/static") else "no-store"
                assert answer.headers["Cache-Control"] == kept
        text = await page(flo)
        assert not re.search(r"<style|style=|<script(?! type=\"module\" src=)|\son\w+=", text)


async def test_the_stream_tells_the_story_of_a_clip(tmp_path: Path) -> None:
    async with house(tmp_path) as home, home.client() as owner, signed_in(home) as gus:
        seen: list[str] = []
        wallets: list[str] = []
        job_id = ""
        async for name, data in events(gus, "/stream"):
            if name == "history":
                assert data == []
                wish = {"prompt": "a <script> ball", "seconds": 0.5}
                async with owner.post("/api/v1/clips", json=wish) as answer:
                    job_id = (await answer.json())["id"]
            elif name == "wallet":
                wallets.append(data["balance"])
            elif name == "turn":
                assert data["id"] == job_id
                assert "a &lt;script&gt; ball" in data["html"]
                seen.append(data["state"])
                if data["state"] == "succeeded":
                    assert data["say"].startswith("Done. sketch · 0.5 s")
                    async with owner.delete(f"/api/v1/clips/{job_id}?forget=true") as answer:
                        assert answer.status == 204
            elif name == "gone":
                assert data == {"id": job_id}
                break
        assert seen[-1] == "succeeded"
        assert set(seen) <= {"queued", "running", "succeeded"}
        assert wallets[0] == "1000 credits"
        assert wallets[-1] == "999 credits"


async def test_history_goes_page_by_page_and_survives_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as home, home.client() as owner:
        ids = []
        for number in range(15):
            wish = {"prompt": f"ball {number}", "seconds": 0.5}
            async with owner.post("/api/v1/clips", json=wish) as answer:
                ids.append((await answer.json())["id"])
    async with house(tmp_path) as home:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(home.url, cookie_jar=jar) as hal:
            async with hal.get(await home.link()) as answer:
                newest = await answer.text()
            assert re.findall(r'id="clip-(\w+)"', newest) == ids[3:]
            assert f'href="/?before={ids[3]}"' in newest
            older = await page(hal, f"/?before={ids[3]}")
            assert re.findall(r'id="clip-(\w+)"', older) == ids[:3]
            assert "/?before=" not in older
            part = await page(hal, f"/earlier?before={ids[3]}")
            assert re.findall(r'id="clip-(\w+)"', part) == ids[:3]
        async with home.client() as owner:
            assert (await finished(owner, ids[1]))["state"] == "succeeded"


@pytest.mark.parametrize("path", ["/", "/stream", "/earlier", f"/clips/{'0' * 12}"])
async def test_the_page_is_for_those_who_signed_in(home: Inn, path: str) -> None:
    async with home.client() as owner:
        assert "not signed in" in await page(owner, path, 401)


async def test_the_sample_picture_is_small_and_opens(home: Inn) -> None:
    async with (
        aiohttp.ClientSession(home.url) as nobody,
        nobody.get("/static/sample.jpg") as answer,
    ):
        data = await answer.read()
    assert len(data) <= 60_000
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.size == (960, 540)
