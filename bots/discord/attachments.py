"""What people attach, fetched from Discord's CDN and from nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
import discord
from discord import ui
from yarl import URL

from core.errors import BadPicture, Transient

MAX_BYTES = 20_000_000
FETCH_SECONDS = 60.0
AT_ONCE = 4
WAIT_SECONDS = 30.0
DISCORD_CDN = URL("https://cdn.discordapp.com")

_ELSEWHERE = "I take files from Discord alone: attach the file itself."
_GONE = "Discord no longer has that file: send it again."


class Cdn:
    """url: whose host is asked. A link to Discord's own is led there, for those who use a proxy."""

    def __init__(self, url: str) -> None:
        self._home = URL(url)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def fetch(self, attachment: discord.Attachment) -> bytes:
        """The file as it was attached. Raises BadPicture, or Transient where there is no answer."""
        if attachment.size > MAX_BYTES:
            raise _too_large(attachment.size, MAX_BYTES)
        return await self.read(attachment.url)

    async def read(self, address: str, most: int = MAX_BYTES) -> bytes:
        """What Discord has there, of so many bytes at most. Raises as `fetch`."""
        url = self._at_home(address)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise Transient("too many pictures at once", WAIT_SECONDS) from None
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await _read(url, most)
        except (TimeoutError, aiohttp.ClientError) as error:
            raise Transient("Discord's CDN does not answer", 5) from error
        finally:
            self._turns.release()

    def _at_home(self, address: str) -> URL:
        try:
            url = URL(address)
            origin = url.origin()
        except ValueError:  # no whole address
            raise BadPicture(_ELSEWHERE) from None
        if origin == DISCORD_CDN and origin != self._home.origin():
            return URL(f"{str(self._home).rstrip('/')}{url.raw_path_qs}", encoded=True)
        if origin != self._home.origin():
            raise BadPicture(_ELSEWHERE)
        return url


def pictures_of(message: discord.Message) -> Sequence[discord.Attachment]:
    """The pictures of a message, or of the one that it forwards."""
    found = list(message.attachments)
    for snapshot in message.message_snapshots:
        found += snapshot.attachments
    return [one for one in found if (one.content_type or "").startswith("image/")]


def shown_in(message: discord.Message) -> Sequence[str]:
    """Where the pictures and videos of a message lie, or of the one that it forwards: attached to
    it, or shown by its components."""
    found = list(message.attachments)
    for snapshot in message.message_snapshots:
        found += snapshot.attachments
    kinds = ("image/", "video/")
    media = [one.url for one in found if (one.content_type or "").startswith(kinds)]
    for child in ui.LayoutView.from_message(message, timeout=None).walk_children():
        if isinstance(child, ui.MediaGallery):
            media += [item.media.url for item in child.items]
    return media


async def _read(url: URL, most: int) -> bytes:
    data = bytearray()
    async with (
        aiohttp.ClientSession(trust_env=False, auto_decompress=False) as session,
        session.get(url, allow_redirects=False) as answer,
    ):
        if answer.status == 429 or answer.status >= 500:
            raise Transient("Discord's CDN is out of order", 5)
        if answer.status != 200:
            raise BadPicture(_GONE)
        async for chunk in answer.content.iter_chunked(64 * 1024):
            data += chunk
            if len(data) > most:
                raise _too_large(len(data), most)
    return bytes(data)


def _too_large(size: int, most: int) -> BadPicture:
    return BadPicture(
        f"A file can have up to {most // 1_000_000} MB; this one has {size / 1e6:.3g} or more."
    )
