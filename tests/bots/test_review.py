"""What moderators decide in the console: reports, and pictures that stay down."""

from __future__ import annotations

import re
from pathlib import Path

from core.job import Identity
from core.safety.blocklist import Blocklist
from storage.store import utc_now
from tests.bots.caller import ask, finished, get, send
from tests.bots.pictures import jpeg, landscape
from tests.bots.test_console import act, sheet
from tests.bots.test_page import form, page, signed_in, token
from tests.house import Home, house


async def report(home: Home, job_id: str, name: str) -> None:
    """As the button under a card in a chat does."""
    account = await home.store.accounts.account(Identity("web", name), name)
    await home.store.places.report(job_id, account.id, "web:page", utc_now())


async def test_what_is_reported_is_taken_down_or_left(tmp_path: Path) -> None:
    async with (
        house(tmp_path) as home,
        signed_in(home) as mia,
        home.client(await home.key("anna")) as anna,
    ):
        first, second = [
            (await finished(anna, (await ask(anna, f"a {colour} ball"))["id"]))["id"]
            for colour in ("red", "blue")
        ]
        for name in ("ben", "eve"):
            await report(home, second, name)
        files = f"/console/all/reports/{second}"
        shown = await page(mia, "/console/all/reports")
        assert "2 reports" in shown
        assert first not in shown
        assert f'<span class="veiled" aria-hidden="true"><img src="{files}/poster"' in shown
        for name, kind in (("poster", "image/jpeg"), ("video", "video/mp4")):
            async with mia.get(f"{files}/{name}") as answer:
                assert (answer.status, answer.content_type) == (200, kind)
                assert answer.headers["Cache-Control"] == "no-store"
            await page(mia, f"/console/all/reports/{first}/{name}", 404)
        assert re.search(r"Reported</dt><dd><a [^>]*>1<", await page(mia, "/console/all"))

        told = await act(mia, f"{files}/act", verb="dismiss", reason="a ball is a ball")
        assert "Nothing was reported" in told
        await page(mia, f"{files}/poster", 404)
        await get(anna, f"/api/v1/clips/{second}")

        status, child = await send(anna, "POST", f"/api/v1/clips/{second}/again")
        assert status == 202
        await finished(anna, child["id"])
        await report(home, second, "joe")
        told = await act(mia, f"{files}/act", verb="take down", reason="it is <blue>")
        assert "Nothing was reported" in told
        history = await get(anna, "/api/v1/clips")
        assert [clip["id"] for clip in history["clips"]] == [first]
        log = await page(mia, "/console/all/log")
        assert "reason it is &lt;blue&gt;" in log
        assert "reason a ball is a ball" in log


async def test_what_stays_down_is_shown_by_its_file(tmp_path: Path) -> None:
    async with house(tmp_path) as home, signed_in(home) as mia:
        there = "/console/all/blocklist"
        photo = jpeg(landscape(640, 360))
        mine = {"token": await token(mia)}
        sent = form(mine, b"", "")
        sent.add_field("file", photo, filename="a.jpg", content_type="image/jpeg")
        async with mia.post(f"{there}/look", data=sent) as answer:
            told = await answer.text()
            assert answer.status == 200, told
        hashes = re.findall("[0-9a-f]{64}", told.partition("<textarea")[2].partition("<")[0])
        assert len(hashes) == 2
        await act(mia, there, status=422, verb="block", hashes=" ".join(hashes))
        await act(mia, there, status=422, verb="block", hashes="xyz", reason="spam")
        told = await act(mia, there, verb="block", hashes="\n".join(hashes), reason="a <spam>")
        assert (
            "2 pictures are blocked everywhere: a &lt;spam&gt;" in told or "a &lt;spam&gt;" in told
        )
        rows = await sheet(mia, f"{there}.csv")
        assert {row["hash"] for row in rows} == set(hashes)
        assert Blocklist(row["hash"] for row in rows).match(hashes)
        told = await act(mia, there, verb="unblock", hashes=hashes[0])
        left = await sheet(mia, f"{there}.csv")
        assert hashes[0] not in {row["hash"] for row in left}
        for wrong in (b"", b"no picture at all"):
            sent = form(mine, b"", "")
            sent.add_field("file", wrong, filename="a.jpg" if wrong else "")
            async with mia.post(f"{there}/look", data=sent) as answer:
                assert answer.status == 422
                assert 'role="alert">' in await answer.text()
