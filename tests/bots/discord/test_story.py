"""The whole story on the wire: install, sync, commands, cards, buttons, forms, and a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from model import video
from tests.bots.discord.cinema import cinema, labels, text
from tests.discord.server import Standin

pytestmark = pytest.mark.timeout(240)


async def test_words_become_a_clip(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.anna.slash("create", here.room, prompt="a red ball --seed 7", length=1)
        card = await here.clip(asked)
        assert "a red ball" in text(card)
        assert "seed 7" in text(card)
        assert labels(card)[:4] == ["Again", "Edit", "Extend", "×4"]
        clip = tmp_path / "clip.mp4"
        clip.write_bytes(here.bytes_of(card))
        assert video.probe(clip).num_frames == 9
        ping = await here.said(here.room, "Your clip is done.")
        assert ping.mentioned == (here.anna.id,)
