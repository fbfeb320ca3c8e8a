"""How somebody behaves: strikes that count, and how much of theirs waits for others to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.errors import Refused, TooMany
from core.moderation import moment
from core.ports import Clock
from core.safety.strikes import Patience, Strike, cool_down, counting
from core.sentences import clips

HELD_MOST = 5
"""How many clips of an account may wait for somebody else's word."""


@dataclass(frozen=True, slots=True)
class Standing:
    """strikes: those that count, the oldest first. until: nothing is taken from them before."""

    strikes: Sequence[Strike] = ()
    until: datetime | None = None


class Known(Protocol):
    """What is written down of it."""

    async def strikes(self, account_id: int, since: datetime) -> Sequence[Strike]: ...

    async def waiting(self, account_id: int) -> int:
        """How many jobs of an account are held."""
        ...


class Conduct:
    def __init__(self, known: Known, patience: Patience, clock: Clock) -> None:
        self._known = known
        self._patience = patience
        self._clock = clock

    async def standing(self, account_id: int) -> Standing:
        now = self._clock()
        found = await self._known.strikes(account_id, now - self._patience.fade)
        return Standing(counting(found, now, self._patience), cool_down(found, now, self._patience))

    async def check(self, account_id: int) -> None:
        """Raises Refused in a cool-down."""
        until = (await self.standing(account_id)).until
        if until is not None:
            raise Refused(
                "Much of what you asked for lately was refused, so nothing is taken from you until "
                f"{moment(until)}."
            )

    async def check_waiting(self, account_id: int) -> None:
        """Raises TooMany."""
        if await self._known.waiting(account_id) >= HELD_MOST:
            raise TooMany(
                f"You have {clips(HELD_MOST)} that wait for somebody to decide, which is the most: "
                "wait, or cancel one."
            )
