"""What is refused, asked about, appealed and reported: over HTTP, on the page, in the console."""

from __future__ import annotations

import re
from pathlib import Path

from bots.card import RIGHT_TO_USE
from core.job import OWNER, Identity
from core.safety.blocklist import Blocklist
from core.safety.gate import Seen
from core.safety.verdict import POLICY, Clause
from storage.store import utc_now
from tests.bots.caller import ask, finished, get, send, show
from tests.bots.pictures import jpeg, landscape
from tests.bots.test_console import act, sheet
from tests.bots.test_page import form, page, signed_in, token
from tests.house import Home, house
from tests.sight import Blind

REFUSED = "a severed head in a pool of blood"


async def test_a_refusal_is_told_over_http_and_appealed_once(tmp_path: Path) -> None:
    async with (
        house(tmp_path) as home,
        signed_in(home) as mia,
        home.client(await home.key("anna")) as anna,
    ):
        before = (await get(anna, "/api/v1/me"))["balance"]
        wish = {"prompt": REFUSED}
        status, told = await send(anna, "POST", "/api/v1/clips", wish)
        assert (status, told["type"], told["clause"]) == (403, "urn:kinora:problem:refused", "gore")
        assert (
            told["detail"] == f"I can't make this one. {POLICY[Clause.GORE]} Nothing was charged."
        )
        there = f"/api/v1/clips/{told['id']}"
        clip = await get(anna, there)
        assert (clip["state"], clip["clause"], clip["charged"]) == ("refused", "gore", 0)
        status, told = await send(anna, "POST", "/api/v1/clips?offer=true", wish)
        assert (status, told["state"]) == (202, "refused")
        other = f"/api/v1/clips/{told['id']}"
        status, told = await send(anna, "POST", f"{other}/appeal")
        assert (status, told["state"]) == (202, "held")
        status, told = await send(anna, "DELETE", other)
        assert (status, told["state"], told["charged"]) == (200, "cancelled", 0)

        status, told = await send(anna, "POST", f"{there}/appeal", {"why": "x" * 301})
        assert (status, told["detail"]) == (
            422, "Up to 300 characters, please; these are 301.",
        )  # fmt: skip
        for _ in range(2):  # as by somebody whose first answer got lost
            status, told = await send(anna, "POST", f"{there}/appeal", {"why": "A wax figure."})
            assert (status, told["state"]) == (202, "held")
        clip = await get(anna, there)
        assert (clip["line_one"], clip["decide_by"] is not None) == (
            "Waiting for a moderator", True,
        )  # fmt: skip
        async with home.client(await home.key("eve")) as eve:
            status, _ = await send(eve, "POST", f"{there}/appeal")
            assert status == 404
        case = f"/console/all/review?clip={clip['id']}"
        assert f'id="case-{clip["id"]}"' in await page(mia, case)
        assert f'href="{case}">You decide' not in await page(mia), "it is not hers"
        assert 'href="/console">Console · 1 waits</a>' in await page(mia)
        act_there = f"/console/all/review/{clip['id']}/act"
        await act(mia, act_there, status=422, verb="deny", reason=" ")
        await act(mia, act_there, verb="deny", reason="Not here.")
        await page(mia, case, 404)
        wished = {"token": await token(mia), "prompt": REFUSED}
        async with mia.post("/clips", data=form(wished, b"", "")) as answer:
            mine = re.search(r'id="clip-([0-9a-z]{12})"', await answer.text())
        assert mine
        async with mia.post(f"/clips/{mine[1]}/appeal", data=wished) as answer:
            told = await answer.text()
        case = f"/console/all/review?clip={mine[1]}"
        assert f'href="{case}">You decide: open the review</a>' in told
        assert REFUSED in await page(mia, case)
        async with mia.post(f"/clips/{mine[1]}/cancel", data=wished) as answer:
            assert "You decide" not in await answer.text()
        clip = await get(anna, there)
        assert (clip["state"], clip["line_two"]) == (
            "refused", f"A moderator said no: Not here. {POLICY[Clause.GORE]} Nothing was charged.",
        )  # fmt: skip
        status, told = await send(anna, "POST", f"{there}/appeal")
        assert (status, told["detail"]) == (
            409, "A moderator was asked about this clip already, and that is final.",
        )  # fmt: skip
        assert (await get(anna, "/api/v1/me"))["balance"] == before

        account = await home.store.accounts.account(Identity("web", "anna"), "anna")
        person = f"/console/all/people/{account.id}"
        shown = await page(mia, person)
        assert "reason Not here." in shown, "what was decided about their clips is in their log"
        assert re.search(r"<dt>Strikes</dt><dd>2", shown)
        assert "nothing is taken until" not in shown
        await send(anna, "POST", "/api/v1/clips", wish)
        assert "nothing is taken until" in await page(mia, person)
        status, told = await send(anna, "POST", "/api/v1/clips", {"prompt": "a ball"})
        assert (status, "id" in told) == (403, False)
        await act(mia, f"{person}/act", verb="lift", reason="a new start")
        assert re.search(r"<dt>Strikes</dt><dd>0", await page(mia, person))
        await finished(anna, (await ask(anna, "a ball"))["id"])
        async with home.client(await home.key(OWNER.subject)) as owner:
            for _ in range(4):  # who decides is kept out by nobody
                status, told = await send(owner, "POST", "/api/v1/clips", wish)
                assert (status, told["clause"]) == (403, "gore")
                assert told["detail"].endswith("Nothing was charged.")
            await finished(owner, (await ask(owner, "a ball"))["id"])


async def test_a_picture_with_a_face_or_a_doubt_waits_for_a_word(tmp_path: Path) -> None:
    inspector = Blind()
    inspector.pictures = [Seen(faces=1)]
    picture = jpeg(landscape(320, 180))
    async with (
        house(tmp_path, inspector=inspector) as home,
        signed_in(home) as mia,
        home.client(await home.key("anna")) as anna,
    ):
        status, asked = await show(anna, picture, "pan left --seconds 1")
        assert (status, asked["state"], asked["credits"]) == (202, "quoted", 0)
        there = f"/api/v1/clips/{asked['id']}"
        assert (await get(anna, there))["clause"] == "consent"
        status, _ = await send(anna, "POST", f"{there}/render")
        assert status == 409
        status, _ = await send(anna, "POST", f"{there}/render", {"attest": "perhaps"})
        assert status == 422
        status, _ = await send(anna, "POST", f"{there}/render", {"attest": True})
        assert status == 202
        assert (await finished(anna, asked["id"]))["state"] == "succeeded"
        status, asked = await show(anna, picture, "pan right --seconds 1")
        assert asked["state"] in ("queued", "running"), "it was said of this picture already"
        await finished(anna, asked["id"])
        account = await home.store.accounts.account(Identity("web", "anna"), "anna")
        shown = await page(mia, f"/console/all/people/{account.id}")
        assert re.search(r"<dt>Pictures they may use</dt><dd>1 ", shown)

        fields = {"token": await token(mia), "prompt": "pan left --seconds 1"}
        async with mia.post("/clips", data=form(fields, picture, "a.jpg")) as answer:
            told = await answer.text()
        assert RIGHT_TO_USE in told
        button = re.search(r'formaction="(/clips/([0-9a-z]{12})/attest)"[^>]*>I may use it<', told)
        assert button
        async with mia.post(button[1], data={"token": fields["token"]}) as answer:
            assert answer.status == 200
        assert (await finished(mia, button[2]))["state"] == "succeeded"
        status, asked = await show(
            anna, jpeg(landscape(200, 200)), "pan left --seconds 1", attest="true"
        )
        assert asked["state"] in ("queued", "running")
        await finished(anna, asked["id"])

        inspector.pictures = [Seen(scores={Clause.GORE: 0.7})]
        status, asked = await show(anna, jpeg(landscape(240, 160)), "pan left --seconds 1")
        assert (status, asked["state"]) == (202, "held")
        there = f"/console/all/review/{asked['id']}"
        covered = f'<span class="veiled" aria-hidden="true"><img src="{there}/picture"'
        assert re.sub(r"\s+<", "<", covered) in re.sub(r"\s+<", "<", await page(mia, there[:19]))
        async with mia.get(f"{there}/picture") as answer:
            assert (answer.status, answer.content_type) == (200, "image/jpeg")
            assert answer.headers["Cache-Control"] == "no-store"
        await page(mia, f"{there}/last-picture", 404)
        await act(mia, f"{there}/act", verb="approve")
        assert (await finished(anna, asked["id"]))["state"] == "succeeded"
        await page(mia, f"{there}/picture", 404)


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
        there = "/console/all/jobs"
        shown = await page(mia, there)
        assert shown.count('value="take down"') == 1
        asked = await act(mia, f"{there}/{first}/act", sure=False, verb="take down")
        assert 'name="reason"' in asked
        await act(mia, f"{there}/{first}/act", verb="take down", reason="a <red> one")
        assert (await get(anna, "/api/v1/clips"))["clips"] == []
        log = await page(mia, "/console/all/log")
        assert "reason it is &lt;blue&gt;" in log
        assert "reason a &lt;red&gt; one" in log
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
        await act(mia, there, verb="block", hashes="5a" * 32, reason="another one")
        told = await page(mia, there)
        assert re.findall(r'"Hashes" class="count">(\d+)<', told) == ["1", "2"]
        assert 'value="unblock">Unblock all<' in told
        first = re.findall(r'name="with" value="([0-9a-f]{64})"', told)[1]
        await act(mia, there, verb="unblock", **{"with": first})
        left = await sheet(mia, f"{there}.csv")
        assert [row["hash"] for row in left] == ["5a" * 32]
        for wrong in (b"", b"no picture at all"):
            sent = form(mine, b"", "")
            sent.add_field("file", wrong, filename="a.jpg" if wrong else "")
            async with mia.post(f"{there}/look", data=sent) as answer:
                assert answer.status == 422
                assert 'role="alert">' in await answer.text()
