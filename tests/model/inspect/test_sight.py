"""What is seen of real pictures and real clips, by the real processes.

`portrait.jpg` is a part of NASA's portrait of Eileen Collins (1999), which is in the public domain.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.safety.blocklist import Blocklist
from core.safety.gate import Gate, Seen, Words
from core.safety.level import Level
from core.safety.verdict import Clause, Ruling, Verdict
from model import video
from model.inspect.inspector import LocalInspector
from model.inspect.process import CouldNotLook
from model.inspect.sampling import CHANGES, LEAST, MOST, samples
from tests.bots.pictures import jpeg, landscape, photo

PORTRAIT = Path(__file__).with_name("portrait.jpg").read_bytes()
LOOKER = "tests.model.inspect.looker"


@pytest.fixture
async def inspector() -> AsyncIterator[LocalInspector]:
    async with LocalInspector(text=LOOKER) as inspector:
        yield inspector


def as_jpeg(image: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


async def test_a_picture_is_seen_for_what_it_is(inspector: LocalInspector) -> None:
    """Faces, scores, and hashes that survive what happens to pictures."""
    portrait = await inspector.picture(PORTRAIT)
    assert portrait.faces == 1
    assert set(portrait.scores) == {Clause.SEXUAL, Clause.GORE}
    assert max(portrait.scores.values()) < 0.25
    two = Image.new("RGB", (480, 240))
    face = Image.open(io.BytesIO(PORTRAIT))
    two.paste(face, (0, 0))
    two.paste(face, (240, 0))
    assert (await inspector.picture(as_jpeg(two))).faces == 2
    bay = await inspector.picture(photo())
    assert bay.faces == 0
    assert max(bay.scores.values()) < 0.25

    blocked = Blocklist(portrait.hashes[:1])
    small = face.resize((100, 100))
    flipped = face.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((300, 300))
    for again in (as_jpeg(face, 30), as_jpeg(small), as_jpeg(flipped, 50)):
        assert blocked.match((await inspector.picture(again)).hashes) == portrait.hashes[0]
    assert blocked.match(bay.hashes) is None
    black = await inspector.picture(as_jpeg(Image.new("RGB", (200, 100))))
    assert black.hashes == ()

    with pytest.raises(CouldNotLook):
        await inspector.picture(b"GIF89a, which is no JPEG")
    with pytest.raises(CouldNotLook):
        await inspector.picture(PORTRAIT[:40])
    assert (await inspector.picture(PORTRAIT)) == portrait


async def test_a_clip_is_looked_at_while_pictures_pass_by(
    inspector: LocalInspector, tmp_path: Path
) -> None:
    """One frame of it is blocked, and found; a picture does not wait until all is seen."""
    bay = np.asarray(Image.open(io.BytesIO(photo())).convert("RGB").resize((640, 360)))
    hidden = np.asarray(Image.open(io.BytesIO(PORTRAIT)).convert("RGB").resize((640, 360)))
    clip = tmp_path / "clip.mp4"
    video.write(clip, (hidden if number == 50 else bay for number in range(240)), 24, 640, 360)
    blocked = Blocklist((await inspector.picture(as_jpeg(Image.fromarray(hidden)))).hashes)

    looking = asyncio.create_task(inspector.clip(clip))
    await inspector.picture(PORTRAIT)
    assert not looking.done()
    seen = await looking
    assert blocked.match(seen.hashes) is not None
    assert Blocklist((await inspector.picture(PORTRAIT)).hashes).match(seen.hashes) is not None
    assert 0 <= seen.at <= 10
    assert set(seen.scores) == {Clause.SEXUAL, Clause.GORE}

    nothing = tmp_path / "nothing.mp4"
    nothing.write_bytes(clip.read_bytes()[:2000])
    for bad in (nothing, tmp_path / "missing.mp4"):
        with pytest.raises(CouldNotLook):
            await inspector.clip(bad)


def test_frames_are_sampled_over_time_and_where_they_change(tmp_path: Path) -> None:
    def at(frames: Iterator[NDArray[np.uint8]]) -> list[float]:
        clip = tmp_path / "clip.mp4"
        video.write(clip, frames, 24, 96, 64)
        found = [one for one in samples(clip.read_bytes()) if one is not None]
        return [round(one.at * 24) for one in found]

    def grey(value: int) -> NDArray[np.uint8]:
        return np.full((64, 96, 3), value, np.uint8)

    still = at(grey(90) for _ in range(241))
    assert still == sorted(still)
    assert (still[0], still[-1], len(still)) == (0, 240, 21)

    cut = at(grey(200 if 101 <= number < 103 else 90) for number in range(241))
    assert {101, 103} <= set(cut)
    assert len(cut) <= len(still) + 2

    wild = at(grey(number * 67 % 256) for number in range(1000))
    assert {0, 999} <= set(wild)
    assert len(wild) == MOST + CHANGES

    assert at(grey(9) for _ in range(5)) == [0, 1, 2, 3, 4]
    assert len(at(grey(9) for _ in range(24))) == LEAST


class Strict:
    """A policy that refuses nothing that could be seen."""

    def read(self, words: Words, level: Level) -> Verdict:
        return Verdict()

    def spared(self, text: str) -> str:
        return text

    def felt(self, scores: object, where: str, level: Level, words: Words) -> Verdict:
        return Verdict()

    def seen(self, seen: Seen, where: str, level: Level, words: Words) -> Verdict:
        return Verdict()


async def test_a_gate_whose_process_is_killed_in_the_middle_refuses(
    inspector: LocalInspector, tmp_path: Path
) -> None:
    gate = Gate(inspector, Strict)
    clip = tmp_path / "clip.mp4"
    frames = np.asarray(landscape(640, 360))
    video.write(clip, (np.roll(frames, 9 * n, 1) for n in range(120)), 24, 640, 360)

    looking = asyncio.create_task(gate.clip(clip, Level.STANDARD))
    await inspector.picture(jpeg(landscape(320, 180)))
    _, sight = inspector.pids
    assert sight is not None
    os.kill(sight, signal.SIGKILL)
    refused = await looking
    assert refused.verdict.ruling is Ruling.REFUSE
    assert refused.verdict.clause is Clause.UNCHECKED
    assert refused.seen is None
    assert (await gate.clip(clip, Level.STANDARD)).verdict.ruling is Ruling.PASS

    words = await gate.words(Words("a red balloon"), Level.STANDARD)
    assert words.clause is Clause.UNCHECKED


async def test_what_can_not_be_looked_at_is_known() -> None:
    async with LocalInspector(text=LOOKER, sight="tests.no_such_module") as inspector:
        assert await inspector.faults() == ["words", "pictures and clips"]
    async with LocalInspector(sight=LOOKER) as inspector:
        assert await inspector.faults() == []


@pytest.mark.parametrize("fate", ["die", "hang", "eat", "break"])
async def test_a_gate_that_is_killed_hung_or_out_of_memory_refuses_and_looks_again(
    fate: str, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(fate.encode())
    async with LocalInspector(text=LOOKER, sight=LOOKER, sight_seconds=1) as inspector:
        gate = Gate(inspector, Strict)
        for lost in (
            await gate.picture(fate.encode(), Level.ADULT), await gate.clip(clip, Level.ADULT)
        ):  # fmt: skip
            assert (lost.verdict.ruling, lost.verdict.clause) == (Ruling.REFUSE, Clause.UNCHECKED)
            assert lost.seen is None
            again = await gate.picture(b"see", Level.ADULT)
            assert again.verdict.ruling is Ruling.PASS
