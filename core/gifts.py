"""Gifts: somebody's own credits to somebody else, for nothing.

Only credits that were bought, given or granted by hand go on, and last as long as they would have:
the free ones of a day or a month stay with whom they are for, so that nobody gathers them from many
accounts. An operator says how much one person gives and is given in a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from core.days import beginning, day_of
from core.errors import BadPrompt, NotFound, Refused
from core.job import Account, LotKind
from core.ports import Accounts, Clock, Moderation
from core.restraints import Kind, why

GIVEABLE = (LotKind.BOUGHT, LotKind.GIFTED, LotKind.ADJUSTED)


@dataclass(frozen=True, slots=True)
class Limits:
    """The most credits that one person gives, and is given, on a local day. 0: none at all."""

    sent: int = 500
    received: int = 1000


@dataclass(frozen=True, slots=True)
class Gift:
    key: str
    sender_id: int
    receiver_id: int
    credits: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Given:
    """new: whether this call gave it. left: what the sender has then; theirs: the receiver."""

    gift: Gift
    receiver: Account
    new: bool
    left: int
    theirs: int


class GiftBook(Protocol):
    """Gifts, as they are kept."""

    async def give(self, gift: Gift, limits: Limits, since: datetime, *, dry: bool = False) -> bool:
        """Once for each key: whether this call did. since: when the day of the limits began. dry:
        then undo it.

        Raises TooMany, UserError where there is not so much to give, or WrongState where the key
        came with another gift.
        """
        ...

    async def gifts(self, account_id: int, limit: int) -> Sequence[Gift]:
        """What they gave and were given, the newest first."""
        ...


class Gifts:
    def __init__(
        self,
        book: GiftBook,
        accounts: Accounts,
        moderation: Moderation,
        limits: Limits,
        zone: tzinfo,
        clock: Clock,
    ) -> None:
        self._book = book
        self._accounts = accounts
        self._moderation = moderation
        self.limits = limits
        self._zone = zone
        self._clock = clock

    async def check(self, sender: Account, receiver_id: int, credits: int, place: str) -> Account:
        """Whether it could be given now; to whom. Nothing is done. Raises as `give`."""
        receiver = await self._meant(sender, receiver_id, credits, place)
        gift = self._gift("", sender, receiver, credits)
        await self._book.give(gift, self.limits, self._today(), dry=True)
        return receiver

    async def give(
        self, sender: Account, receiver_id: int, credits: int, place: str, key: str
    ) -> Given:
        """key: a repeat's is the same, and gives nothing more. place: where they are, whose bans
        count too. Raises UserError; then nothing was given."""
        receiver = await self._meant(sender, receiver_id, credits, place)
        gift = self._gift(key, sender, receiver, credits)
        new = await self._book.give(gift, self.limits, self._today())
        left, theirs = [
            (await self._accounts.wallet(one.id)).available for one in (sender, receiver)
        ]
        return Given(gift, receiver, new, left, theirs)

    async def of(self, account_id: int, limit: int) -> Sequence[Gift]:
        """What they gave and were given, the newest first."""
        return await self._book.gifts(account_id, limit)

    def _gift(self, key: str, sender: Account, receiver: Account, credits: int) -> Gift:
        return Gift(key, sender.id, receiver.id, credits, self._clock())

    def _today(self) -> datetime:
        return beginning(day_of(self._clock(), self._zone), self._zone)

    async def _meant(self, sender: Account, receiver_id: int, credits: int, place: str) -> Account:
        if not self.limits.sent or not self.limits.received:
            raise Refused("Credits can't be given away here.")
        if credits < 1:
            raise BadPrompt("Say how many credits, as a whole number from 1 on.")
        receiver = await self._accounts.account_by_id(receiver_id)
        if receiver is None:
            raise NotFound("They have no account here yet: /me makes them one.")
        if sender.id == receiver.id:
            raise BadPrompt("That is you: name somebody else.")
        now = self._clock()
        held = await self._moderation.restraints([sender.id, receiver.id], now)
        for one in held:
            if one.kind is Kind.BAN and one.over(sender.id, place, now):
                raise Refused(why(one))
            if one.kind is Kind.BAN and one.over(receiver.id, place, now):
                raise Refused(f"{receiver.name} can't be given credits now.")
        return receiver
