"""Albums: pictures that were sent together come one by one, each as an update of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from telegram import Update

QUIET_SECONDS = 0.3
"""After the last of an album."""

REMEMBERED = 256


@dataclass
class Album:
    """updates: as they came. seen_to: once all were handled."""

    updates: list[Update] = field(default_factory=list)
    seen_to: asyncio.Event = field(default_factory=asyncio.Event)


class Albums:
    """pause: waits so many seconds."""

    def __init__(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._pause = pause
        self._open: dict[str, Album] = {}
        self._closed: deque[str] = deque(maxlen=REMEMBERED)

    @asynccontextmanager
    async def gathered(self, update: Update, name: str) -> AsyncIterator[Sequence[Update]]:
        """All of an album, in order, for whoever comes first; for the others nothing, once the
        first has seen to them. name: of the album."""
        if name in self._closed:
            yield ()
            return
        album = self._open.get(name)
        if album is not None:
            album.updates.append(update)
            await album.seen_to.wait()
            yield ()
            return
        self._open[name] = album = Album([update])
        try:
            count = 0
            while count < len(album.updates):
                count = len(album.updates)
                await self._pause(QUIET_SECONDS)
            del self._open[name]
            self._closed.append(name)
            yield sorted(album.updates, key=lambda one: one.update_id)
        finally:
            self._open.pop(name, None)
            album.seen_to.set()
