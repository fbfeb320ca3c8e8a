"""A clip encoded again to fit a size, and what stays behind where nobody waits for it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import numpy as np
import pytest

from model import video
from model.shrink import shrink

BYTES = 60_000


def clip_of(folder: Path) -> Path:
    """Half a second of noise, which is large for what it shows."""
    drawn = np.random.default_rng(7).integers(0, 255, (12, 144, 256, 3), np.uint8)
    path = folder / "clip.mp4"
    video.write(path, iter(drawn), 24, 256, 144)
    return path


async def test_a_clip_is_made_to_fit_and_who_is_cancelled_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    clip = clip_of(tmp_path)
    assert clip.stat().st_size > BYTES
    given_up = asyncio.create_task(shrink(clip, BYTES))
    async with asyncio.timeout(60):
        while not list(scratch.iterdir()):
            await asyncio.sleep(0.01)
    given_up.cancel()
    fitting = await shrink(clip, BYTES)  # its turn comes after the other's
    assert fitting is not None
    assert fitting.stat().st_size <= BYTES
    assert video.probe(fitting).num_frames == 12
    assert list(scratch.iterdir()) == [fitting]
    assert given_up.cancelled()
