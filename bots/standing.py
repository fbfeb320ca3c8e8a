"""How a bot stands with its platform: for the last lines of a start, and for /readyz."""

from __future__ import annotations

import asyncio


class Standing:
    """connected: whether people reach it there now. words: as whom and where; else why not, and ""
    until that is known."""

    def __init__(self) -> None:
        self.connected = False
        self.words = ""
        self._known = asyncio.Event()

    def up(self, words: str) -> None:
        self._say(True, words)

    def down(self, why: str) -> None:
        self._say(False, why)

    async def known(self) -> None:
        """Wait until there are words."""
        await self._known.wait()

    def _say(self, connected: bool, words: str) -> None:
        self.connected, self.words = connected, words
        self._known.set()
