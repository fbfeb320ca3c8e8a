"""The console for who leads a Discord server, and what who leads another one can't do there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from bots import app
from bots.web.console import PAGES, ROUTES
from bots.web.console.desk import AT, EVERYTHING
from core.job import Identity
from tests.bots.discord.cinema import Cinema, cinema, text
from tests.bots.discord.test_moderation import fill
from tests.bots.projector import Projector
from tests.bots.test_console import act
from tests.bots.test_page import page, signed_in, token
from tests.discord import components
from tests.discord.permissions import Permission
from tests.discord.server import Standin
from tests.discord.users import Person

PAGE = "http://kinora.test"
BACK = f"{PAGE}/console/discord/back"
OF_WAITING = re.compile(r"/(review|reports)/[0-9a-z]{12}/")
"""Pages about a clip that waits for a moderator, or was reported."""


@asynccontextmanager
async def browser(here: Cinema) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(here.home.url, cookie_jar=jar) as session:
        yield session


async def link(here: Cinema, person: Person) -> str:
    """What /console gives them."""
    asked = person.slash("console", here.room)
    message = await here.answer(asked, "opens the console")
    assert message.audience == person.id
    (button,) = [c for c in components.walk(message.components) if "url" in c]
    address: str = button["url"]
    assert address.startswith(f"{PAGE}/open/")
    return address.removeprefix(PAGE)


async def agreed(session: aiohttp.ClientSession, here: Cinema, person: Person) -> str:
    """Go to Discord and agree; the path to come back to."""
    here.discord.consent.browser = person.id
    here.discord.consent.redirects.add(BACK)
    async with session.get("/console/discord", allow_redirects=False) as answer:
        assert answer.status == 303
        asking = answer.headers["Location"]
    async with aiohttp.ClientSession() as elsewhere:
        async with elsewhere.get(asking) as shown:
            assert "let Kinora in?" in await shown.text()
        async with elsewhere.post(asking, allow_redirects=False) as answer:
            assert answer.status == 302
            return answer.headers["Location"].removeprefix(PAGE)


async def test_a_moderator_s_day_in_the_browser(discord_standin: Standin, tmp_path: Path) -> None:
    scene = discord_standin.scene
    async with cinema(discord_standin, tmp_path, engine=Projector(), public_url=PAGE) as here:
        zoe = scene.user("zoe")
        other = scene.guild("Theatre", zoe, here.anna)
        assert other.id != here.guild.id
        await fill(here, 50)
        card = here.anna.slash("create", here.room, prompt="a red ball --seconds 1")
        await card.message(lambda message: "Getting ready" in text(message))
        anna = (await here.account(here.anna)).id
        root = f"/console/discord:{here.guild.id}"
        before = (await here.funds(here.anna))[0]

        async with browser(here) as mia:
            async with mia.get(await link(here, here.mia)) as answer:
                assert str(answer.url).removeprefix(here.home.url) == root
                assert "moderator of Cinema" in await answer.text()
            people = await page(mia, f"{root}/people")
            assert "Anna" in people
            assert "available" not in people
            there = f"{root}/people/{anna}"
            told = await act(mia, f"{there}/act", verb="grant", credits="20", reason="a prize")
            assert "credits 20 · reason a prize" in told
            assert (await here.funds(here.anna))[0] == before + 20
            await act(mia, f"{there}/act", verb="quota", credits="1")
            await act(mia, f"{there}/act", verb="pause", until="1d", reason="calm down")
            refused = here.anna.slash("create", here.room, prompt="a ball")
            await here.answer(refused, "You are paused here until")
            told = await act(mia, f"{there}/act", verb="ban", reason="flooding")
            assert "Clips cancelled" not in told
            assert [row.act for row in await here.home.store.moderation.rows(9, after=1)] == [
                "grant", "quota", "pause", "ban",
            ]  # fmt: skip
            log = await page(mia, f"{root}/log")
            assert f"Mia (discord:{here.mia.id})" in log
            for said in ({"verb": "take", "credits": "1"}, {"verb": "plan", "plan": "pro"}):
                await act(mia, f"{there}/act", status=403, **said)
            for path in ("/console/all", f"/console/discord:{other.id}/people", f"{root}/plans"):
                await page(mia, path, 403)
            await page(mia, f"{root}/people/{(await here.account(here.ben)).id}", 404)

            said = {"daily": "5", "models": "sketch", "hours": "18-2", "longest": "2.5"}
            told = await act(mia, f"{root}/act", verb="policy", **said)
            assert "5 credits a day for each member, only with sketch, clips of 2.5 s" in told
            shown = await page(mia, root)
            assert 'name="hours" value="18-2"' in shown
            assert "policy 5 credits a day for each member, only with sketch" in shown
            for wrong in ({"daily": "-1"}, {"models": "none"}, {"hours": "25-2"}, {"longest": "0"},
                          {"members": "anna"}, {"largest": "big"}, {"channels": "#x"}):  # fmt: skip
                await act(mia, f"{root}/act", status=422, verb="policy", **wrong)
            await act(mia, f"{root}/act", status=403, verb="fill", credits="5")
            treasury = await here.home.store.accounts.treasury(f"discord:{here.guild.id}")
            assert treasury is not None
            assert (treasury.policy.daily, treasury.policy.hours) == (5, (18, 2))

            async with browser(here) as theirs:
                back = await agreed(theirs, here, zoe)
                async with mia.get(back) as answer:  # a code that somebody else brought along
                    assert answer.status == 403
                async with theirs.get(back) as answer:
                    assert str(answer.url).endswith(f"/console/discord:{other.id}")
                assert discord_standin.consent.given == 1
                assert discord_standin.consent.tokens == {}
                async with theirs.get(back) as answer:
                    assert answer.status == 403
                for path in ("/people", f"/people/{anna}", "/jobs.csv", "/log"):
                    assert "lead that server, or not any more" in await page(
                        theirs, f"{root}{path}", 403
                    )
                forged = f"{root}/people/{anna}/act"
                await act(theirs, forged, status=403, verb="unban")
                await act(theirs, f"{root}/act", status=403, verb="policy")
                elsewhere = f"/console/discord:{other.id}"
                await act(theirs, f"{elsewhere}/people/{anna}/act", status=404, verb="unban")
                job = re.search(r"<code>([0-9a-z]{12})</code>", await page(mia, f"{root}/jobs"))
                assert job
                await act(theirs, f"{elsewhere}/jobs/{job[1]}/act", status=404, verb="cancel")
            assert len(await here.home.store.moderation.rows(99)) == 6


def pages(at: str, account: int, job: str) -> list[tuple[str, str, bool]]:
    """Every page of the console for a server: method, path, and whether operators alone see it."""
    alone = [route for one in PAGES if one.operators for route in one.routes]
    found = []
    for route in ROUTES:
        if route.path.startswith(AT):
            path = route.path.replace(AT, f"/console/{at}")
            path = re.sub(r"{account:.*?}}", str(account), path)
            path = re.sub(r"{id:.*?}}", job, path)
            path = re.sub(r"{which:(\w+).*?}", r"\1", path)
            found.append((route.method, path, route in alone or path.endswith("wallet.csv")))
    assert len(found) > 20
    return found


async def test_every_page_keeps_to_who_leads(discord_standin: Standin, tmp_path: Path) -> None:
    scene = discord_standin.scene
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(
            cinema(discord_standin, tmp_path, engine=Projector(), public_url=PAGE)
        )
        zoe = scene.user("zoe")
        other = scene.guild("Theatre", zoe)
        card = here.anna.slash("create", here.room, prompt="a secret garden --seconds 1")
        await card.message(lambda message: "Getting ready" in text(message))
        account = await here.account(here.anna)
        (job,) = await here.home.store.jobs.unfinished()
        stranger, member, theirs, mia = [
            await stack.enter_async_context(browser(here)) for _ in range(4)
        ]
        owner = await stack.enter_async_context(signed_in(here.home))
        member_link = await app.new_link(here.home.store, PAGE, Identity("web", "eve"), "eve")
        await page(member, member_link.removeprefix(PAGE))
        await page(mia, await link(here, here.mia))
        async with theirs.get(await agreed(theirs, here, zoe)) as answer:
            assert answer.status == 200

        async def seen(who: aiohttp.ClientSession, method: str, path: str) -> tuple[int, str]:
            said = {"verb": "cancel", "key": "0" * 12}
            if method == "POST" and who is not stranger:
                said["token"] = await token(who)
            async with who.request(method, path, data=said, allow_redirects=False) as answer:
                return answer.status, await answer.text()

        for at in (f"discord:{here.guild.id}", EVERYTHING):
            for method, path, operators in pages(at, account.id, job.id):
                told = f"{method} {path}"
                assert (await seen(stranger, method, path))[0] == 303, told
                for who in (member, theirs):
                    status, said = await seen(who, method, path)
                    assert (status, "secret" in said) == (403, False), told
                if method == "POST":
                    continue
                shut = operators or at == EVERYTHING
                found = 404 if OF_WAITING.search(path) else 200
                assert (await seen(mia, method, path))[0] == (403 if shut else found), told
                assert (await seen(owner, method, path))[0] == found, told
        elsewhere = f"/console/discord:{other.id}"
        for method, path, operators in pages(f"discord:{other.id}", account.id, job.id):
            status, said = await seen(theirs, method, path)
            if operators:
                assert status == 403, path
            elif path.startswith((f"{elsewhere}/people/", f"{elsewhere}/jobs/")):
                assert status == 404, path
            elif OF_WAITING.search(path):
                assert status == (404 if method == "GET" else 422), path
            elif path.endswith("/verify"):
                assert status == (200 if method == "GET" else 415), path
            else:
                assert status == (200 if path.endswith("/log") or method == "GET" else 422), path
            assert "secret garden" not in said
            assert job.id not in said
            assert "Anna" not in said
        assert await here.home.store.moderation.rows(9) == []


async def test_the_way_in_is_closed_to_others(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path, public_url=PAGE) as here, browser(here) as anna:
        assert "Sign in with Discord" in await page(anna, "/console")
        async with anna.get("/console/discord/back?code=x&state=y") as answer:
            assert answer.status == 403
        async with anna.get(await agreed(anna, here, here.anna)) as answer:
            assert answer.status == 403
            assert "for those who lead" in await answer.text()
        assert here.discord.consent.given == 1
        await page(anna, "/", 401)


async def test_who_was_demoted_is_out_at_once(discord_standin: Standin, tmp_path: Path) -> None:
    scene = discord_standin.scene
    async with cinema(discord_standin, tmp_path, public_url=PAGE) as here, browser(here) as ben:
        role = scene.role(here.guild, "mods", Permission.MANAGE_GUILD, here.ben)
        async with ben.get(await agreed(ben, here, here.ben)) as answer:
            assert "moderator of Cinema" in await answer.text()
        root = f"/console/discord:{here.guild.id}"
        scene.grant(here.guild, role, 0)
        await act(ben, f"{root}/queue/act", status=403, verb="pause")
        await page(ben, "/console", 403)
        assert await here.home.store.moderation.rows(9) == []
