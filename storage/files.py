"""Clips and pictures on disk.

    work/ID-ATTEMPT/          what a running attempt writes
    clips/ID-ATTEMPT.mp4 .jpg a finished clip and its poster; a late attempt has a name of its own
    pictures/ID.jpg           a first frame, or a last one; ID.c2pa what it said of itself

A file is complete from the moment it has its name: it is written and synced elsewhere, then moved.
Its modification time says until when it is kept, so that the sweep needs no one to ask. Knows
nothing of SQL, and never opens what it keeps.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from core.engine import Rendered
from core.errors import NotFound, Transient
from core.job import Clip, new_id
from core.ports import Clock
from core.provenance import MARKS_SUFFIX
from core.request import Picture

LEFTOVER = timedelta(hours=12)
"""How long an attempt's folder stays that nobody dropped."""

GRACE = timedelta(hours=1)
"""How long files outlive their expiry before the sweep takes them: an expired clip is first
forgotten by its job, and a file that is being written has no expiry yet."""

DISK_FULL_RETRY_SECONDS = 60.0
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SUFFIXES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"RIFF": ".webp"}


class DiskFiles:
    """`core.ports.Files` in a folder on one file system. keep: how long clips and pictures stay."""

    def __init__(self, data_dir: Path, keep: timedelta, clock: Clock) -> None:
        root = data_dir.absolute()
        self.work = root / "work"
        self.clips = root / "clips"
        self.pictures = root / "pictures"
        self._keep = keep
        self._clock = clock

    async def prepare(self) -> None:
        """Make the folders; the one around them is for the owner's eyes alone."""
        await asyncio.to_thread(self._prepare)

    async def new_folder(self, job_id: str, attempt: int) -> Path:
        return await asyncio.to_thread(self._new_folder, _attempt_name(job_id, attempt))

    async def drop_folder(self, job_id: str, attempt: int) -> None:
        folder = self.work / _attempt_name(job_id, attempt)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def keep_clip(self, rendered: Rendered, now: datetime) -> Clip:
        """A repeat gives the clip again. Raises FileNotFoundError where nothing was rendered."""
        return await asyncio.to_thread(self._keep_clip, rendered, now)

    async def drop_clip(self, clip: Clip) -> None:
        await asyncio.to_thread(_remove, clip.video, clip.poster)

    async def drop_clips(self, job_id: str) -> None:
        """Raises NotFound for what can be no id, such as a path."""
        await asyncio.to_thread(self._drop_clips, job_id)

    async def keep_picture(
        self, data: bytes, width: int, height: int, marks: bytes = b""
    ) -> Picture:
        """Raises ValueError for what is no JPEG, PNG or WebP."""
        picture_id = new_id()
        await asyncio.to_thread(self._keep_picture, picture_id, data, marks)
        return Picture(picture_id, width, height)

    async def drop_picture(self, picture_id: str) -> None:
        paths = self._picture_paths(picture_id)
        await asyncio.to_thread(_remove, *paths, paths[0].with_suffix(MARKS_SUFFIX))

    async def picture(self, picture_id: str) -> Path | None:
        if not _ID.fullmatch(picture_id):
            return None
        return await asyncio.to_thread(self._picture, picture_id)

    async def renew_picture(self, picture_id: str) -> Path | None:
        """It stays `keep` from now."""
        if not _ID.fullmatch(picture_id):
            return None
        return await asyncio.to_thread(self._renew_picture, picture_id)

    async def sweep(self, now: datetime) -> None:
        """Also clips that no job knows of, once they would have expired."""
        await asyncio.to_thread(self._sweep, now)

    # In a thread

    def _prepare(self) -> None:
        with disk():
            self.work.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.work, self.clips, self.pictures):
                folder.mkdir(exist_ok=True)

    def _new_folder(self, name: str) -> Path:
        folder = self.work / name
        with disk():
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
        return folder

    def _keep_clip(self, rendered: Rendered, now: datetime) -> Clip:
        name = _attempt_name(rendered.job_id, rendered.attempt)
        video = self.clips / f"{name}{rendered.video.suffix}"
        poster = self.clips / f"{name}{rendered.poster.suffix}"
        with disk():
            for source, target in ((rendered.poster, poster), (rendered.video, video)):
                if source.exists() or not target.exists():
                    _sync(source)
                    source.replace(target)
                _keep_until(target, now + self._keep)
            _sync(self.clips)
            size = video.stat().st_size
        return Clip(
            video=video,
            poster=poster,
            width=rendered.width,
            height=rendered.height,
            num_frames=rendered.num_frames,
            frame_rate=rendered.frame_rate,
            size=size,
            expires_at=now + self._keep,
        )

    def _drop_clips(self, job_id: str) -> None:
        _attempt_name(job_id, 0)
        _remove(*self.clips.glob(f"{job_id}-*"))

    def _keep_picture(self, picture_id: str, data: bytes, marks: bytes) -> None:
        suffix = next((s for magic, s in _SUFFIXES.items() if data.startswith(magic)), None)
        if suffix is None:
            raise ValueError("not a picture that was encoded here")
        if marks:
            self._write(self.pictures / f"{picture_id}{MARKS_SUFFIX}", marks)
        self._write(self.pictures / f"{picture_id}{suffix}", data)

    def _write(self, path: Path, data: bytes) -> None:
        part = path.with_suffix(".part")
        try:
            with disk():
                part.write_bytes(data)
                _sync(part)
                _keep_until(part, self._clock() + self._keep)
                part.replace(path)
                _sync(self.pictures)
        except BaseException:
            _remove(part)
            raise

    def _picture(self, picture_id: str) -> Path | None:
        return next((p for p in self._picture_paths(picture_id) if p.is_file()), None)

    def _renew_picture(self, picture_id: str) -> Path | None:
        for path in self._picture_paths(picture_id):
            with suppress(FileNotFoundError):
                _keep_until(path, self._clock() + self._keep)
                with suppress(FileNotFoundError):
                    _keep_until(path.with_suffix(MARKS_SUFFIX), self._clock() + self._keep)
                return path
        return None

    def _sweep(self, now: datetime) -> None:
        for leftover in _before(now - LEFTOVER, self.work):
            shutil.rmtree(leftover, ignore_errors=True)
        for folder in (self.pictures, self.clips):
            _remove(*(path for path in _before(now - GRACE, folder) if path.is_file()))

    def _picture_paths(self, picture_id: str) -> list[Path]:
        """Raises NotFound for what can be no id, such as a path."""
        if not _ID.fullmatch(picture_id):
            raise NotFound("There is no such picture.")
        return [self.pictures / f"{picture_id}{suffix}" for suffix in _SUFFIXES.values()]


@contextmanager
def disk() -> Iterator[None]:
    """Raises Transient where the block finds the disk full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Transient("the disk is full", DISK_FULL_RETRY_SECONDS) from error
        raise


def _attempt_name(job_id: str, attempt: int) -> str:
    """Raises NotFound for what can be no id, such as a path."""
    if not _ID.fullmatch(job_id):
        raise NotFound("There is no such clip.")
    return f"{job_id}-{int(attempt)}"


def _sync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keep_until(path: Path, moment: datetime) -> None:
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def _before(moment: datetime, folder: Path) -> list[Path]:
    """What lies in a folder with a modification time up to `moment`."""
    paths = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.lstat().st_mtime <= moment.timestamp():
                paths.append(path)
    return paths


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
