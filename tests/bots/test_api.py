"""The API through its front door: a real server, database, runner and clips."""

from __future__ import annotations

import asyncio
import io
import logging
from pathlib import Path
from typing import cast

import aiohttp
import numpy as np
import pytest
from PIL import Image

from model import video
from tests.bots.caller import Json, ask, events, finished, get, send, show
from tests.bots.pictures import jpeg, landscape
from tests.house import ADMIN_KEY, Inn


async def test_words_become_a_clip(home: Inn, tmp_path: Path) -> None:
    async with home.client(home.key("ada")) as ada:
        async with ada.post(
            "/api/v1/clips", json={"prompt": "a red ball --seed 7", "seconds": 1, "ar": "1:1"}
        ) as answer:
            accepted = await answer.json()
            assert (answer.status, answer.headers["Location"]) == (
                202, f"/api/v1/clips/{accepted['id']}",
            )  # fmt: skip
        assert accepted["state"] in ("queued", "running")
        low, high = accepted["eta_seconds"]
        assert 0 <= low <= high
        seen = [clip async for _, clip in events(ada, f"{answer.headers['Location']}/events")]
        assert [clip["id"] for clip in seen] == [accepted["id"]] * len(seen)
        done = seen[-1]
        assert (done["state"], done["progress"], done["eta_seconds"]) == ("succeeded", None, None)
        assert (done["prompt"], done["seed"], done["seconds"]) == ("a red ball", 7, 1)
        assert (done["width"], done["height"], done["num_frames"]) == (240, 240, 9)
        async with ada.get(done["links"]["video"]) as answer:
            assert (answer.status, answer.content_type) == (200, "video/mp4")
            data = await answer.read()
        path = tmp_path / "clip.mp4"
        path.write_bytes(data)
        probe = video.probe(path)
        assert (probe.width, probe.height) == (240, 240)
        assert (probe.num_frames, int(probe.frame_rate)) == (9, 8)
        assert done["bytes"] == len(data)
        async with ada.get(done["links"]["poster"]) as answer:
            assert answer.content_type == "image/jpeg"
            with Image.open(io.BytesIO(await answer.read())) as poster:
                assert poster.size == (240, 240)
        me = await get(ada, "/api/v1/me")
        assert (me["balance"], me["held"]) == (1000 - done["credits"], 0)
        assert done["recipe"].startswith("a red ball --seconds 1 --ar 1:1")


async def test_a_picture_moves_and_serves_again(home: Inn) -> None:
    async with home.client(home.key("bo")) as bo:
        status, accepted = await show(bo, jpeg(landscape()), "slow zoom in", seconds="0.5")
        assert status == 202
        done = await finished(bo, accepted["id"])
        assert (done["state"], done["model"], done["camera"]) == (
            "succeeded", "slide", ["zoom in 2.5"],
        )  # fmt: skip
        assert done["aspect"] == "16:9"
        async with bo.get(done["links"]["picture"]) as answer:
            with Image.open(io.BytesIO(await answer.read())) as kept:
                assert kept.size[0] / kept.size[1] == pytest.approx(16 / 9, rel=0.01)
        varied = await ask(bo, "pan left", variant_of=done["id"], seconds=0.5)
        redone = await finished(bo, varied["id"])
        assert (redone["parent"], redone["camera"]) == (done["id"], ["pan left 5"])
        assert (await send(bo, "DELETE", f"/api/v1/clips/{done['id']}?forget=true"))[0] == 204
        await get(bo, redone["links"]["self"])
        assert "picture" in redone["links"]


async def test_a_clip_ends_with_a_picture(home: Inn, tmp_path: Path) -> None:
    blue = jpeg(Image.new("RGB", (160, 90), (20, 40, 180)))
    async with home.client(home.key("lou")) as lou:
        first, path = jpeg(landscape()), tmp_path / "clip.mp4"
        status, accepted = await show(lou, first, "pan left", last_image=blue, seconds="0.5")
        assert status == 202
        done = await finished(lou, accepted["id"])
        async with lou.get(done["links"]["last_picture"]) as answer:
            with Image.open(io.BytesIO(await answer.read())) as kept:
                assert kept.size == (160, 90)
        async with lou.get(done["links"]["video"]) as answer:
            path.write_bytes(await answer.read())
        assert np.allclose(video.last_frame(path).mean((0, 1)), (20, 40, 180), atol=4)
        assert video.first_frame(path).mean() != pytest.approx(80, abs=4)

        status, accepted = await show(lou, None, "pan up", last_image=first, seconds="0.5",
                                      variant_of=done["id"])  # fmt: skip
        assert status == 202
        varied = await finished(lou, accepted["id"])
        async with lou.get(varied["links"]["picture"]) as answer:
            with Image.open(io.BytesIO(await answer.read())) as kept:
                assert kept.size != (160, 90)
        status, again = await send(lou, "POST", f"{done['links']['self']}/again")
        assert status == 202
        await finished(lou, again["id"])
        stored = len(pictures(home))
        for one, left in ((done, stored), (varied, stored - 1)):
            here = f"{one['links']['self']}?forget=true"
            assert (await send(lou, "DELETE", here))[0] == 204
            assert len(pictures(home)) == left
        assert (await send(lou, "DELETE", f"/api/v1/clips/{again['id']}?forget=true"))[0] == 204
        assert len(pictures(home)) == stored - 3


def pictures(home: Inn) -> set[str]:
    return {path for path in home.files() if "/pictures/" in path}


async def test_again_extend_and_forget(home: Inn) -> None:
    async with home.client(home.key("cy")) as cy:
        first = await finished(cy, (await ask(cy, "a ball", seconds=0.5, seed=3))["id"])
        here = first["links"]["self"]
        status, again = await send(cy, "POST", f"{here}/again")
        assert status == 202
        other = await finished(cy, again["id"])
        assert other["seed"] != first["seed"]
        assert other["parent"] == first["id"]
        status, longer = await send(cy, "POST", f"{here}/extend", {"seconds": 1})
        assert status == 202
        extended = await finished(cy, longer["id"])
        assert extended["state"] == "succeeded"
        assert extended["seconds"] == pytest.approx(1.5)
        status, refusal = await send(cy, "POST", f"{here}/extend", {"secs": 1})
        assert (status, "secs" in refusal["detail"]) == (422, True)
        assert (await send(cy, "DELETE", here))[0] == 409
        assert (await send(cy, "DELETE", f"{here}?forget=true")) == (204, {})
        await get(cy, here, 404)
        await get(cy, first["links"]["video"], 404)
        listed = await get(cy, "/api/v1/clips")
        assert [clip["id"] for clip in listed["clips"]] == [extended["id"], other["id"]]


async def test_cancelling_gives_the_credits_back(home: Inn) -> None:
    async with home.client(home.key("dee")) as dee:
        running = await ask(dee, "wait", model="slow", seconds=2)
        seen = await until_preview(dee, running["id"])
        assert 0 < seen["progress"] < 1
        async with dee.get(seen["links"]["preview"]) as answer:
            assert (answer.status, answer.content_type) == (200, "image/jpeg")
            Image.open(io.BytesIO(await answer.read())).verify()
        queued = await ask(dee, "behind it", seconds=0.5)
        assert queued["position"] == 2
        me = await get(dee, "/api/v1/me")
        assert me["held"] == running["credits"] + queued["credits"]
        await get(dee, f"/api/v1/clips/{running['id']}/video", 404)
        assert (await send(dee, "DELETE", f"/api/v1/clips/{running['id']}?forget=true"))[0] == 409
        status, stopping = await send(dee, "DELETE", f"/api/v1/clips/{running['id']}")
        assert status == 200
        assert stopping["line_one"] in ("Stopping", "Cancelled")
        assert (await finished(dee, running["id"]))["state"] == "cancelled"
        assert (await finished(dee, queued["id"]))["state"] == "succeeded"
        status, refusal = await send(dee, "DELETE", f"/api/v1/clips/{running['id']}")
        assert (status, refusal["type"]) == (409, "urn:kinora:problem:wrong-state")
        assert (await get(dee, "/api/v1/me"))["balance"] == 1000 - queued["credits"]


async def until_preview(client: aiohttp.ClientSession, job_id: str) -> Json:
    async for _, clip in events(client, f"/api/v1/clips/{job_id}/events"):
        if "preview" in clip["links"] and clip["progress"]:
            return cast(Json, clip)
    raise AssertionError("no preview came")


async def test_a_key_repeats_nothing(home: Inn) -> None:
    async with home.client(home.key("eve")) as eve:
        path, wish = "/api/v1/clips", {"prompt": "a ball", "seconds": 0.5}
        repeats = await asyncio.gather(
            *(send(eve, "POST", path, wish, **{"Idempotency-Key": "one"}) for _ in range(5))
        )
        assert {status for status, _ in repeats} == {202}
        assert len({accepted["id"] for _, accepted in repeats}) == 1
        status, problem = await send(
            eve, "POST", path, {"prompt": "another"}, **{"Idempotency-Key": "one"}
        )
        assert (status, problem["type"]) == (409, "urn:kinora:problem:wrong-state")
        await finished(eve, repeats[0][1]["id"])
        assert (await get(eve, "/api/v1/me"))["balance"] == 1000 - repeats[0][1]["credits"]


async def test_a_quote_costs_nothing_and_names_the_price(home: Inn) -> None:
    async with home.client(home.key("flo")) as flo:
        quoted = (await send(flo, "POST", "/api/v1/quote", {"prompt": "a ball --seconds 4"}))[1]
        assert quoted["seconds"] == 4
        assert quoted["summary"].startswith(f"{quoted['credits']} credit")
        low, high = quoted["takes_seconds"]
        assert 0 < low < high
        tall = {"prompt": "pan left", "picture": {"width": 900, "height": 1600}}
        quoted = (await send(flo, "POST", "/api/v1/quote", tall))[1]
        assert (quoted["model"], quoted["width"] < quoted["height"]) == ("slide", True)
        assert (await get(flo, "/api/v1/me"))["held"] == 0
        assert (await get(flo, "/api/v1/clips")) == {"clips": [], "next": None}


async def test_parts_of_a_clip_can_be_asked_for(home: Inn) -> None:
    async with home.client(home.key("hal")) as hal:
        done = await finished(hal, (await ask(hal, "a ball", seconds=0.5))["id"])
        video = done["links"]["video"]
        async with hal.get(video) as answer:
            whole, tag = await answer.read(), answer.headers["ETag"]
        async with hal.get(video, headers={"Range": "bytes=10-19"}) as answer:
            assert (answer.status, await answer.read()) == (206, whole[10:20])
            assert answer.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
        async with hal.get(video, headers={"Range": "bytes=-5"}) as answer:
            assert (answer.status, await answer.read()) == (206, whole[-5:])
        async with hal.get(video, headers={"Range": f"bytes={len(whole)}-"}) as answer:
            assert (answer.status, answer.content_type) == (416, "application/problem+json")
        async with hal.get(video, headers={"Range": "bytes=x"}) as answer:
            assert answer.status == 416
        async with hal.get(video, headers={"If-None-Match": tag}) as answer:
            assert answer.status == 304
        async with hal.get(f"{video}?download=1") as answer:
            assert answer.headers["Content-Disposition"] == (
                f'attachment; filename="kinora-{done["id"]}.mp4"'
            )
        async with hal.head(video) as answer:
            assert answer.headers["Content-Length"] == str(len(whole))


async def test_what_is_somebody_elses_does_not_exist(home: Inn) -> None:
    async with home.client(home.key("ida")) as ida, home.client(home.key("jo")) as jo:
        done = await finished(ida, (await ask(ida, "a ball", seconds=0.5))["id"])
        here = done["links"]["self"]
        for path in (here, *done["links"].values(), f"/api/v1/clips?before={done['id']}"):
            if path.endswith("before=" + done["id"]):
                assert (await get(jo, path))["clips"] == []
            else:
                assert (await get(jo, path, 404))["detail"] == "There is no such clip."
        for method, path in (
            ("DELETE", here),
            ("DELETE", f"{here}?forget=true"),
            ("POST", f"{here}/again"),
            ("POST", f"{here}/extend"),
        ):
            assert (await send(jo, method, path))[0] == 404
        status, _ = await send(
            jo, "POST", "/api/v1/clips", {"prompt": "x", "variant_of": done["id"]}
        )
        assert status == 404


async def test_history_goes_page_by_page(home: Inn) -> None:
    async with home.client(home.key("kim")) as kim:
        asked = [(await ask(kim, f"ball {n}", seconds=0.5))["id"] for n in range(5)]
        seen, path = [], "/api/v1/clips?limit=2"
        while path:
            page = await get(kim, path)
            seen += [clip["id"] for clip in page["clips"]]
            path = page["next"]
        assert seen == asked[::-1]
        for job_id in asked:
            await finished(kim, job_id)


async def test_the_owners_key_and_no_key(home: Inn) -> None:
    async with home.client(ADMIN_KEY) as owner:
        assert (await get(owner, "/api/v1/me"))["name"]
    async with home.client(None) as nobody:
        for path in ("/api/v1/me", "/api/v1/clips", "/api/v1/models"):
            assert "Bearer" in (await get(nobody, path, 401))["detail"]
        async with nobody.get("/api/v1/me") as answer:
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        models = await get(nobody, "/api/v1/openapi.json")
        assert models["openapi"].startswith("3.1")


async def test_watchers_learn_whether_it_is_well(home: Inn) -> None:
    async with home.client(None) as watcher:
        assert await get(watcher, "/healthz") == {"alive": True}
        ready = await get(watcher, "/readyz")
        assert ready["ready"] is all(ready["checks"].values()) is True
        async with watcher.get("/metrics") as answer:
            text = await answer.text()
        assert 'kinora_http_requests_total{method="GET",route="/readyz",status="200"} 1.0' in text
        async with watcher.get("/metrics", headers={"X-Forwarded-For": "10.0.0.1"}) as answer:
            assert answer.status == 403


async def test_a_strangers_name_for_this_machine_is_turned_away(home: Inn) -> None:
    async with home.client() as client:
        for name, status in (
            ("evil.example", 421), ("localhost", 200), ("127.0.0.1:1", 200), ("[::1]:80", 200),
            ("127.0.0.1.evil.example", 421), ("", 421),
        ):  # fmt: skip
            async with client.get("/api/v1/me", headers={"Host": name}) as answer:
                assert answer.status == status, name
                if status == 421:
                    assert "KINORA_WEB__PUBLIC_URL" in (await answer.json())["detail"]


async def test_nothing_secret_is_in_the_log(home: Inn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    key, link = home.key("lou"), home.link()
    async with home.client(key) as lou:
        await finished(lou, (await ask(lou, "a very private ball", seconds=0.5))["id"])
        async with lou.get(link, allow_redirects=False) as answer:
            assert answer.status == 303
    assert "/open/{code}" in caplog.text
    for secret in (key, link.rpartition("/")[2], "very private"):
        assert secret not in caplog.text
