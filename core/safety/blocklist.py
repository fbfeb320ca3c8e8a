"""Pictures that stay down: perceptual hashes, and which of them what is seen looks like.

A hash is 64 hexadecimal digits, as `imagehash.dhash(image, 16)` writes it. Of 4371 pairs of
photographs, drawings and screenshots that show different things the nearest differ in 57 bits. The
same picture, as a JPEG of quality 75 or at a quarter of its size, differs in 15 at most, with a
label in 25, cropped by 2 % in 30; its mirror image is looked up beside it. A crop of a tenth, a
border or a turn defeats it more often than not.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from core.errors import BadPrompt

ALIKE: Final = 32
"""Bits of 256 in which two pictures may differ that count as one."""

MOST: Final = 50_000
"""Hashes: to look one up among so many takes 5 ms."""

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Blocked:
    """why: in a moderator's words. by: who blocked it, as the log names them."""

    hash: str
    why: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Blocking:
    """What one act blocked, of which `count` hashes still are. hash: one of them."""

    hash: str
    count: int
    why: str
    by: str
    at: datetime


class BlockedHashes(Protocol):
    """What is blocked, wherever that is kept."""

    async def newest(self, limit: int, skip: int = 0) -> Sequence[Blocked]: ...

    async def acts(self, limit: int, skip: int = 0) -> Sequence[Blocking]:
        """What was blocked, act by act, the newest first."""
        ...

    async def together(self, hash: str, limit: int) -> Sequence[str]:
        """That hash and those that the same act blocked; none where it is not blocked."""
        ...

    async def hashes(self) -> Sequence[str]:
        """All of them."""
        ...

    async def mark(self) -> tuple[int, datetime | None]:
        """How many there are, and when the newest came: another mark, another list."""
        ...


class Blocklist:
    def __init__(self, hashes: Iterable[str] = (), alike: int = ALIKE) -> None:
        self._known = {int(one, 16): one for one in hashes}
        self._alike = alike

    def match(self, seen: Iterable[str]) -> str | None:
        """The first blocked hash that any of those seen is like."""
        for one in seen:
            bits = int(one, 16)
            for known, written in self._known.items():
                if (bits ^ known).bit_count() <= self._alike:
                    return written
        return None


def hashes_in(text: str) -> tuple[str, ...]:
    """Of a list, one a line; what follows a hash on its line, and lines that begin with #, say
    something about it. Raises BadPrompt, with the number of the line."""
    found: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.split()
        if not said or said[0].startswith("#"):
            continue
        if not _HASH.fullmatch(said[0].lower()):
            raise BadPrompt(
                f"Line {number} is no hash: write 64 hexadecimal digits, as "
                "imagehash.dhash(image, 16) does."
            )
        found[said[0].lower()] = None
    return tuple(found)


class Watched:
    """Whether what is seen is blocked, as of the last `renewed`: another process may block."""

    def __init__(self, book: BlockedHashes) -> None:
        self._book = book
        self._mark: tuple[int, datetime | None] | None = None
        self._list = Blocklist()

    async def renewed(self) -> None:
        mark = await self._book.mark()
        if mark != self._mark:
            self._list = await asyncio.to_thread(Blocklist, await self._book.hashes())
            self._mark = mark

    def __call__(self, hashes: Iterable[str]) -> bool:
        return self._list.match(hashes) is not None
