"""What is kept of somebody: told, handed out, and deleted, in front of nobody else."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.bots.discord.cinema import cinema, labels, text
from tests.discord.server import Standin

pytestmark = pytest.mark.timeout(300)


async def test_data_is_told_handed_out_and_deleted(
    discord_standin: Standin, tmp_path: Path
) -> None:
    world = discord_standin.world
    async with cinema(discord_standin, tmp_path) as here:
        card = await here.clip(here.anna.slash("create", here.room, prompt="my ball", length=1))
        copy = await here.clip(here.anna.slash("show", here.room))
        told = await here.answer(here.anna.slash("privacy", here.room), "What Kinora keeps of you")
        assert told.audience == here.anna.id

        asked = here.anna.slash("privacy", here.room, export=True)
        sent = await here.answer(asked, "All that is kept of you")
        assert sent.audience == here.anna.id
        (file,) = sent.attachments
        with zipfile.ZipFile(io.BytesIO(world.cdn.read(file))) as archive:
            (clip,) = (name for name in archive.namelist() if name.startswith("clips/"))
            assert archive.read(clip) == here.bytes_of(card)
            assert "my ball" in json.dumps(json.loads(archive.read("data.json")))

        asked = here.anna.slash("forget", here.room)
        warned = await here.answer(asked, "It can't be undone")
        assert warned.audience == here.anna.id
        assert labels(warned) == ["Delete my data"]
        here.anna.press(warned, "Delete my data")
        receipt = await asked.message(lambda m: "Receipt" in text(m))
        assert not labels(receipt)
        for gone in (card, copy):
            await world.until(lambda gone=gone: gone.id not in world.messages, "a card deleted")
        assert here.home.files() == set()
