"""Who pressed Start, so that the bot may write to them.

Telegram has no question for it, and getChat knows people that the bot may not write to; but the
sign that it is typing is refused where a message would be.
https://core.telegram.org/bots/api#sendchataction
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from bots.telegram.messages import Messages
from bots.telegram.places import Spot

KNOWN = 4096
OPEN_SECONDS, SHUT_SECONDS = 600.0, 30.0
"""How long it is believed: somebody who types words inline asks with each letter."""


@dataclass(frozen=True, slots=True)
class Door:
    """Somebody's own chat. until: when it is asked for again; words: what they typed inline, and
    got nothing for yet."""

    open: bool
    until: float
    words: str = ""


class Started:
    """now: seconds on a monotonic clock."""

    def __init__(self, messages: Messages, now: Callable[[], float] = time.monotonic) -> None:
        self._messages = messages
        self._now = now
        self._doors: OrderedDict[int, Door] = OrderedDict()

    async def supposed(self, user: int) -> bool:
        """As far as it is known from a while ago."""
        door = self._doors.get(user)
        if door is None or door.until <= self._now():
            return await self.has(user)
        return door.open

    async def has(self, user: int) -> bool:
        """As it is now; True where Telegram does not tell."""
        is_open = await self._messages.reaches(Spot(user))
        seconds = OPEN_SECONDS if is_open else SHUT_SECONDS
        self._note(user, Door(is_open, self._now() + seconds))
        return is_open

    def turned_away(self, user: int, words: str) -> None:
        """Keep what somebody typed until they come by the door."""
        door = self._doors.get(user, Door(open=True, until=0.0))
        self._note(user, Door(door.open, door.until, words))

    def came(self, user: int) -> str:
        """Somebody is in their own chat; what they typed inline before, or ""."""
        door = self._doors.pop(user, None)
        return door.words if door else ""

    def _note(self, user: int, door: Door) -> None:
        self._doors[user] = door
        self._doors.move_to_end(user)
        while len(self._doors) > KNOWN:
            self._doors.popitem(last=False)
