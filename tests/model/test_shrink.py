"""A clip encoded again to fit a size, and what stays behind where nobody waits for it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from model import video
from model.shrink import shrink

BYTES = 60_000


def clip_of(folder: Path, frames: int = 12) -> Path:
    """Noise, which is large for what it shows; 24 frames a second."""
    drawn = np.random.default_rng(7).integers(0, 255, (12, 144, 256, 3), np.uint8)
    path = folder / "clip.mp4"
    video.write(path, (drawn[i % 12] for i in range(frames)), 24, 256, 144)
    return path


def children() -> set[int]:
    """Our own that encode a clip again, whichever thread started them."""
    if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
        pytest.skip("this kernel does not list a process's children")
    found = set()
    for task in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            for pid in task.read_text().split():
                if b"model.shrink" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.add(int(pid))
    return found


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


async def test_who_is_cancelled_leaves_no_child_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would go on for minutes, and a program that ends would wait for it."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    clip = clip_of(tmp_path, frames=1200)
    given_up = asyncio.create_task(shrink(clip, 1_000_000))
    async with asyncio.timeout(60):
        while not children():
            await asyncio.sleep(0.01)
        (child,) = children()
        given_up.cancel()
        while child in children():
            await asyncio.sleep(0.01)
        while list(scratch.iterdir()):
            await asyncio.sleep(0.01)
    # Nor does one that had not begun.
    unbegun = asyncio.create_task(shrink(clip, 1_000_000))
    await asyncio.sleep(0)
    unbegun.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unbegun
    async with asyncio.timeout(60):
        while children() or list(scratch.iterdir()):
            await asyncio.sleep(0.01)
