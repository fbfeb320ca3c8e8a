"""A moderator's day in a real browser: in by Discord, and what another server's can't do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.bots.discord.cinema import Cinema, cinema, text
from tests.bots.discord.test_moderation import fill
from tests.bots.projector import Projector
from tests.browser.conftest import WAIT_MILLISECONDS, keep
from tests.browser.test_console import fill_in
from tests.browser.test_page import looked_at
from tests.discord.server import standin
from tests.discord.users import Person
from tests.discord.world import Guild

PAGE = "http://kinora.test"
"""The public address, which leads to the house."""

BACK = f"{PAGE}/console/discord/back"


@dataclass(frozen=True)
class Day:
    """A cinema that runs in a thread of its own; zoe leads the theatre next door."""

    here: Cinema
    zoe: Person
    theatre: Guild
    anna: int
    clip: str
    loop: asyncio.AbstractEventLoop
    over: asyncio.Event

    def rows(self) -> list[tuple[str, str]]:
        asked = self.here.home.store.moderation.rows(99, after=1)
        found = asyncio.run_coroutine_threadsafe(asked, self.loop).result(timeout=20)
        return [(row.act, row.who) for row in found]


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    opened: Future[Day] = Future()

    async def keep() -> None:
        async with (
            standin() as discord,
            cinema(discord, tmp_path, engine=Projector(), public_url=PAGE) as here,
        ):
            discord.world.acknowledge_seconds = 30.0
            discord.consent.redirects.add(BACK)
            zoe = discord.scene.user("zoe")
            theatre = discord.scene.guild("Theatre", zoe)
            await fill(here, 50)
            card = here.anna.slash("create", here.room, prompt="a red ball --seconds 1")
            await card.message(lambda message: "Getting ready" in text(message))
            anna, (job,) = await here.account(here.anna), await here.home.store.jobs.unfinished()
            loop, over = asyncio.get_running_loop(), asyncio.Event()
            opened.set_result(Day(here, zoe, theatre, anna.id, job.id, loop, over))
            await over.wait()
            assert not discord.violations

    def ended(running: Future[None]) -> None:
        error = running.exception()
        if error is not None and not opened.done():
            opened.set_exception(error)

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(asyncio.run, keep())
        running.add_done_callback(ended)
        found = opened.result(timeout=120)
        try:
            yield found
        finally:
            found.loop.call_soon_threadsafe(found.over.set)
            running.result(timeout=60)


def signed_in(chromium: Browser, day: Day, person: Person, **settings: Any) -> Page:
    """In a browser of their own, by Discord."""
    url = day.here.home.url
    context = chromium.new_context(locale="en-GB", **settings)
    context.set_default_timeout(WAIT_MILLISECONDS)

    def home(route: Route) -> None:
        there = route.request.url.replace(PAGE, url)
        route.fulfill(status=302, headers={"Location": there})

    context.route(f"{PAGE}/**", home)
    page = context.new_page()
    day.here.discord.consent.browser = person.id
    page.goto(f"{url}/console")
    page.get_by_role("link", name="Sign in with Discord").click()
    expect(page.get_by_text(f"{person.user.name}, let Kinora in?")).to_be_visible()
    page.get_by_role("button", name="Authorize").click()
    return page


def test_a_moderator_s_day(chromium: Browser, day: Day) -> None:
    url, root = day.here.home.url, f"/console/discord:{day.here.guild.id}"
    page = signed_in(chromium, day, day.here.mia)
    theirs = signed_in(chromium, day, day.zoe)
    try:
        expect(page.get_by_role("heading", name="Cinema")).to_be_visible()
        expect(page.get_by_role("link", name="Vouchers")).to_have_count(0)
        page.get_by_role("link", name="People").click()
        page.get_by_role("link", name="Anna").click()
        expect(page.locator("summary", has_text="Take credits")).to_have_count(0)
        fill_in(page, "Grant credits", "Grant", Credits="20", Reason="a prize")
        fill_in(page, "Set a quota", "Set the quota", Credits_a_day="5")
        fill_in(page, "Pause", "Pause", Until="1d", Reason="a break")
        fill_in(page, "Ban", "Ban", Reason="flooding")
        page.get_by_role("link", name="Overview").click()
        page.set_viewport_size({"width": 360, "height": 740})
        page.locator("summary", has_text="Say what it is for").click()
        look = looked_at(page)
        keep(page, "console-treasury", whole=True)
        assert (look["faint"], look["nameless"], look["wide"], look["sideways"]) == ([], [], [], 0)
        page.locator("summary", has_text="Say what it is for").click()
        fill_in(page, "Say what it is for", "Set it", Credits_a_day="10", Hours="18-2")
        expect(
            page.get_by_text("Members spend from it before their own: 10 credits a day for each")
        ).to_be_visible()
        page.get_by_role("link", name="Log", exact=True).click()
        done = page.locator("table.list tbody tr strong")
        expect(done).to_have_text(["policy", "ban", "pause", "quota", "grant", "fill"])
        page.get_by_role("button", name="Verify the log").click()
        expect(page.get_by_role("status")).to_contain_text("6 rows, unchanged")

        expect(theirs.get_by_role("heading", name="Theatre")).to_be_visible()
        for path in ("", "/people", f"/people/{day.anna}", "/jobs", "/queue", "/usage", "/log"):
            theirs.goto(f"{url}{root}{path}")
            expect(theirs.get_by_text("You don't lead that server")).to_be_visible()
        forge(theirs, f"{url}/console/discord:{day.theatre.id}/queue", f"{root}/people/{day.anna}")
        expect(theirs.get_by_text("You don't lead that server")).to_be_visible()
        theirs.goto(f"{url}/console/discord:{day.theatre.id}/people/{day.anna}")
        expect(theirs.get_by_text("Nobody is known here by that name")).to_be_visible()
        assert [act for act, _ in day.rows()] == ["grant", "quota", "pause", "ban", "policy"]
        assert {who for _, who in day.rows()} == {f"Mia (discord:{day.here.mia.id})"}

        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{url}{root}")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    finally:
        page.context.close()
        theirs.context.close()


def forge(page: Page, own: str, target: str) -> None:
    """One's own form, with one's own token, turned on somebody else."""
    page.goto(own)
    page.evaluate(
        """target => {
            const form = document.querySelector("form.fields[method=post]");
            form.action = `${target}/act`;
            form.querySelector("button").value = "unban";
        }""",
        target,
    )
    page.get_by_role("button", name="Pause", exact=True).click()
