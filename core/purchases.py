"""What was paid for: credits and plans that a provider of payments sold, each payment once.

A provider tells of a charge by its own id for it, maybe often, late, and in any order. What it says
is a fact with its moment: a refund counts whenever it is heard, also before its payment; of
payments and ends the newest counts. A renewal is a charge of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from core.job import Account, Claim, LotKind
from core.wares import Ware, Wares

LISTED = 50
STARS = "stars"
"""The provider of what was paid on Telegram."""

VOUCHER = "voucher"
"""The provider of what came by a code, which nobody paid for."""


class PurchaseState(StrEnum):
    """ENDED: it was paid, and its plan ends at its `until`."""

    PAID = "paid"
    REFUNDED = "refunded"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Purchase:
    """One charge.

    account_id: None where only its refund or its end was heard of yet. at: when it was paid.
    credits: that it brought; taken: that were taken back. days: of the plan, where no `until` was
    said. until: when the plan ends; None, without days: never. place: where it was paid, as the
    provider's room likes to know it again. asked: why they want it back, if they do.
    """

    id: int
    provider: str
    charge: str
    account_id: int | None
    ware: str
    state: PurchaseState
    at: datetime
    credits: int = 0
    taken: int = 0
    plan: str | None = None
    days: int | None = None
    until: datetime | None = None
    place: str = ""
    asked: str | None = None


@dataclass(frozen=True, slots=True)
class Sale:
    """What a provider says was paid: by whom, for what, when, and until when its plan holds."""

    account_id: int
    ware: Ware
    provider: str
    charge: str
    at: datetime
    until: datetime | None = None
    place: str = ""

    @property
    def kind(self) -> LotKind:
        """Of the lot that it brings."""
        return LotKind.GIFTED if self.provider == VOUCHER else LotKind.BOUGHT


@dataclass(frozen=True, slots=True)
class Bought:
    """new: whether this call was the one that brought it. available: credits that they now have.
    claim: on the ware's plan, with what else they bought of it; None where they have none."""

    purchase: Purchase
    new: bool
    available: int
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Refunded:
    """new: as above. taken: credits that were taken back; short: that were spent, are held for
    clips, or were given away."""

    purchase: Purchase
    new: bool
    taken: int = 0
    short: int = 0


Lapsed = Callable[[str, Account], Sequence[str]]
"""The keys of the grants that somebody had by a plan, and has no claim to any more."""


class Payments(Protocol):
    """What providers of payments told, each charge once, as it is kept."""

    async def bought(self, sale: Sale) -> Bought:
        """Raises LookupError for an unknown account."""
        ...

    async def refunded(self, provider: str, charge: str, at: datetime, lapsed: Lapsed) -> Refunded:
        """lapsed: what goes with the plan, of the account as it is without it."""
        ...

    async def ended(
        self, provider: str, charge: str, at: datetime, until: datetime
    ) -> Purchase: ...

    async def of(self, account_id: int, limit: int) -> Sequence[Purchase]:
        """Theirs, the newest first."""
        ...

    async def by_charge(self, provider: str, charge: str) -> Purchase | None: ...

    async def periods(self, provider: str, charge: str, limit: int) -> Sequence[Purchase]:
        """The charge, and those that go on from it, as "CHARGE/…": the newest first."""
        ...

    async def purchase(self, purchase_id: int) -> Purchase | None: ...

    async def ask_back(self, purchase_id: int, why: str) -> None:
        """Note why whoever paid wants it back; the first counts."""
        ...

    async def order_refund(self, purchase_id: int) -> None:
        """Let it be among those that are due, unless it went back, or its provider gives nothing
        back for us."""
        ...

    async def refunds_due(self, provider: str) -> Sequence[Purchase]:
        """Ordered, and not done yet; the oldest first."""
        ...

    async def newest(
        self, limit: int, provider: str | None = None, skip: int = 0
    ) -> Sequence[Purchase]:
        """Everybody's, the newest first, behind `skip` of them."""
        ...


class Purchases:
    """Each method is one transaction, and a repeat of it changes nothing."""

    def __init__(self, payments: Payments, wares: Wares, lapsed: Lapsed) -> None:
        self._payments = payments
        self.wares = wares
        self._lapsed = lapsed

    async def bought(
        self,
        account_id: int,
        ware: Ware,
        provider: str,
        charge: str,
        at: datetime,
        until: datetime | None = None,
        place: str = "",
    ) -> Bought:
        """What was paid is theirs. at: when, by the provider's clock; said anew with a later one,
        `until` counts anew. until: when its plan ends, where the provider says so.

        Raises LookupError for an unknown account.
        """
        sale = Sale(account_id, ware, provider, charge, at, until, place)
        return await self._payments.bought(sale)

    async def refunded(self, provider: str, charge: str, at: datetime) -> Refunded:
        """The money went back: so does what is left of its credits, and of what its plan gave for
        this month; and its plan ends."""
        return await self._payments.refunded(provider, charge, at, self._lapsed)

    async def ended(
        self, provider: str, charge: str, at: datetime, until: datetime | None = None
    ) -> Purchase:
        """It was called off, or is over: its plan ends at `until`, or at `at` where none is said.
        Its credits stay."""
        return await self._payments.ended(provider, charge, at, until or at)

    async def of(self, account_id: int, limit: int = LISTED) -> Sequence[Purchase]:
        """Theirs, the newest first."""
        return await self._payments.of(account_id, limit)

    async def by_charge(self, provider: str, charge: str) -> Purchase | None:
        return await self._payments.by_charge(provider, charge)

    async def periods(self, provider: str, charge: str) -> Sequence[Purchase]:
        """The newest charges of what is paid again and again, "CHARGE/…", and the charge itself,
        whosever they are by now."""
        return await self._payments.periods(provider, charge, LISTED)

    async def purchase(self, purchase_id: int) -> Purchase | None:
        return await self._payments.purchase(purchase_id)

    async def ask_back(self, purchase_id: int, why: str) -> None:
        """Note why whoever paid wants it back, for whoever decides."""
        await self._payments.ask_back(purchase_id, why)

    async def order_refund(self, purchase_id: int) -> None:
        """What was paid is to go back: whoever speaks with its provider does it. Moderators order
        it by an act of theirs."""
        await self._payments.order_refund(purchase_id)

    async def refunds_due(self, provider: str) -> Sequence[Purchase]:
        """What was ordered back, and did not go back yet."""
        return await self._payments.refunds_due(provider)

    async def newest(
        self, limit: int, provider: str | None = None, skip: int = 0
    ) -> Sequence[Purchase]:
        """Everybody's, the newest first, behind `skip` of them."""
        return await self._payments.newest(limit, provider, skip)


def claim_on(plan: str, purchases: Iterable[Purchase]) -> Claim | None:
    """The claim that somebody's purchases of a plan add up to: what lasts so many days begins where
    the one before it ends. None where they give nothing."""
    source = source_of(plan)
    until: datetime | None = None
    for one in sorted(purchases, key=lambda purchase: (purchase.at, purchase.id)):
        if one.plan != plan or one.state is PurchaseState.REFUNDED or one.account_id is None:
            continue
        if one.until is not None:
            until = max(until or one.until, one.until)
        elif one.days is None:
            return Claim(source, plan)
        else:
            until = max(until or one.at, one.at) + timedelta(days=one.days)
    return None if until is None else Claim(source, plan, until)


def source_of(plan: str) -> str:
    return f"purchase:{plan}"
