"""Files that people send, fetched from Telegram and from nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram import Message, PhotoSize
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bots.answers import SOON_SECONDS
from bots.telegram.limiter import Turn, seconds_of
from core.errors import BadPicture, Transient

AT_ONCE = 4
"""Requests with pictures that are seen to at the same time, so that others are heard meanwhile."""

WAIT_SECONDS = 120.0
FETCH_SECONDS = 60.0
MOST_BYTES = 20_000_000
"""What Telegram lets bots fetch, and what a picture may have where its server is one's own."""

MOVING_STICKER = (
    "That sticker is drawn anew in each frame, and has no picture to begin with: send one that "
    "stands still."
)
SMALLER = "Send it as a photo, or a shorter video."
GONE = "Telegram no longer has that file: send it again."


@dataclass(frozen=True, slots=True)
class Attached:
    """A picture, or a video whose first frame is meant. Sides in pixels, 0 where unknown; name: as
    its sender's machine has it, or ""."""

    file_id: str
    size: int
    width: int = 0
    height: int = 0
    name: str = ""


def attached(message: Message) -> Attached | None:
    """What somebody sent to be animated. Raises BadPicture for a sticker that has no frames."""
    if message.photo:
        return _measured(message.photo[-1])
    if message.sticker is not None:
        if message.sticker.is_animated:
            raise BadPicture(MOVING_STICKER)
        sticker = message.sticker
        return Attached(sticker.file_id, sticker.file_size or 0, sticker.width, sticker.height)
    for video in (message.animation, message.video):
        if video is not None:
            size, name = video.file_size or 0, video.file_name or ""
            return Attached(video.file_id, size, video.width, video.height, name)
    if (note := message.video_note) is not None:
        return Attached(note.file_id, note.file_size or 0, note.length, note.length)
    document = message.document
    if document is not None and (document.mime_type or "").startswith(("image/", "video/")):
        return Attached(document.file_id, document.file_size or 0, name=document.file_name or "")
    return None


def carried(message: Message) -> Attached | None:
    """Any file in a message, whatever it holds."""
    if message.photo:
        return _measured(message.photo[-1])
    for file in (message.document, message.video, message.video_note, message.sticker):
        if file is not None:
            return Attached(file.file_id, file.file_size or 0)
    return None


class Files:
    """What people sent."""

    def __init__(self, bot: ExtBot[Turn]) -> None:
        self._bot = bot
        self._turns = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Held while pictures are made a job. Raises Transient where too many wait."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise Transient("too many pictures at once", WAIT_SECONDS) from None
        try:
            yield
        finally:
            self._turns.release()

    async def fetch(self, file: Attached, instead: str = SMALLER) -> bytes:
        """The file as it was sent. instead: what is said of one that is too large. Raises
        BadPicture, or Transient where there is no answer."""
        _check(file.size, instead)
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await self._fetched(file.file_id, instead)
        except TimeoutError as error:
            raise Transient("Telegram does not bring the picture", SOON_SECONDS) from error

    async def _fetched(self, file_id: str, instead: str) -> bytes:
        try:
            known = await self._bot.get_file(file_id)
            _check(known.file_size or 0, instead)
            return bytes(await known.download_as_bytearray())
        except RetryAfter as error:
            raise Transient("Telegram asks to wait", seconds_of(error)) from error
        except BadRequest as error:
            if "too big" in error.message.lower():
                raise _too_large(0, instead) from error
            raise BadPicture(GONE) from error
        except InvalidToken as error:  # what a download that is not found comes as
            raise BadPicture(GONE) from error
        except NetworkError as error:
            raise Transient("Telegram does not bring the picture", SOON_SECONDS) from error
        except TelegramError as error:
            raise BadPicture(GONE) from error


def _check(size: int, instead: str) -> None:
    if size > MOST_BYTES:
        raise _too_large(size, instead)


def _measured(photo: PhotoSize) -> Attached:
    return Attached(photo.file_id, photo.file_size or 0, photo.width, photo.height)


def _too_large(size: int, instead: str) -> BadPicture:
    has = f"; this one has {size / 1e6:.3g}" if size else ""
    return BadPicture(f"I can take files of up to 20 MB{has}. {instead}")
