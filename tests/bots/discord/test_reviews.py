"""What is refused, appealed, reported and taken down, as people and moderators meet it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bots.discord.cinema import cinema, text
from tests.discord import components
from tests.discord.asked import Asked
from tests.discord.server import Standin
from tests.discord.world import Message

pytestmark = pytest.mark.timeout(300)

GORE = "a man torn apart, guts and blood everywhere"
REFUSED = ["Edit", "Appeal", "Delete"]


async def refused(asked: Asked) -> Message:
    return await asked.message(lambda m: "I can't make this one" in text(m))


async def test_a_reported_clip_is_taken_down_wherever_it_was_posted(
    discord_standin: Standin, tmp_path: Path
) -> None:
    scene, world = discord_standin.scene, discord_standin.world
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.anna.slash("create", here.room, prompt="a ball", length=1)
        card = await here.clip(asked)
        there = scene.channel(here.guild, "elsewhere")
        copy = await here.clip(here.anna.slash("show", there))
        again = await here.clip(here.anna.press(card, "Extend"))
        await here.answer(here.ben.press(card, "Report"), "Noted")

        reports = here.mia.slash("mod reports", here.room)
        listed = await here.answer(reports, "1 reported clip")
        assert listed.audience == here.mia.id
        here.mia.press(listed, "Look")
        seen = await reports.message(lambda m: "Prompt: ||a ball||" in text(m))
        assert [a.filename for a in seen.attachments] == ["SPOILER_picture.jpg"]
        (item,) = [c for c in components.walk(seen.components) if c["type"] == components.GALLERY]
        assert item["items"][0]["spoiler"]
        here.mia.press(seen, "Take down")
        sure = await reports.message(lambda m: "Nothing is done yet." in text(m))
        assert card.id in world.messages
        here.mia.press(sure, "Do it")
        await reports.message(lambda m: "is taken down" in text(m))
        for gone in (card, copy, again):
            await world.until(lambda gone=gone: gone.id not in world.messages, "a copy deleted")
        assert not await here.home.studio.history(await here.account(here.anna))
        reports = here.mia.slash("mod reports", here.room)
        await here.answer(reports, "Nothing is reported here.")
