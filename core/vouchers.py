"""Voucher codes: what an operator gives to whoever has one, once to each.

A code is 100 random bits, and only its hash is kept.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core import codes
from core.codes import Wrong
from core.errors import NotFound, Refused
from core.job import Account
from core.moderation import EVERYWHERE
from core.ports import Clock, Moderation
from core.purchases import Bought
from core.restraints import Kind, why

GROUPS, GROUP = 5, 4
NAME_CHARS = 6
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


class VoucherBook(Protocol):
    """Voucher codes, by their hashes, as they are kept. A moderator's act makes and stops them."""

    async def redeem(self, account_id: int, digest: str, key: str) -> Bought:
        """Once for each account; a repeat of the key gives the first outcome.

        Raises NotFound for an unknown one, WrongState for one that is over, or was used.
        """
        ...

    async def vouchers(self, limit: int, skip: int = 0) -> Sequence[Voucher]:
        """The newest first, behind `skip` of them."""
        ...


class Vouchers:
    def __init__(self, book: VoucherBook, moderation: Moderation, clock: Clock) -> None:
        self._book = book
        self._moderation = moderation
        self._clock = clock
        self._wrong = Wrong()

    async def redeem(self, account: Account, code: str, key: str) -> Bought:
        """key: a repeat's is the same, and brings nothing more.

        Raises NotFound for what is no code, WrongState for one that is over or that they used,
        TooMany for who guesses, Refused for who is banned.
        """
        now = self._clock()
        self._wrong.check(account, now)
        for one in await self._moderation.restraints([account.id], now):
            if one.kind is Kind.BAN and one.server == EVERYWHERE:
                raise Refused(why(one))
        try:
            return await self._book.redeem(account.id, digest(code), key)
        except NotFound:
            self._wrong.note(account, now)
            raise


def new_code(secret: bytes = b"") -> str:
    """ "7K3M-Q9TD-2XVB-N4HS-8ZPA"; the same for the same secret, which nobody may guess."""
    number = int.from_bytes(secret or secrets.token_bytes(32))
    code = codes.spelt(number, GROUPS * GROUP)
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def digest(code: str) -> str:
    """Of a code as somebody types it: small letters, spaces and O for 0 are as good."""
    return hashlib.sha256(codes.read(code).encode("utf-8", "surrogatepass")).hexdigest()
