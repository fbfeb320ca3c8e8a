"""Was it made here? Asked on the page and in the console, of a clip and of others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import aiohttp

from bots.verifying import NO, verified
from core.provenance import Finding, Proof
from tests.bots.caller import ask, finished
from tests.bots.pictures import jpeg, landscape
from tests.bots.test_card import JOB, REQUEST
from tests.bots.test_page import page, signed_in, token
from tests.house import house

REEL = "a red ball <rolling> --seconds 1"


def test_what_is_said_in_a_chat_fits_into_a_message() -> None:
    job = replace(JOB, request=replace(REQUEST, prompt="漢" * 2000))
    found = Finding(Proof.MANIFEST, job.id, job.created_at, "sketch", job=job, recipe="kr1_" * 999)
    said = verified(found, leads=True, fit=True)
    assert "漢" * 400 in said
    assert "kr1_" not in said
    assert len(said) < 1000
    assert len(verified(found, leads=True)) > 5000


async def look(
    session: aiohttp.ClientSession, path: str, data: bytes, name: str = "a.mp4", status: int = 200
) -> str:
    form = aiohttp.FormData({"token": await token(session)}, default_to_multipart=True)
    form.add_field("file", data, filename=name, content_type="application/octet-stream")
    async with session.post(path, data=form) as answer:
        told = await answer.text()
        assert answer.status == status, told
        return told


async def test_a_clip_is_known_again_and_others_are_not(tmp_path: Path) -> None:
    async with (
        house(tmp_path) as home,
        signed_in(home) as mia,
        home.client(await home.key("anna")) as anna,
    ):
        clip = await finished(anna, (await ask(anna, REEL))["id"])
        async with anna.get(f"{clip['links']['video']}?download=1") as answer:
            video = await answer.read()
        assert "Was it made here?" in await page(mia)
        known = f"Yes: this is clip {clip['id']}, made "
        told = await look(mia, "/verify", video)
        assert known in told
        assert "rolling" not in told, "the words are its author's"
        told = await look(mia, "/console/all/verify", video)
        assert known in told
        assert "rolling" not in told, "only its author sees the card"
        assert f'href="/console/all/jobs?q={clip["id"]}"' in told
        assert f'action="/console/all/jobs/{clip["id"]}/act"' in told, "it can be taken down"

        changed = bytearray(video)
        changed[video.rindex(b"mdat") + 400] ^= 1
        told = await look(mia, "/verify", bytes(changed))
        assert known not in told
        assert "changed" in told
        strange = jpeg(landscape(320, 180))
        assert NO.replace("'", "&#39;") in await look(mia, "/verify", strange, "a.jpg")
        for wrong, name, status in (
            (b"", "", 422), (b"", "a.mp4", 400), (b"ffconcat version 1.0\n", "a.mp4", 400)
        ):  # fmt: skip
            told = await look(mia, "/verify", wrong, name, status)
            assert 'role="alert"></p>' not in told
        form = aiohttp.FormData({"token": "0" * 64}, default_to_multipart=True)
        form.add_field("file", video, filename="a.mp4")
        async with mia.post("/verify", data=form) as answer:
            assert answer.status == 403
        async with home.client(None) as stranger, stranger.post("/verify") as answer:
            assert answer.status == 401
