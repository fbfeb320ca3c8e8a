"""Every state of a Discord card in a browser, drawn from what the bot really sent.

The drawing is ours (tests/discord/html.py): near Discord's own, not exact. The pictures are kept in
the test's folder, to be looked at.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core.engine import Spec
from model.families import MODELS
from tests.bots.discord.cinema import Cinema, cinema, text, videos
from tests.bots.pictures import jpeg, landscape
from tests.bots.projector import Projector
from tests.browser.test_page import LOOKS
from tests.discord.asked import Asked
from tests.discord.cdn import Upload
from tests.discord.html import render_html, render_modal
from tests.discord.permissions import Permission
from tests.discord.server import standin
from tests.discord.world import Message

PATIENCE_SECONDS = 60.0
WIDTHS = {"desktop": 1000, "phone": 360}
WORDS = "a red ball bouncing on a blue background, slow zoom in"
PHOTO = Upload("lake.jpg", jpeg(landscape()))
PREVIEW = jpeg(landscape(320, 180))

DONE = ["Again", "Edit", "Extend", "×4 · 4 credits", "Upscale to 720p", "Delete", "Report"]


@dataclass(frozen=True)
class Sight:
    """What people see of one state: a page, and what must be on it."""

    page: str
    words: tuple[str, ...]
    buttons: list[str]


@dataclass
class Gallery:
    """Collects the states of cards, as they come about."""

    here: Cinema
    engine: Projector
    sights: dict[str, Sight] = field(default_factory=dict)

    async def see(self, name: str, asked: Asked, *words: str, buttons: list[str]) -> Message:
        """Keep the answer, or what was said besides, as it is when it has these words."""

        def found() -> Message | None:
            original = self.here.discord.world.messages.get(asked.now.original_id or 0)
            for message in (original, *asked.followups()):
                if message is not None and all(word in text(message) for word in words):
                    return message
            return None

        message = await self.here.discord.world.until(found, f"{name}: {words}", PATIENCE_SECONDS)
        assert message is not None
        self.keep(name, message, *words, buttons=buttons)
        return message

    def keep(self, name: str, message: Message, *words: str, buttons: list[str]) -> None:
        page = render_html(self.here.discord.world, message)
        self.sights[name] = Sight(page, words, buttons)

    async def attempt(self) -> tuple[str, int, Spec]:
        """What the engine is asked for next."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.engine.started.get()

    async def form(self, name: str, asked: Asked, *words: str) -> None:
        page = render_modal(self.here.discord.world, await asked.modal())
        self.sights[name] = Sight(page, words, ["Cancel", "Submit"])


async def every_state(folder: Path) -> dict[str, Sight]:
    engine = Projector()
    async with (
        standin() as discord,
        cinema(discord, folder, engine=engine, catalogue=MODELS) as here,
    ):
        gallery = Gallery(here, engine)
        clip = await from_words(gallery)
        await from_a_picture(gallery)
        await without_a_clip(gallery)
        await of_a_clip(gallery, clip)
        await told_to_one(gallery)
        assert not discord.violations, discord.violations
    return gallery.sights


async def from_words(gallery: Gallery) -> Message:
    """A card from words, through all of its states; and one behind it in the queue."""
    here, engine = gallery.here, gallery.engine
    asked = here.anna.slash("create", here.room, prompt=WORDS)
    job_id, attempt, spec = await gallery.attempt()
    await gallery.see("ready", asked, "Getting ready", "left", buttons=["Cancel"])
    behind = here.ben.slash("create", here.room, prompt="a yellow cube --seed 7")
    await gallery.see(
        "queued", behind, "In the queue: 2nd", "starts in", "1 ahead", buttons=["Cancel"]
    )
    here.ben.press(await behind.message(), "Cancel")
    await gallery.see(
        "cancelled", behind, "Cancelled", "came back", buttons=["Again", "Edit", "Delete"]
    )
    engine.show(job_id, attempt, 8, 20, PREVIEW)
    await gallery.see(
        "running", asked, "Rendering", "step 8 of 20", "▰▰▰▰▱▱▱▱▱▱▱▱ 40 %", buttons=["Cancel"]
    )
    engine.encode(job_id, attempt)
    await gallery.see("finishing", asked, "Almost there", "checking and encoding", buttons=[])
    await engine.finish(job_id, attempt, spec, still=landscape())
    return await gallery.see("done", asked, WORDS, "pocket", "took", buttons=DONE)


async def from_a_picture(gallery: Gallery) -> None:
    here, engine = gallery.here, gallery.engine
    asked = here.anna.slash("create", here.room, image=PHOTO, prompt="pan left", private=True)
    job_id, attempt, spec = await gallery.attempt()
    engine.show(job_id, attempt, 30, 121, PREVIEW)
    await gallery.see("private-running", asked, "Rendering", "step 30 of 121", buttons=["Cancel"])
    await engine.finish(job_id, attempt, spec, still=landscape())
    await gallery.see(
        "private-done",
        asked,
        "parallax",
        "took",
        buttons=[
            "Again",
            "Edit",
            "Extend",
            "×4 · 4 credits",
            "Upscale to 1080p",
            "Delete",
            "Report",
        ],
    )


async def without_a_clip(gallery: Gallery) -> None:
    """What failed, and what was not taken at all."""
    here, engine = gallery.here, gallery.engine
    asked = here.anna.slash("create", here.room, prompt=WORDS)
    job_id, attempt, _ = await gallery.attempt()
    engine.fail(job_id, attempt)
    await gallery.see(
        "failed", asked, "That didn't work", "It did not fit.", "Nothing was charged.",
        "Reference ref12345", buttons=["Try again", "Edit", "Delete"],
    )  # fmt: skip
    asked = here.anna.slash("create", here.room, prompt="a ball", model="parallax")
    await gallery.see("refused-input", asked, "Nothing was charged.", buttons=[])
    shut = here.discord.scene.channel(here.guild, "shut")
    here.discord.scene.deny_app(shut, Permission.ATTACH_FILES)
    asked = here.anna.slash("create", shut, prompt="a ball")
    await gallery.see("no-permission", asked, "Attach Files", "Nothing was charged.", buttons=[])


async def of_a_clip(gallery: Gallery, clip: Message) -> None:
    """What comes of a clip's buttons."""
    here, engine = gallery.here, gallery.engine
    await gallery.form("edit", here.anna.press(clip, "Edit"), "Prompt", "Flags", WORDS)
    await gallery.form("remix", here.ben.message_command("Remix", clip), "Remix", WORDS)
    asked = here.anna.press(clip, "×4")
    for number in range(4):
        job_id, attempt, spec = await gallery.attempt()
        if number == 2:
            engine.progress(job_id, attempt, 5, 20)
            await gallery.see(
                "sheet-running",
                asked,
                "2 of 4 done",
                "step 5 of 20",
                buttons=["1", "2", "3", "4", "Cancel"],
            )
        await engine.finish(job_id, attempt, spec, still=landscape())
    await asked.message(lambda m: len(videos(m)) == 4)
    await gallery.see("sheet-done", asked, "Done", buttons=["1", "2", "3", "4", "Delete"])
    gallery.keep(
        "ping", await here.said(here.room, "Your clip is done."), "Your clip is done.", buttons=[]
    )


async def told_to_one(gallery: Gallery) -> None:
    """What is said to one person alone."""
    here, scene = gallery.here, gallery.here.discord.scene
    await gallery.see("me", here.anna.slash("me", here.room), "credits", buttons=["Don't ping me"])
    empty = here.anna.slash("queue", here.room)
    await gallery.see("queue", empty, "what you ask for now starts at once", buttons=[])
    await gallery.see("models", here.anna.slash("models", here.room), "pocket", buttons=[])
    await gallery.see("help", here.anna.slash("help", here.room), "/create", buttons=[])
    scene.role(here.guild, "stewards", Permission.MANAGE_GUILD, here.anna)
    settled = here.anna.slash("settings", here.room, where=here.room, longest=10.0)
    await gallery.see("settings", settled, "10 s at most", buttons=[])


@pytest.fixture(scope="module")
def sights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sight]:
    """In a thread: Playwright has this one's loop."""
    with ThreadPoolExecutor(1) as thread:
        folder = tmp_path_factory.mktemp("cinema")
        return thread.submit(asyncio.run, every_state(folder)).result(timeout=300)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_state_is_well_drawn(
    chromium: Browser, sights: dict[str, Sight], width: str, tmp_path: Path
) -> None:
    context = chromium.new_context(viewport={"width": WIDTHS[width], "height": 400})
    page = context.new_page()
    try:
        faults = [
            f"{name}: {fault}"
            for name, sight in sights.items()
            for fault in _faults(page, sight, tmp_path / f"{name}-{width}.png")
        ]
    finally:
        context.close()
    assert not faults, "\n".join(faults)


def _faults(page: Page, sight: Sight, picture: Path) -> list[str]:
    """What is wrong with one state. picture: where it is kept."""
    page.set_content(sight.page)
    page.screenshot(path=picture, full_page=True)
    found: dict[str, Any] = page.evaluate(LOOKS)
    faults = [f"{kind}: {what}" for kind in ("faint", "nameless", "wide") for what in found[kind]]
    if found["sideways"] > 0:
        faults.append(f"{found['sideways']} pixels wider than the window")
    words = _plain(page.locator("body").inner_text())
    faults += [f"does not say {one!r}" for one in sight.words if _plain(one) not in words]
    buttons = page.get_by_role("button").all_inner_texts()
    if buttons != sight.buttons:
        faults.append(f"buttons {buttons}, not {sight.buttons}")
    if page.locator(".missing").count():
        faults.append(page.locator(".missing").first.inner_text())
    return faults


def _plain(words: str) -> str:
    """Without Discord's formatting, and with one kind of space."""
    return re.sub(r"\s+", " ", re.sub(r"[*`_]|^> |^-# ", "", words, flags=re.MULTILINE))
