"""/buy: what is offered for Telegram Stars, the question before each payment, and payments heard.

An invoice says what is for sale and for whom it was made; whoever pays it has it. What renews is
offered by a link, which is what Telegram takes subscriptions by.

https://core.telegram.org/bots/payments-stars
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence

from telegram import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LabeledPrice,
    Message,
    PreCheckoutQuery,
    Update,
)
from telegram.error import BadRequest, TelegramError
from telegram.ext import MessageHandler, PreCheckoutQueryHandler, filters

from bots.talk import Bold, Paragraph, line
from bots.telegram.asking import Add, Room
from bots.telegram.card_view import Shown
from bots.telegram.hearing import account_of, as_far_as_telegram_lets, say
from bots.telegram.markup import bold, plain
from bots.telegram.places import Spot, answer_to
from bots.telegram.refusals import told
from bots.telegram.talk import drawn
from bots.telegram.till import PAYLOAD, Paid, payload
from bots.wares import NOTHING_SOLD, delivered, described, given_back, price
from core.errors import UserError, WrongState
from core.restraints import why
from core.wares import Ware

log = logging.getLogger("kinora.telegram")

BUTTON = re.compile(r"kn-buy:(?P<ware>[^:]{1,57})")
CURRENCY = "XTR"
START = "buy"
"""What a deep link brings here: https://t.me/BOT?start=buy."""

MONTH_SECONDS = 2_592_000
CHECKED_SECONDS = 8.0
"""Telegram waits for ten."""

ANSWER_SECONDS = 3.0
TRIES = 3
CHANGED = "This offer has changed: /buy shows what holds now. Nothing was paid."
NOT_YOURS = "This offer was made to somebody else: /buy shows yours. Nothing was paid."
NOT_NOW = "I can't sell that just now: try again in a minute. Nothing was paid."
ON_ITS_WAY = "Your payment has arrived; what it brings comes within a few minutes."


def register(add: Add, room: Room) -> None:
    async def asked(update: Update, context: object) -> None:
        if update.pre_checkout_query is not None:
            await check_out(room, update.pre_checkout_query)

    async def heard(update: Update, context: object) -> None:
        message = update.message
        if message is not None and message.successful_payment is not None:
            await paid(room, message)
        elif message is not None and message.refunded_payment is not None:
            await refunded(room, message)

    add(PreCheckoutQueryHandler(asked))
    add(MessageHandler(filters.SUCCESSFUL_PAYMENT | filters.StatusUpdate.REFUNDED_PAYMENT, heard))


async def buy(room: Room, message: Message, said: str) -> None:
    """Show what is offered, in their own chat alone."""
    wares, here = room.desk.purchases.wares.for_stars(), answer_to(message)
    if not wares:
        shown = Shown(plain(NOTHING_SOLD), None)
    elif not here.private:
        link = f"https://t.me/{room.bot.username}?start={START}"
        shown = Shown(f"What there is to buy I tell you in our own chat: {plain(link)}", None)
    else:
        shown = _offers(wares)
    with as_far_as_telegram_lets():
        await room.messages.send(here, shown)


async def choose(room: Room, query: CallbackQuery) -> str:
    """Send the invoice for what was pressed; for what renews, a link to it. Raises UserError."""
    found, message = BUTTON.fullmatch(query.data or ""), query.message
    ware = room.desk.purchases.wares.by_name.get(found["ware"]) if found else None
    if ware is None or ware not in room.desk.purchases.wares.for_stars():
        raise WrongState(CHANGED)
    if not isinstance(message, Message):
        raise WrongState("This message is too old: ask for a new one by /buy.")
    account = await account_of(room.desk.studio, query.from_user)
    here = answer_to(message)
    what = (ware.title, described(ware), payload(ware, account), CURRENCY)
    prices = [LabeledPrice(ware.title, ware.stars or 0)]
    async with told():
        if not ware.renews:
            await room.bot.send_invoice(here.chat, *what, prices, start_parameter=START)
            return ""
        link = await room.bot.create_invoice_link(*what, prices, subscription_period=MONTH_SECONDS)
    button = InlineKeyboardButton(f"Subscribe · {price(ware)}", url=link)
    words = (
        f"{bold(ware.title)}\n{plain(described(ware))}\n"
        "It renews every 30 days until you end it, in Telegram's settings under My Stars."
    )
    await room.messages.send(here, Shown(words, InlineKeyboardMarkup([[button]])))
    return ""


async def check_out(room: Room, query: PreCheckoutQuery) -> None:
    """Say within seconds whether it may be paid. Raises nothing."""
    sentence = NOT_NOW
    try:
        async with asyncio.timeout(CHECKED_SECONDS):
            await _check(room, query)
            sentence = ""
    except UserError as error:
        sentence = error.sentence
    except Exception:
        log.exception("a payment was refused: it could not be checked")
    for _ in range(TRIES):
        try:
            await query.answer(
                ok=not sentence,
                error_message=sentence or None,
                read_timeout=ANSWER_SECONDS,
                connect_timeout=ANSWER_SECONDS,
            )
            return
        except BadRequest as error:  # it was answered before, or it is too late
            log.info("a checkout was not answered: %s", error.message)
            return
        except TelegramError as error:
            log.warning("a checkout was not answered yet: %s", error)


async def paid(room: Room, message: Message) -> None:
    """Deliver what was paid for, and say so. Raises nothing."""
    payment, user = message.successful_payment, message.from_user
    assert payment is not None
    if user is None:
        log.error("payment %s comes from nobody", payment.telegram_payment_charge_id)
        return
    told_of = Paid(
        user,
        payment.invoice_payload,
        payment.telegram_payment_charge_id,
        message.date,
        payment.subscription_expiration_date,
    )
    words = ON_ITS_WAY
    try:
        bought = await room.till.deliver(told_of)
        if bought is None:
            return
        words = delivered(bought, room.desk.purchases.wares)
    except Exception:
        log.exception("payment %s is not delivered yet", told_of.charge)
        room.till.reconcile_soon()
    await say(room.messages, Spot(user.id), plain(words))


async def refunded(room: Room, message: Message) -> None:
    """Take back what went back, and say so. Raises nothing."""
    payment = message.refunded_payment
    assert payment is not None
    if PAYLOAD.fullmatch(payment.invoice_payload) is None:
        return
    charge = payment.telegram_payment_charge_id
    try:
        back = await room.till.refunded(charge, message.date)
    except Exception:
        log.exception("the refund of payment %s is not noted yet", charge)
        room.till.reconcile_soon()
        return
    await say(room.messages, Spot(message.chat.id), plain(given_back(back)))


def _offers(wares: Sequence[Ware]) -> Shown:
    told: list[Paragraph] = [
        (line(Bold("What there is to buy")),),
        *((line(Bold(ware.title)), line(described(ware))) for ware in wares),
        (line("Paid in Telegram Stars. /terms says what holds, /paysupport helps."),),
    ]
    buttons = [
        [InlineKeyboardButton(f"{ware.title} · {price(ware)}", callback_data=f"kn-buy:{ware.name}")]
        for ware in wares
    ]
    return Shown(drawn(told), InlineKeyboardMarkup(buttons))


async def _check(room: Room, query: PreCheckoutQuery) -> None:
    """Raises UserError."""
    found = PAYLOAD.fullmatch(query.invoice_payload)
    ware = room.desk.purchases.wares.by_name.get(found["ware"]) if found else None
    on_offer = ware is not None and ware in room.desk.purchases.wares.for_stars()
    asked = (query.currency, query.total_amount)
    if found is None or ware is None or not on_offer or asked != (CURRENCY, ware.stars):
        raise WrongState(CHANGED)
    account = await account_of(room.desk.studio, query.from_user)
    if account.id != int(found["account"]):
        raise WrongState(NOT_YOURS)
    ban = await room.desk.moderators.ban(account.id)
    if ban is not None:
        raise WrongState(f"{why(ban)} Nothing was paid.")
