"""Voucher codes: what an operator gives to whoever has one, once to each.

A code is 100 random bits; only its hash is kept. Guessing one is hopeless, and slowed besides.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.errors import NotFound, Refused, TooMany
from core.job import Account
from core.moderation import EVERYWHERE, Kind, why
from core.purchases import Bought

if TYPE_CHECKING:
    from core.ports import Clock, Moderation, VoucherBook

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing in it is taken for something else."""

GROUPS, GROUP = 5, 4
NAME_CHARS = 6
WRONG_MOST, WRONG_WITHIN = 5, timedelta(hours=1)
PEOPLE_REMEMBERED = 10_000
HOW = "A code looks like 7K3M-Q9TD-2XVB-N4HS-8ZPA."


@dataclass(frozen=True, slots=True)
class Voucher:
    """name: by which operators know it. credits, plan with days: what it brings to each person.
    uses: how many people may; used: how many did. until: no longer; None: for good."""

    name: str
    credits: int
    plan: str | None
    days: int | None
    uses: int
    used: int
    until: datetime | None
    stopped: bool
    made_at: datetime
    made_by: str

    def over(self, now: datetime) -> bool:
        """Whether nobody may use it any more."""
        ended = self.until is not None and self.until <= now
        return self.stopped or ended or self.used >= self.uses


class Vouchers:
    def __init__(self, book: VoucherBook, moderation: Moderation, clock: Clock) -> None:
        self._book = book
        self._moderation = moderation
        self._clock = clock
        self._wrong: OrderedDict[int, deque[datetime]] = OrderedDict()

    async def redeem(self, account: Account, code: str, key: str) -> Bought:
        """key: a repeat's is the same, and brings nothing more.

        Raises NotFound for what is no code, WrongState for one that is over or that they used,
        TooMany for who guesses, Refused for who is banned.
        """
        now = self._clock()
        self._check(account, now)
        for one in await self._moderation.restraints([account.id], now):
            if one.kind is Kind.BAN and one.server == EVERYWHERE:
                raise Refused(why(one))
        try:
            return await self._book.redeem(account.id, digest(code), key)
        except NotFound:
            self._note(account, now)
            raise

    def _check(self, account: Account, now: datetime) -> None:
        times = self._wrong.get(account.id, deque())
        while times and times[0] <= now - WRONG_WITHIN:
            times.popleft()
        if len(times) >= WRONG_MOST:
            minutes = max(1, round((times[0] + WRONG_WITHIN - now).total_seconds() / 60))
            raise TooMany(f"Those were {WRONG_MOST} wrong codes: try again in {minutes} min.")

    def _note(self, account: Account, now: datetime) -> None:
        self._wrong.setdefault(account.id, deque()).append(now)
        self._wrong.move_to_end(account.id)
        if len(self._wrong) > PEOPLE_REMEMBERED:
            self._wrong.popitem(last=False)


def new_code() -> str:
    """ "7K3M-Q9TD-2XVB-N4HS-8ZPA" """
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
    return "-".join(groups)


def digest(code: str) -> str:
    """Of a code as somebody types it: small letters, spaces and O for 0 are as good."""
    plain = re.sub(r"[\s-]", "", code.upper()).translate(str.maketrans("OIL", "011"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
