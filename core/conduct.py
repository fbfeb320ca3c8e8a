"""How somebody behaves: strikes that count, and how much of theirs waits for others to decide."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.errors import Refused, TooMany
from core.moderation import moment
from core.ports import Clock
from core.safety.strikes import DAY, CoolDown, Patience, Strike, cool_down, counting
from core.safety.verdict import Clause
from core.sentences import clips

HELD_MOST = 5
"""How many clips of an account may wait for somebody else's word."""

_PAUSES = {timedelta(hours=1): "an hour", DAY: "a day", 7 * DAY: "a week"}


@dataclass(frozen=True, slots=True)
class Standing:
    """strikes: those that count, the oldest first. cool_down: that they led to."""

    strikes: Sequence[Strike] = ()
    cool_down: CoolDown | None = None

    @property
    def until(self) -> datetime | None:
        """Nothing is taken from them before."""
        return self.cool_down.until if self.cool_down else None


class Known(Protocol):
    """What is written down of it."""

    async def strikes(self, account_id: int, since: datetime) -> Sequence[Strike]: ...

    async def waiting(self, account_id: int) -> int:
        """How many jobs of an account are held."""
        ...


async def nobody(account_id: int) -> bool:
    """Where all are alike."""
    return False


class Conduct:
    def __init__(
        self,
        known: Known,
        patience: Patience,
        clock: Clock,
        decides: Callable[[int], Awaitable[bool]] = nobody,
    ) -> None:
        """decides: whether an account is an operator's, whom no cool-down keeps out."""
        self._known = known
        self._patience = patience
        self._clock = clock
        self._decides = decides

    async def standing(self, account_id: int) -> Standing:
        now = self._clock()
        found = await self._known.strikes(account_id, now - self._patience.fade)
        pause = cool_down(found, now, self._patience)
        if pause is not None and await self._decides(account_id):
            pause = None
        return Standing(counting(found, now, self._patience), pause)

    async def check(self, account_id: int) -> None:
        """Raises Refused in a cool-down."""
        pause = (await self.standing(account_id)).cool_down
        if pause is not None:
            raise Refused(
                f"{pause.strikes} of your asks were refused within {_within(pause)}, so nothing is "
                f"taken from you until {moment(pause.until)}. You can appeal them: one that waits "
                "for a moderator doesn't count."
            )

    async def warning(self, account_id: int, clause: Clause) -> str:
        """What somebody is told beside a refusal by that clause, which is a strike: of the
        cool-down that it brings, or that the next one would; "" for none."""
        now = self._clock()
        if await self._decides(account_id):
            return ""
        found = await self._known.strikes(account_id, now - self._patience.fade)
        strikes = [*found, Strike("", clause, now)]
        if (pause := cool_down(strikes, now, self._patience)) is not None:
            return f"Nothing is taken from you until {moment(pause.until)}."
        pause = cool_down([*strikes, Strike("", clause, now)], now, self._patience)
        if pause is None:
            return ""
        soon = "today" if pause.step.within == DAY else f"within {_within(pause)}"
        return f"One more {soon}, and nothing is taken from you for {_PAUSES[pause.step.pause]}."

    async def check_waiting(self, account_id: int) -> None:
        """Raises TooMany."""
        if await self._known.waiting(account_id) >= HELD_MOST:
            raise TooMany(
                f"You have {clips(HELD_MOST)} that wait for somebody to decide, which is the most: "
                "wait, or cancel one."
            )


def _within(pause: CoolDown) -> str:
    within = pause.step.within
    return "a day" if within == DAY else f"{within // DAY} days"
