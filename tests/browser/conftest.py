"""A real browser, where there is one: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.job import OWNER
from tests.house import Inn, inn

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MILLISECONDS = 20_000

OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Ends with the package: Playwright keeps a loop running in this thread until it stops, and
    no other could run for the tests that come after."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("no chromium is installed here: apt-get install chromium")
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Inn]:
    with inn(tmp_path) as opened:
        yield opened


@pytest.fixture
def open_page(chromium: Browser, home: Inn) -> Iterator[OpenPage]:
    """Opens the chat in a browser of its own, signed in by a name, as the owner at first. In the
    end there must have been no complaint of the content policy and no error in a script."""
    complaints: list[str] = []
    contexts = []

    def open_one(
        *,
        signed_in: bool = True,
        name: str = OWNER.subject,
        width: int = 1100,
        height: int = 800,
        **settings: object,
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale="en-GB",
            **settings,  # type: ignore[arg-type]
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MILLISECONDS)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if _bad(said.text) else None)
        if signed_in:
            page.goto(home.link(name))
            expect(page.get_by_role("textbox")).to_be_focused()
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def keep(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep a picture of the page, to be looked at."""
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=whole)


def _bad(text: str) -> bool:
    return "Content Security Policy" in text or "Uncaught" in text
