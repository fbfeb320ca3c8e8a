"""A clip that waits for a word: its price in parts, the relaxed lane, and a restart in between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bots.projector import Reel
from tests.bots.telegram.cinema import cinema, is_clip, labels, opened
from tests.telegram.server import Standin

pytestmark = pytest.mark.timeout(300)


async def test_what_is_quoted_waits_for_a_word(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel(), daily_credits=3) as here:
        asked = here.anna.say("/create@kinora_bot a red ball --quote", here.group)
        offer = await here.answer(asked, "2 credits. You have 3.")
        assert "sketch, a second: 4 × 2 s × 240p: 0.2 = 2 credits" in offer.text
        assert labels(offer) == ["Render", "Change", "Cancel"]
        assert await here.funds(here.anna) == (3, 0)
    pressed = here.anna.press(offer, "Render")
    async with opened(telegram_standin, tmp_path, engine=Reel(), daily_credits=3) as home:
        here = replace(here, home=home)
        assert (await pressed.answer())["text"] == ""
        await here.until(offer, is_clip)
        assert await here.funds(here.anna) == (1, 0)

        # What she can't pay is free, and slower: once she says so.
        asked = here.anna.say("/create@kinora_bot a blue ball --fast", here.group)
        dear = await here.answer(asked, "This costs 4 and you have 1. It can run for free in the")
        assert "or wait for tomorrow's 3." in dear.text
        assert labels(dear) == ["Relaxed, for free", "Change", "Cancel"]
        refused = await here.ben.press(dear, "Relaxed, for free").answer()
        assert "Anna's clip" in refused["text"]
        here.anna.press(dear, "Relaxed, for free")
        clip = await here.until(dear, is_clip)
        assert "free · relaxed lane" in clip.text
        assert await here.funds(here.anna) == (1, 0)

        # Changed, the offer is over; cancelled, it costs nothing.
        offer = await here.answer(here.anna.say("a ball --seconds 1 --quote"), "1 credit. You")
        question = await here.answer(here.anna.press(offer, "Change"), lambda m: m.asks)
        changed = here.anna.say("a cube --seconds 1 --quote", reply_to=question)
        await here.until(offer, lambda m: "Cancelled\nNothing was charged." in m.text)
        offer = await here.answer(changed, "1 credit. You have 1.")
        here.anna.press(offer, "Cancel")
        await here.until(offer, lambda m: "Cancelled\nNothing was charged." in m.text)
        assert await here.funds(here.anna) == (1, 0)
        me = await here.answer(here.anna.say("/me"), "Plan: free · 3 credits each day")
        assert "Up to 100 clips may wait, 3 of them for free in the relaxed lane" in me.text
