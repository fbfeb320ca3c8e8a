"""The console in a real browser: a day of who leads, and how its pages look."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, keep
from tests.browser.test_page import LOOKS, looked_at
from tests.house import Inn

PAGES = (
    "", "/review", "/reports", "/people", "/jobs", "/queue", "/usage", "/log", "/verify",
    "/blocklist", "/vouchers", "/payments", "/plans",
)  # fmt: skip
HERE = "discord:81"


def anna(home: Inn) -> requests.Session:
    """Somebody with a clip."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {home.key('anna')}"
    asked = session.post(f"{home.url}/api/v1/clips", json={"prompt": "a red ball"}, timeout=30)
    assert asked.status_code == 202
    return session


def fill_in(page: Page, what: str, button: str, **fields: str) -> None:
    """Open a form, fill it in, and be sure."""
    page.locator("summary", has_text=re.compile(f"^{what}$")).click()
    form = page.locator("details[open]").filter(has_text=what)
    for label, value in fields.items():
        form.get_by_label(label.replace("_", " ")).first.fill(value)
    form.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_text("Nothing is done yet")).to_be_visible()
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_role("status")).to_contain_text("Done, and in the log")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_day_of_who_leads(open_page: OpenPage, home: Inn, scripts: bool) -> None:
    theirs = anna(home)
    page = open_page(java_script_enabled=scripts, timezone_id="Asia/Kathmandu")
    page.get_by_label("Account and help").click()
    page.get_by_role("link", name="Console").click()
    expect(page.get_by_role("heading", name="All servers")).to_be_visible()
    page.get_by_role("link", name="People").click()
    page.get_by_label("Name or id").fill("ann")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="anna").click()
    shown = page.locator("time").first
    expect(shown).to_have_attribute("title", re.compile("UTC"))
    if scripts:
        expect(shown).not_to_contain_text("UTC")
    else:
        expect(shown).to_contain_text("UTC")

    fill_in(page, "Grant credits", "Grant", Credits="20", Reason="a prize")
    number = page.url.split("?")[0].rpartition("/")[2]
    page.goto(f"{home.url}/console/{HERE}/people/{number}")
    fill_in(page, "Set a quota", "Set the quota", Credits_a_day="5")
    fill_in(page, "Pause", "Pause", Until="1d")
    expect(page.get_by_text("paused on discord:81")).to_be_visible()
    page.goto(f"{home.url}/console/all/people/{number}")
    fill_in(page, "Ban", "Ban", Reason="spam")
    refused = theirs.post(f"{home.url}/api/v1/clips", json={"prompt": "a ball"}, timeout=30)
    assert (refused.status_code, refused.json()["detail"]) == (
        403, "You are banned from this Kinora: spam",
    )  # fmt: skip

    page.get_by_role("link", name="Log", exact=True).click()
    rows = page.locator("table.list tbody tr")
    expect(rows).to_have_count(4)
    assert [rows.nth(n).locator("strong").inner_text() for n in range(4)] == [
        "ban", "pause", "quota", "grant",
    ]  # fmt: skip
    page.get_by_role("button", name="Verify the log").click()
    expect(page.get_by_role("status")).to_contain_text("4 rows, unchanged")
    with closing(sqlite3.connect(home.data / "kinora.db")) as database, database:
        database.execute("UPDATE audit SET whom = 'account:99' WHERE number = 2")
    page.get_by_role("button", name="Verify the log").click()
    expect(page.get_by_role("status")).to_contain_text("Row 2 was changed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_legible_and_named_and_fits_a_phone(
    open_page: OpenPage, home: Inn, scheme: str
) -> None:
    anna(home)
    page = open_page(width=360, height=740, has_touch=True, is_mobile=True, color_scheme=scheme)
    people = [f"{home.url}/console/all{path}" for path in PAGES]
    beside = [f"{home.url}/{path}" for path in ("privacy", "verify", "console/sign-in")]
    for address in (*people, f"{home.url}/console/{HERE}", *beside):
        page.goto(address)
        look: dict[str, Any] = page.evaluate(LOOKS)
        assert (look["faint"], look["nameless"]) == ([], []), address
        assert (look["wide"], look["sideways"]) == ([], 0), address
    page.goto(f"{home.url}/console/all/people")
    page.get_by_role("link", name="anna").click()
    for summary in page.locator(".acts summary").all():
        summary.click()
    look = looked_at(page)
    keep(page, f"console-{scheme}", whole=True)
    assert (look["faint"], look["nameless"], look["wide"], look["sideways"]) == ([], [], [], 0)
