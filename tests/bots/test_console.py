"""The console: what those who lead see and do, and what others can't."""

from __future__ import annotations

import csv
import html
import io
import re
from pathlib import Path

import aiohttp
from sqlalchemy import text

from bots import app
from core import moderation as acts
from core.job import Identity
from core.moderation import Actor, Rank
from tests.bots.caller import ask, finished, send
from tests.bots.test_page import page, signed_in, token
from tests.house import house

HOST = Actor("the shell", Rank.HOST)


async def act(
    session: aiohttp.ClientSession, path: str, sure: bool = True, status: int = 200, **said: str
) -> str:
    """Fill a form in, and say that one is sure; the last page."""
    said["token"] = await token(session)
    async with session.post(path, data=said) as answer:
        told = await answer.text()
        assert answer.status == status, told
    if not sure or status != 200:
        return told
    asked = re.findall(r'type="hidden" name="([a-z]+)" value="([^"]*)"', told)
    sent = {name: html.unescape(value) for name, value in asked}
    assert "key" in sent, told
    answers = []
    for _ in range(2):  # as by a double click
        async with session.post(path, data=sent) as answer:
            assert answer.status == 200
            answers.append(await answer.text())
    assert answers[0] == answers[1]
    return answers[1]


async def redeem(session: aiohttp.ClientSession, code: str) -> str:
    """Type a code on the page, and send the form twice."""
    found = re.search(r'name="key" value="([0-9a-z]{12})"', await page(session, "/redeem"))
    assert found
    said = {"token": await token(session), "key": found[1], "code": code}
    told = []
    for _ in range(2):
        async with session.post("/redeem", data=said) as answer:
            told.append(re.sub(r'value="[0-9a-z]{12}"', "", await answer.text()))
    assert told[0] == told[1]
    return told[0]


async def sheet(session: aiohttp.ClientSession, path: str) -> list[dict[str, str]]:
    async with session.get(path) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/csv"
        return list(csv.DictReader(io.StringIO(await answer.text())))


async def test_an_operator_s_day(tmp_path: Path) -> None:
    async with house(tmp_path) as home, signed_in(home) as mia:
        key = await home.key("=anna")
        async with home.client(key) as anna:
            clip = await ask(anna, "a red ball")
            await finished(anna, clip["id"])
        found = await page(mia, "/console/all/people?q=anna&sort=jobs")
        assert "=anna" in found
        number = re.search(r"/console/all/people/(\d+)", found)
        assert number
        there = f"/console/all/people/{number[1]}"
        before = await home.store.accounts.wallet(int(number[1]))

        told = await act(mia, f"{there}/act", sure=False, verb="grant", credits="20")
        assert "Nothing is done yet" in told
        assert f"20 credits for =anna, who then has {before.available + 20}." in told
        assert await home.store.accounts.wallet(int(number[1])) == before
        told = await act(mia, f"{there}/act", verb="grant", credits="20", reason="a prize")
        assert "Done, and in the log as row 1: grant" in told
        after = await home.store.accounts.wallet(int(number[1]))
        assert after.available == before.available + 20

        await act(mia, f"{there}/act", verb="plan", plan="pro", until="4w")
        await act(mia, f"{there}/act", verb="note", text="kind")
        for said in ({"verb": "grant", "credits": "many"}, {"verb": "ban"}, {"verb": "dance"}):
            await act(mia, f"{there}/act", status=422, **said)
        await act(mia, "/console/all/queue/act", verb="pause", reason="a new card")
        async with home.client(key) as anna:
            first, second = await ask(anna, "a blue ball"), await ask(anna, "a green ball")
            queue = await page(mia, "/console/all/queue")
            assert "a new card" in queue
            told = await act(mia, f"/console/all/jobs/{second['id']}/act?from=queue", verb="first")
            assert told.index(second["id"]) < told.index(first["id"])
            await act(mia, f"/console/all/jobs/{first['id']}/act", verb="cancel", reason="no")
            assert (await finished(anna, first["id"]))["charged"] == 0
            await act(mia, "/console/all/queue/act", verb="resume")
            await finished(anna, second["id"])
        assert "clips 1 · reason no" in await page(mia, "/console/all/log?act=cancel")
        jobs = await sheet(mia, "/console/all/jobs.csv?state=cancelled")
        assert [job["clip"] for job in jobs] == [first["id"]]
        people = await sheet(mia, "/console/all/people.csv?q=anna")
        assert people[0]["name"] == "'=anna"
        entries = await sheet(mia, f"{there}/wallet.csv")
        assert {"grant", "hold", "capture", "release"} <= {entry["kind"] for entry in entries}

        settings = await page(mia, "/console/all/plans")
        assert re.search(r'"Label">off</td>', settings)
        assert "KINORA_WEB__ADMIN_KEY" in settings
        assert "a key for the tests" not in settings

        told = await act(mia, "/console/all/log", sure=False)
        assert "7 rows, unchanged" in told
        head = re.search(r"Head: <code>(7:[0-9a-f]{64})", told)
        assert head
        async with home.store.database.writing() as session:
            await session.execute(text("UPDATE audit SET who = 'nobody' WHERE number = 2"))
        told = await act(mia, "/console/all/log", sure=False)
        assert "The log was tampered with" in told
        assert "Row 2 was changed" in told


async def test_codes_are_made_shown_once_and_used(tmp_path: Path) -> None:
    async with house(tmp_path) as home, signed_in(home) as mia:
        there = "/console/all/vouchers"
        said = {"verb": "voucher", "credits": "100", "plan": "pro", "days": "30", "uses": "2"}
        told = await act(mia, there, sure=False, **said)
        assert "100 credits and the plan pro for 30 days for 2 people." in told
        assert "None yet" in await page(mia, there)
        told = await act(mia, there, **said)
        code = re.search(r"<code>((?:[0-9A-Z]{4}-){4}[0-9A-Z]{4})</code>", told)
        assert code
        assert code[1] not in await page(mia, there)
        for wrong in ({"credits": ""}, {"credits": "few"}, {"credits": "5", "uses": "0"}):
            await act(mia, there, status=422, **{"verb": "voucher", **wrong})
        assert "There is no such code" in await redeem(mia, "7K3M")
        once = await redeem(mia, code[1].lower())
        assert "100 credits are yours. You have the plan pro until" in once
        assert "You used this code already" in await redeem(mia, code[1])
        (row,) = await sheet(mia, "/console/all/vouchers.csv")
        assert (row["used"], row["uses"], row["plan"]) == ("1", "2", "pro")
        told = await act(mia, there, verb="stop", name=row["name"])
        assert "stopped" in told
        (voucher,) = await home.purchases.newest(1)
        await home.purchases.ask_back(voucher.id, "a <typo>")
        paid = await page(mia, "/console/all/payments?provider=voucher")
        assert "<bdi>owner</bdi></a>" in paid
        assert "wanted back: a &lt;typo&gt;" in paid
        assert "Payments are off" in paid
        assert "Nothing came yet" in await page(mia, "/console/all/payments?provider=stars")
        (row,) = await sheet(mia, "/console/all/payments.csv")
        assert (row["provider"], row["credits"], row["state"]) == ("voucher", "100", "paid")
        assert row["asked"] == "a <typo>"


async def test_it_is_for_those_who_lead(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        link = await app.new_link(home.store, home.url, Identity("web", "zoe"), "zoe")
        async with aiohttp.ClientSession(
            home.url, cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as zoe:
            assert "kinora admin console-link" in await page(zoe, "/console")
            async with zoe.get(link.removeprefix(home.url)):
                pass
            for path in ("/console", "/console/all/people", "/console/discord:81/jobs.csv"):
                assert "for those who lead" in await page(zoe, path, 403)
            await act(zoe, "/console/all/queue/act", sure=False, status=403, verb="pause")
            assert "Console</a>" not in await page(zoe)
        async with signed_in(home) as mia:
            assert "Console</a>" in await page(mia)
            async with mia.post("/console/all/queue/act", data={"verb": "pause"}) as answer:
                assert answer.status == 403
        assert not await home.store.moderation.rows(10)


async def test_what_is_typed_is_taken_as_it_is(tmp_path: Path) -> None:
    tricky = "<script>alert(1)</script> \u202e&amp;"
    async with house(tmp_path) as home, signed_in(home) as mia:
        async with home.client(await home.key(tricky)) as eve:
            await finished(eve, (await ask(eve, "<img src=x> --seconds 0.5"))["id"])
        for path in ("/people", "/people/2", "/jobs", "/usage"):
            shown = await page(mia, f"/console/all{path}")
            assert "<script>alert" not in shown
            assert "<img src=x" not in shown
        assert "<bdi>&lt;script&gt;" in await page(mia, "/console/all/people")
        found = await page(mia, "/console/all/people?q=%3Cscript%3E")
        assert 'value="&lt;script&gt;"' in found
        for wild in ("%25", "_", "%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80"):
            assert "Nobody here fits" in await page(mia, f"/console/all/people?q={wild}")
        for wrong in ("0", "201", "-1", "x", "00000000199999999999999999999", "9" * 5000):
            assert "pages 1 to 200" in await page(mia, f"/console/all/jobs?page={wrong}", 422)
        for wrong in (
            "people?q=a%00", "people?sort=0", "people?held=x", f"people?q={'a' * 101}",
            "jobs?who=1' OR 1", "jobs?state=x", "log?who=a%0Ab", "usage?by=x",
        ):  # fmt: skip
            await page(mia, f"/console/all/{wrong}", 422)
        assert "No clip fits" in await page(mia, f"/console/all/jobs?who={'9' * 18}%23")
        await page(mia, f"/console/all/people/{'9' * 18}", 404)


async def test_usage_is_drawn_and_told(tmp_path: Path) -> None:
    async with house(tmp_path) as home, signed_in(home) as mia:
        async with home.client(await home.key("anna")) as anna:
            await finished(anna, (await ask(anna, "a red ball --seconds 0.5"))["id"])
            whom = await home.store.moderation.person(Identity("web", "anna"))
            assert whom is not None
            gore = {"prompt": "a severed head in a pool of blood"}
            status, _ = await send(anna, "POST", "/api/v1/clips", gore)
            assert status == 403
            await home.store.moderation.perform(
                acts.Ban(account_id=whom.id, reason="spam"), HOST, "ban"
            )
            status, _ = await send(anna, "POST", "/api/v1/clips", {"prompt": "a red ball"})
            assert status == 403
        drawn = await page(mia, "/console/all/usage?over=day&by=server")
        assert len(re.findall(r"<svg viewBox=\"0 0 360", drawn)) == 5
        assert "the page: 2 clips</title>" in drawn
        assert "the page: 2 asks</title>" in drawn
        (row,) = await sheet(mia, "/console/all/usage.csv?over=day&by=server")
        assert (row["server"], row["jobs"], row["refused"]) == ("web:page", "2", "2")
        assert float(row["gpu_seconds"]) > 0
        await page(mia, "/console/all/usage?over=year", 422)
