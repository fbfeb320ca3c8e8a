"""/verify, and Verify in the menu of a message: of what was made here, and of what was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bots.discord.cinema import PICTURE, cinema, text
from tests.discord.cdn import Upload
from tests.discord.server import Standin

pytestmark = pytest.mark.timeout(300)


async def test_a_file_is_asked_where_it_came_from(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        card = await here.clip(here.anna.slash("create", here.room, prompt="my ball", length=1))
        clip = here.bytes_of(card)

        # Of a card anybody learns that it was made here; its words are its author's.
        told = await here.answer(here.ben.message_command("Verify", card), "Yes: this is clip")
        assert told.audience == here.ben.id
        assert "my ball" not in text(told)
        mine = await here.answer(here.anna.message_command("Verify", card), "Yes: this is clip")
        assert "my ball" in text(mine)
        leads = await here.answer(here.mia.message_command("Verify", card), "Yes: this is clip")
        assert "my ball" in text(leads)

        # Of a card that only its author sees, nobody else learns the words.
        asked = here.anna.slash("create", here.room, prompt="a secret", length=1, private=True)
        file = Upload("sent.mp4", here.bytes_of(await here.clip(asked)))
        leads = await here.answer(here.mia.slash("verify", here.room, file=file), "Yes: this is")
        assert "a secret" not in text(leads)

        # A copy that somebody saved says the same; one flipped bit, and it is said.
        file = Upload("saved.mp4", clip)
        await here.answer(here.ben.slash("verify", here.room, file=file), "Yes: this is clip")
        middle = len(clip) // 2
        flipped = clip[:middle] + bytes([clip[middle] ^ 1]) + clip[middle + 1 :]
        file = Upload("flipped.mp4", flipped)
        changed = await here.answer(here.ben.slash("verify", here.room, file=file), "changed")
        assert "so nothing was changed since" not in text(changed)

        # A stranger's says no, wherever it is.
        posted = here.ben.post(here.room, "mine", [Upload("bay.jpg", PICTURE)])
        await here.answer(here.anna.message_command("Verify", posted), "No: nothing in this file")
        words = here.ben.post(here.room, "no file")
        await here.answer(here.anna.message_command("Verify", words), "There is no picture")
        file = Upload("words.mp4", b"no film at all")
        await here.answer(
            here.anna.slash("verify", here.room, file=file), "no file I can look into"
        )
