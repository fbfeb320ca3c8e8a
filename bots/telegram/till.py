"""The till: what was paid in Telegram Stars is delivered once, and what is ordered back goes back.

A payment is told by a message, which may get lost; Telegram's own list of them is read at the start
and each hour, and what nobody delivered is. A refund is ordered in the database first, and done
here: a repeat of it is refused by Telegram, which means that it is done.

https://core.telegram.org/bots/payments-stars
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram import StarTransaction, TransactionPartnerUser, User
from telegram.error import BadRequest
from telegram.ext import ExtBot

from bots.telegram.desk import PLATFORM, TelegramDesk
from bots.telegram.hearing import account_of, say
from bots.telegram.limiter import Turn
from bots.telegram.markup import plain
from bots.telegram.messages import Messages
from bots.telegram.places import Spot
from bots.telegram.refusals import told
from bots.wares import delivered
from core.errors import KinoraError, Transient, Unreachable, WrongState
from core.job import Account
from core.purchases import STARS, Bought, Purchase, PurchaseState, Refunded
from core.wares import Ware

log = logging.getLogger("kinora.telegram")

PAYLOAD = re.compile(r"kinora:(?P<ware>[^:]+):(?P<account>\d+)")
"""What an invoice of ours carries, and each payment of it: the ware, and whom it was made for."""

LOOK_SECONDS = 60.0
"""Between two looks for refunds that were ordered elsewhere."""

RECONCILED_SECONDS, AGAIN_SECONDS = 3600.0, 300.0
"""Between two looks through Telegram's list, and after one that failed."""

GRACE = timedelta(minutes=2)
"""How long a payment may take to be heard as a message."""

PAGE, PAGES = 100, 1000
"""Transactions that one question may bring, and questions at most in a row."""

DONE_BEFORE = "ALREADY_REFUNDED"


@dataclass(frozen=True, slots=True)
class Paid:
    """What Telegram tells of a payment. until: when the month ends that it is for, of a
    subscription."""

    user: User
    payload: str
    charge: str
    at: datetime
    until: datetime | None = None


def payload(ware: Ware, account: Account) -> str:
    """What the invoice of a ware carries that is made for somebody."""
    return f"kinora:{ware.name}:{account.id}"


class Till:
    """Run it as one task."""

    def __init__(self, desk: TelegramDesk, bot: ExtBot[Turn], messages: Messages) -> None:
        self._desk = desk
        self._bot = bot
        self._messages = messages
        self._wake = asyncio.Event()
        self._read = 0
        self._reconcile_at = 0.0
        self._refused: dict[int, float] = {}

    async def deliver(self, paid: Paid) -> Bought | None:
        """What was paid for is the payer's, once. What is sold no more goes back. None: it was for
        nothing of ours. Raises Transient."""
        found = PAYLOAD.fullmatch(paid.payload)
        if found is None:
            log.warning("payment %s is for nothing of ours", paid.charge)
            return None
        account, name = await account_of(self._desk.studio, paid.user), found["ware"]
        purchases = self._desk.purchases
        ware = purchases.wares.by_name.get(name)
        bought = await purchases.bought(
            account.id,
            ware or Ware(name, name),
            STARS,
            paid.charge,
            paid.at,
            paid.until,
            place=f"{PLATFORM}:{paid.user.id}",
        )
        if ware is None:
            log.warning('payment %s is for "%s", which is no ware: it goes back', paid.charge, name)
            await purchases.order_refund(bought.purchase.id)
            self.look()
        return bought

    async def refunded(self, charge: str, at: datetime) -> Refunded:
        """Telegram says that it gave a payment back. Raises Transient."""
        return await self._desk.purchases.refunded(STARS, charge, at)

    async def give_back(self, purchase: Purchase) -> Refunded:
        """Do what was ordered: the Stars first, then what is left of what they brought. With it a
        subscription ends.

        Raises WrongState where Telegram refuses, or Transient.
        """
        user = int(purchase.place.partition(":")[2])
        if purchase.until is not None:
            with suppress(WrongState):  # it is over, or was called off
                async with _asked():
                    await self._bot.edit_user_star_subscription(
                        user, purchase.charge, is_canceled=True
                    )
        try:
            async with _asked():
                await self._bot.refund_star_payment(user, purchase.charge)
        except WrongState as refused:
            if DONE_BEFORE not in refused.sentence.upper():
                raise
        log.info("payment %s was given back", purchase.charge)
        return await self.refunded(purchase.charge, self._desk.clock())

    def look(self) -> None:
        """Something was ordered back."""
        self._wake.set()

    def reconcile_soon(self) -> None:
        """Something could not be delivered: it is looked for soon."""
        self._reconcile_at = 0.0

    async def run(self) -> None:
        """Work until cancelled. What can't be done now is tried again."""
        while True:
            self._wake.clear()
            try:
                await self._give_back_due()
                if time.monotonic() >= self._reconcile_at and await self._ever_sold():
                    whole = await self.reconcile()
                    pause = RECONCILED_SECONDS if whole else GRACE.total_seconds()
                    self._reconcile_at = time.monotonic() + pause
            except (Transient, Unreachable, TimeoutError) as error:
                self._reconcile_at = time.monotonic() + AGAIN_SECONDS
                log.warning("payments can't be looked through now: %s", error)
            except Exception:
                self._reconcile_at = time.monotonic() + AGAIN_SECONDS
                log.exception("payments could not be looked through")
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()

    async def reconcile(self) -> bool:
        """Deliver what Telegram's list has and we have not, and take back likewise. Whether it was
        read to its end: what is new may be about to be heard.

        Raises Transient, Unreachable or TimeoutError; then what was not seen to is not read.
        """
        before = self._desk.clock() - GRACE
        for _ in range(PAGES):
            async with _asked():
                page = await self._bot.get_star_transactions(self._read, PAGE)
            for one in page.transactions:
                if one.date > before:
                    return False
                try:
                    await self._reconciled(one)
                except (KinoraError, TimeoutError):
                    raise
                except Exception:  # the others don't wait for it; the next start looks again
                    log.exception("payment %s can't be seen to", one.id)
                self._read += 1
            if len(page.transactions) < PAGE:
                return True
        return False

    async def _reconciled(self, one: StarTransaction) -> None:
        paid, back = one.source, one.receiver
        known = await self._desk.purchases.by_charge(STARS, one.id)
        if known is not None and known.state is PurchaseState.REFUNDED and known.account_id:
            return
        if isinstance(paid, TransactionPartnerUser) and _is_ours(paid):
            if known is not None and known.account_id is not None:
                return
            period = paid.subscription_period
            until = one.date + period if period else None
            bought = await self.deliver(
                Paid(paid.user, paid.invoice_payload or "", one.id, one.date, until)
            )
            if bought is not None and bought.new:
                log.warning("payment %s was delivered late: nobody had told of it", one.id)
                words = delivered(bought, self._desk.purchases.wares)
                await say(self._messages, Spot(paid.user.id), plain(words))
        elif isinstance(back, TransactionPartnerUser) and _is_ours(back):
            await self.refunded(one.id, one.date)

    async def _ever_sold(self) -> bool:
        purchases = self._desk.purchases
        return purchases.wares.on or bool(await purchases.newest(1, STARS))

    async def _give_back_due(self) -> None:
        for purchase in await self._desk.purchases.refunds_due(STARS):
            if time.monotonic() < self._refused.get(purchase.id, 0.0):
                continue
            try:
                await self.give_back(purchase)
            except WrongState as refused:
                self._refused[purchase.id] = time.monotonic() + RECONCILED_SECONDS
                log.error("payment %s can't be given back: %s", purchase.charge, refused.sentence)
                words = (
                    f"Payment {purchase.id} can't be given back. {refused.sentence} "
                    "I try again each hour."
                )
                for operator in self._desk.moderators.operators(PLATFORM):
                    await say(self._messages, Spot(int(operator.subject)), plain(words))


def _is_ours(partner: TransactionPartnerUser) -> bool:
    return PAYLOAD.fullmatch(partner.invoice_payload or "") is not None


@asynccontextmanager
async def _asked() -> AsyncIterator[None]:
    """Raises WrongState with what Telegram refuses, Unreachable, Transient, or TimeoutError."""
    async with told():
        try:
            yield
        except BadRequest as error:
            raise WrongState(f"Telegram refuses: {error.message}") from error
