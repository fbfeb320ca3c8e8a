"""What a bot is to who runs it, and how it stands with its platform: for the last lines of a start,
and for /readyz."""

from __future__ import annotations

import asyncio
from typing import Protocol

from core.job import Identity, Job
from core.moderation import Rank


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


class ChatBot(Protocol):
    """A platform's room, as it is run."""

    @property
    def standing(self) -> Standing: ...

    async def run(self) -> None:
        """Work until cancelled."""
        ...

    async def rank(self, server: str, identity: Identity) -> Rank:
        """`core.leaders.RankOn`."""
        ...

    async def drain(self) -> None:
        """Take nothing more from people."""
        ...

    async def carry(self, job: Job) -> None:
        """`core.delivery.Carry`."""
        ...

    async def tell(self, subject: str, words: str) -> None:
        """Say something to somebody alone. Raises Unreachable, Transient or TimeoutError."""
        ...
