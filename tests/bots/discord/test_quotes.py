"""A clip that waits for a word: its price in parts, the relaxed lane, and a restart in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bots import cards
from core.places import Post
from tests.bots.discord.cinema import cinema, labels, opened, text, videos
from tests.bots.projector import Reel
from tests.discord.server import Standin

pytestmark = pytest.mark.timeout(300)


async def test_what_is_quoted_waits_for_a_word(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path, engine=Reel(), daily_credits=3) as here:
        asked = here.anna.slash("create", here.room, prompt="a red ball --quote")
        offer = await asked.message(lambda m: "2 credits. You have 3." in text(m))
        assert "sketch, a second: 4 × 2 s × 240p: 0.2 = 2 credits" in text(offer)
        assert labels(offer) == ["Render", "Change", "Cancel"]
        assert await here.funds(here.anna) == (3, 0)
    async with opened(discord_standin, tmp_path, engine=Reel(), daily_credits=3) as home:
        here = replace(here, home=home)
        said = await here.answer(here.ben.press(offer, "Render"), "Anna's clip")
        assert said.audience == here.ben.id
        here.anna.press(offer, "Render")
        await asked.message(videos)
        assert await here.funds(here.anna) == (1, 0)

        # What she can't pay is free, and slower: once she says so.
        asked = here.anna.slash("create", here.room, prompt="a blue ball --fast")
        words = "This costs 4 and you have 1. It can run for free in the relaxed lane (about "
        dear = await asked.message(lambda m: words in text(m))
        assert "or wait for tomorrow's 3." in text(dear)
        assert labels(dear) == ["Relaxed, for free", "Change", "Cancel"]
        here.anna.press(dear, "Relaxed, for free")
        clip = await asked.message(videos)
        assert "free · relaxed lane" in text(clip)
        assert await here.funds(here.anna) == (1, 0)

        # Changed, the offer is over; cancelled, it costs nothing.
        asked = here.anna.slash("create", here.room, prompt="a ball --quote", length=1)
        offer = await asked.message(lambda m: "1 credit. You have 1." in text(m))
        form = here.anna.press(offer, "Change")
        await form.modal()
        changed = await here.anna.submit_modal(
            form, {"Prompt": "a cube", "Flags": "--seconds 1 --quote"}
        )
        await asked.message(lambda m: "Cancelled" in text(m) and "Nothing was charged." in text(m))
        offer = await changed.message(lambda m: "1 credit. You have 1." in text(m))
        here.anna.press(offer, "Cancel")
        await changed.message(lambda m: "Cancelled" in text(m))
        assert await here.funds(here.anna) == (1, 0)
        me = await here.answer(here.anna.slash("me", here.room), "Plan: free · 3 credits each day")
        assert "Up to 100 clips may wait, 3 of them for free in the relaxed lane" in text(me)


async def test_a_word_comes_late_where_the_bot_is_a_guest(
    discord_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token of the command is over, and that of the button reaches the card. It says no
    goodbye before that: no clip is on its way."""
    monkeypatch.setattr(cards, "LOOK_SECONDS", 0.05)
    clock = discord_standin.clock
    async with cinema(discord_standin, tmp_path, engine=Reel(), clock=clock.date) as here:
        zoe = discord_standin.scene.user("zoe", installed=True)
        group = discord_standin.scene.group(zoe, here.ben)
        asked = zoe.slash("create", group, prompt="a red ball --quote", length=1)
        offer = await asked.message(lambda m: "1 credit. You have" in text(m))
        clock.jump(13.5 * 60)
        places, looked = here.home.store.places, asyncio.Queue[str]()
        find = places.post

        async def post(place: str) -> Post | None:
            looked.put_nowait(place)
            return await find(place)

        monkeypatch.setattr(places, "post", post)
        async with asyncio.timeout(60):
            for _ in range(3):
                assert (await looked.get()).endswith(str(offer.id))
        clock.jump(10 * 60.0)
        zoe.press(offer, "Render")
        await asked.message(videos)
