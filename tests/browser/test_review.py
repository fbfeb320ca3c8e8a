"""An appeal in real browsers: somebody is refused and asks, a moderator decides in the console."""

from __future__ import annotations

import re

import pytest
import requests
from playwright.sync_api import Page, expect

from core.safety.verdict import POLICY, Clause
from tests.browser.conftest import OpenPage, keep
from tests.browser.test_page import looked_at, newest, send, write
from tests.house import Inn

REFUSED = "a severed head in a pool of blood, gore"
WHY = "It is a wax figure in a museum."


def ask(page: Page, words: str, scripts: bool) -> None:
    if scripts:
        send(page, words)
        return
    write(page, words)
    page.get_by_role("button", name="Send").click()


def appeal(page: Page, why: str) -> None:
    turn = newest(page)
    turn.locator("summary", has_text="Appeal").click()
    turn.get_by_label("Why it should be made").fill(why)
    look = looked_at(page)
    assert (look["faint"], look["nameless"], look["wide"], look["sideways"]) == ([], [], [], 0)
    turn.get_by_role("button", name="Ask a moderator").click()


def decide(page: Page, button: str, reason: str) -> None:
    page.get_by_role("link", name="Review").first.click()
    case = page.locator(".case")
    expect(case).to_have_count(1)
    words = case.locator(".unveiled").get_by_text(REFUSED)
    expect(words).to_be_hidden()
    assert "blur" in case.locator(".veiled").first.evaluate("one => getComputedStyle(one).filter")
    case.get_by_label("Show what was asked").press("Enter")
    expect(words).to_be_visible()
    case.get_by_label("Reason").fill(reason)
    case.get_by_role("button", name=button).click()
    expect(page.get_by_text("Nothing is done yet")).to_be_visible()
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_role("status")).to_contain_text("Done, and in the log")
    expect(page.get_by_text("Nothing waits.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_appeal_and_how_it_ends(open_page: OpenPage, home: Inn, scripts: bool) -> None:
    anna = open_page(name="anna", java_script_enabled=scripts, width=360, height=740)
    mia = open_page(java_script_enabled=scripts)

    def followed(state: str) -> None:
        """Without scripts a page tells nothing by itself."""
        if not scripts:
            with requests.Session() as session:
                session.headers["Authorization"] = f"Bearer {home.key('anna')}"
                there = newest(anna).get_attribute("id") or ""
                path = f"{home.url}/api/v1/clips/{there.removeprefix('clip-')}"
                if state == "succeeded":
                    session.get(f"{path}/events", timeout=60)
                assert session.get(path, timeout=10).json()["state"] == state
            anna.reload()

    ask(anna, REFUSED, scripts)
    expect(newest(anna)).to_contain_text("I can't make this one")
    expect(newest(anna)).to_contain_text(f"{POLICY[Clause.GORE]} Nothing was charged.")
    keep(anna, f"refused-{scripts}")
    appeal(anna, WHY)
    expect(newest(anna)).to_contain_text("Waiting for a moderator")
    expect(newest(anna)).to_contain_text("Nothing is charged until then.")
    keep(anna, f"held-{scripts}")
    expect(newest(anna).get_by_role("button", name="Cancel")).to_be_visible()

    mia.goto(f"{home.url}/console/all")
    expect(mia.locator(".figures")).to_contain_text(re.compile("Waiting for review *1"))
    mia.get_by_role("link", name="Review").first.click()
    expect(mia.locator(".case")).to_contain_text(WHY)
    decide(mia, "Approve", "a museum is fine")
    followed("succeeded")
    expect(newest(anna).locator("video")).to_be_visible()

    ask(anna, f"{REFUSED}, again", scripts)
    expect(newest(anna)).to_contain_text("I can't make this one")
    appeal(anna, "")
    expect(newest(anna)).to_contain_text("Waiting for a moderator")
    decide(mia, "Deny", "Not without the museum around it.")
    followed("refused")
    said = f"A moderator said no: Not without the museum around it. {POLICY[Clause.GORE]}"
    expect(newest(anna)).to_contain_text(f"{said} Nothing was charged.")
    expect(newest(anna).locator("summary", has_text="Appeal")).to_have_count(0)
    mia.get_by_role("link", name="Log", exact=True).click()
    expect(mia.locator("table.list tbody tr strong")).to_have_text(["deny", "approve"])
    expect(mia.locator(".details").last).to_contain_text("a museum is fine")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_waits_is_covered_and_fits_a_phone(
    open_page: OpenPage, home: Inn, scheme: str
) -> None:
    anna = open_page(name="anna")
    send(anna, REFUSED)
    expect(newest(anna)).to_contain_text("I can't make this one")
    appeal(anna, WHY)
    expect(newest(anna)).to_contain_text("Waiting for a moderator")
    page = open_page(width=360, height=740, has_touch=True, is_mobile=True, color_scheme=scheme)
    page.goto(f"{home.url}/console/all/review")
    for _ in range(2):
        look = looked_at(page)
        keep(page, f"review-{scheme}", whole=True)
        assert (look["faint"], look["nameless"], look["wide"], look["sideways"]) == ([], [], [], 0)
        page.get_by_label("Show what was asked").click()
