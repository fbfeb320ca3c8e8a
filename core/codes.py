"""Codes that people type: what they are made of, and how often somebody may be wrong about one.

Guessing is hopeless, since codes are random and long, and slowed besides; who was wrong is in
memory.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from datetime import datetime, timedelta

from core.errors import TooMany
from core.job import Account

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32, five bits a character: nothing in it is taken for something else."""

WRONG_MOST, WRONG_WITHIN = 5, timedelta(hours=1)
REMEMBERED = 4096
"""Accounts whose wrong codes are counted; the longest silent is forgotten first."""

_MISREAD = str.maketrans("OIL", "011", "- ")


def random(chars: int) -> str:
    return spelt(secrets.randbits(5 * chars), chars)


def spelt(number: int, chars: int) -> str:
    """The last bits of a number, five a character."""
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(chars)))


def read(typed: str) -> str:
    """A code as it was made, where it was one: without dashes, spaces and what was misread."""
    return typed.strip().upper().translate(_MISREAD)


class Wrong:
    """Who was wrong, and when."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, deque[datetime]] = OrderedDict()

    def check(self, account: Account, now: datetime) -> None:
        """Raises TooMany for who was wrong too often."""
        times = self._seen.get(account.id, deque())
        if len(times) == WRONG_MOST and (wait := times[0] + WRONG_WITHIN - now) > timedelta():
            minutes = max(1, round(wait.total_seconds() / 60))
            raise TooMany(f"{WRONG_MOST} codes were wrong. Try again in {minutes} min.")

    def note(self, account: Account, now: datetime) -> None:
        self._seen.setdefault(account.id, deque(maxlen=WRONG_MOST)).append(now)
        self._seen.move_to_end(account.id)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
