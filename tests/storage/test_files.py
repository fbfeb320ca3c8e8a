"""Clips and pictures on a real disk."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import NotFound
from core.job import new_id
from storage.files import DiskFiles
from tests.storage.samples import JPEG, KEEP, NOON, SetClock, a_clip, a_rendering

BAD_IDS = ("../../etc/passwd", "..", ".", "", "a/b", "a\\b", "a\0b", "x" * 65, "/etc/passwd", "a\n")


@pytest.fixture
async def files(tmp_path: Path, clock: SetClock) -> DiskFiles:
    made = DiskFiles(tmp_path / "data", KEEP, clock)
    await made.prepare()
    return made


async def test_others_on_the_machine_do_not_look_in(files: DiskFiles, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


async def test_an_attempt_begins_with_an_empty_folder(files: DiskFiles) -> None:
    folder = await files.new_folder("job1", 1)
    (folder / "deep").mkdir()
    (folder / "deep" / "frame").write_bytes(b"x")
    assert await files.new_folder("job1", 1) == folder
    assert list(folder.iterdir()) == []
    assert await files.new_folder("job1", 2) != folder
    await files.drop_folder("job1", 1)
    await files.drop_folder("job1", 1)
    assert not folder.exists()


async def test_a_clip_is_kept_and_dropped(files: DiskFiles) -> None:
    folder = await files.new_folder("job1", 1)
    rendered = a_rendering(folder, "job1", 1, b"moving picture")
    clip = await files.keep_clip(rendered, NOON)
    assert clip.video.read_bytes() == b"moving picture"
    assert clip.poster.read_bytes() == JPEG
    assert clip.video.is_absolute()
    assert (clip.size, clip.seconds, clip.expires_at) == (14, 2.0, NOON + KEEP)
    assert not rendered.video.exists()
    assert await files.keep_clip(rendered, NOON) == clip
    await files.drop_clip(clip)
    await files.drop_clip(clip)
    assert list(files.clips.iterdir()) == []


async def test_a_move_that_was_interrupted_is_completed(files: DiskFiles) -> None:
    rendered = a_rendering(await files.new_folder("job1", 1), "job1", 1)
    rendered.poster.replace(files.clips / "job1-1.jpg")
    clip = await files.keep_clip(rendered, NOON)
    assert (clip.video.read_bytes(), clip.poster.read_bytes()) == (b"mp4", JPEG)


async def test_a_zombie_does_not_write_over_the_clip(files: DiskFiles) -> None:
    late = a_rendering(await files.new_folder("job1", 1), "job1", 1, b"late")
    current = a_rendering(await files.new_folder("job1", 2), "job1", 2, b"current")
    clip = await files.keep_clip(current, NOON)
    dropped = await files.keep_clip(late, NOON)
    await files.drop_clip(dropped)
    assert clip.video.read_bytes() == b"current"


async def test_nothing_rendered_is_nothing_kept(files: DiskFiles) -> None:
    rendered = a_rendering(await files.new_folder("job1", 1), "job1", 1)
    rendered.video.unlink()
    with pytest.raises(FileNotFoundError):
        await files.keep_clip(rendered, NOON)


@pytest.mark.parametrize(
    ("data", "suffix"), [(JPEG, ".jpg"), (b"\x89PNG\r\n", ".png"), (b"RIFF....WEBP", ".webp")]
)
async def test_a_picture_is_kept_and_dropped(files: DiskFiles, data: bytes, suffix: str) -> None:
    picture = await files.keep_picture(data, 640, 480)
    assert (picture.width, picture.height) == (640, 480)
    path = await files.picture(picture.id)
    assert path is not None
    assert (path.read_bytes(), path.suffix) == (data, suffix)
    await files.drop_picture(picture.id)
    await files.drop_picture(picture.id)
    assert await files.picture(picture.id) is None
    assert await files.renew_picture(picture.id) is None
    assert list(files.pictures.iterdir()) == []


async def test_looking_at_a_picture_leaves_it_as_it_is(files: DiskFiles, clock: SetClock) -> None:
    """So that whoever has it may be told that it has not changed."""
    picture = await files.keep_picture(JPEG, 1, 1)
    path = await files.picture(picture.id)
    assert path is not None
    before = path.stat()
    clock.forward(days=1)
    assert await files.picture(picture.id) == path
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert await files.renew_picture(picture.id) == path
    assert path.stat().st_mtime == (clock() + KEEP).timestamp()


async def test_what_is_no_picture_is_not_kept(files: DiskFiles) -> None:
    with pytest.raises(ValueError, match="picture"):
        await files.keep_picture(b"#!/bin/sh", 1, 1)
    assert list(files.pictures.iterdir()) == []


@pytest.mark.parametrize("bad", BAD_IDS)
async def test_an_id_is_never_a_path(files: DiskFiles, bad: str) -> None:
    assert await files.picture(bad) is None
    assert await files.renew_picture(bad) is None
    with pytest.raises(NotFound):
        await files.drop_picture(bad)
    with pytest.raises(NotFound):
        await files.new_folder(bad, 1)
    with pytest.raises(NotFound):
        await files.drop_folder(bad, 1)
    with pytest.raises(NotFound):
        await files.keep_clip(a_rendering(files.work, bad, 1), NOON)


async def test_the_sweep_takes_what_nobody_needs(files: DiskFiles, clock: SetClock) -> None:
    stale = await files.new_folder(new_id(), 1)
    (stale / "frame").write_bytes(b"x")
    old = (NOON - timedelta(hours=13)).timestamp()
    os.utime(stale, (old, old))
    fresh = await files.new_folder(new_id(), 1)
    at_noon = NOON.timestamp()
    os.utime(fresh, (at_noon, at_noon))
    picture = await files.keep_picture(JPEG, 1, 1)
    wanted = await files.keep_picture(JPEG, 1, 1)
    rendered = a_rendering(await files.new_folder("job1", 1), "job1", 1)
    clip = await files.keep_clip(rendered, NOON)

    await files.sweep(NOON)
    assert not stale.exists()
    assert fresh.exists()

    clock.forward(days=6)
    assert await files.picture(picture.id) is not None
    assert await files.renew_picture(wanted.id) is not None
    clock.now = NOON + KEEP + timedelta(minutes=30)
    await files.sweep(clock())
    assert clip.video.exists()
    clock.forward(hours=1)
    await files.sweep(clock())
    assert await files.picture(picture.id) is None
    assert await files.picture(wanted.id) is not None
    assert not clip.video.exists()
    assert not clip.poster.exists()


async def test_a_clip_of_elsewhere_can_be_dropped(files: DiskFiles, tmp_path: Path) -> None:
    await files.drop_clip(a_clip(tmp_path))
