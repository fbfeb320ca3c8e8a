"""/verify: whether a file was made here, asked in every way that Telegram's apps let people ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bots.telegram.cinema import PICTURE, cinema, data_of
from tests.provenance.reader import manifest
from tests.telegram.server import Standin

pytestmark = pytest.mark.timeout(300)


async def test_of_ones_own_clip_and_of_a_stranger_s(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        anna, ben, group = here.anna, here.ben, here.group
        telegram_standin.limits.on = False
        clip = await here.clip(anna.say("/create a teal ball --seconds 1", group))
        (job,) = await here.jobs(anna)
        state, said = manifest(data_of(clip))
        assert (state, said["signature_info"]["issuer"]) == ("Valid", "Kinora")

        seen_by_all = await here.answer(
            anna.say("/verify", group, reply_to=clip), f"{job.id}, made"
        )
        assert "a teal ball" not in seen_by_all.text
        theirs = ben.document(data_of(clip), "/verify", name="x.mp4", mime="video/mp4")
        answer = await here.answer(theirs, f"Yes: this is clip {job.id}")
        assert "a teal ball" not in answer.text
        own = anna.video(data_of(clip), "/verify", width=320, height=180, duration=1)
        await here.answer(own, "a teal ball")

        flipped = bytearray(data_of(clip))
        flipped[len(flipped) // 2] ^= 1
        changed = ben.document(bytes(flipped), "/verify", name="x.mp4", mime="video/mp4")
        answer = await here.answer(changed, "changed")
        assert "Yes: " not in answer.text
        await here.answer(ben.photo(PICTURE, "/verify"), "nothing in this file")
        await here.answer(ben.say("/verify"), "Send a clip or a picture with /verify")
        large = ben.document(bytes(21_000_000), "/verify", name="x.mp4", mime="video/mp4")
        await here.answer(large, "up to 20 MB; this one has 21")
        assert len(await here.jobs(ben)) == 0
