"""What is kept of somebody goes to them, and for good when they say so."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.bots.telegram.cinema import cinema, data_of, labels
from tests.telegram.server import Standin
from tests.telegram.world import Message

pytestmark = pytest.mark.timeout(300)


async def test_somebody_takes_their_data_and_is_forgotten(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        anna, group = here.anna, here.group
        clip = await here.clip(anna.say("/create a teal ball --seconds 1", group))

        asked = anna.say("/privacy export", group)
        await here.answer(asked, "I sent it to you")
        (document,) = [m for m in anna.messages() if m.media and m.media.kind == "document"]
        with zipfile.ZipFile(io.BytesIO(data_of(document))) as archive:
            rows = json.loads(archive.read("data.json"))
            (name,) = rows["files"]
            assert "a teal ball" in json.dumps(rows["tables"])
            assert archive.read(name) == data_of(clip)

        anna.say("/forget", group)
        warned = await telegram_standin.world.until(
            lambda: next((m for m in anna.messages() if "can't be undone" in m.text), None), "why"
        )
        assert isinstance(warned, Message)
        anna.press(warned, "Delete my data")
        receipt = await here.until(warned, lambda m: "Receipt" in m.text)
        assert "1 clip deleted" in receipt.text
        assert not labels(receipt)
        await here.gone(clip)
        assert await here.jobs(anna) == []

        stranger = telegram_standin.scene.user("ida", started=False)
        telegram_standin.scene.join(group, stranger)
        door = await here.answer(stranger.say("/forget", group), "for you alone")
        whole = stranger.follow(door, "Our own chat")
        await here.answer(whole, "can't be undone")
        await here.answer(stranger.say("/privacy"), "/forget deletes it")
