"""Methods about Telegram Stars: invoices, refunds, subscriptions, and what the bot was paid.
https://core.telegram.org/bots/payments-stars"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.telegram import payloads
from tests.telegram.call import Call
from tests.telegram.posts import post
from tests.telegram.refusals import Refused
from tests.telegram.world import Message, Payment

Json = dict[str, Any]

PAYLOAD_BYTES, TITLE_CHARACTERS, DESCRIPTION_CHARACTERS = 128, 32, 255
MOST_STARS = 100_000
SUBSCRIPTION_SECONDS = 2_592_000
MOST_TRANSACTIONS = 100


def send_invoice(call: Call) -> Json:
    chat = call.open_chat()
    invoice = _invoice(call)
    special = {"invoice": {k: v for k, v in invoice.items() if k not in ("payload", "period")}}
    keyboard = call.keyboard() or {
        "inline_keyboard": [[{"text": f"Pay ⭐️{invoice['total_amount']}", "pay": True}]]
    }
    if not keyboard["inline_keyboard"][0][0].get("pay"):
        raise Refused("REPLY_MARKUP_BUY_EMPTY")
    message = call.blank(chat, markup=keyboard, special=special, reply_to=call.reply(chat))
    call.world.links[f"{chat.id}/{message.id}"] = invoice
    return payloads.message(call.world, post(call.world, message))


def create_link(call: Call) -> str:
    invoice = _invoice(call)
    period = call.form.number("subscription_period")
    if period not in (0, SUBSCRIPTION_SECONDS):
        raise Refused("SUBSCRIPTION_PERIOD_INVALID")
    link = f"https://t.me/${call.world.count('link', 1000)}"
    call.world.links[link] = invoice | {"period": period}
    return link


def _invoice(call: Call) -> Json:
    """Stars alone: one price, no provider."""
    form = call.form
    prices = form.json("prices") or []
    if form.text("currency") != "XTR":
        raise Refused("CURRENCY_INVALID")
    if form.text("provider_token"):
        raise Refused("PAYMENT_PROVIDER_INVALID")
    if len(prices) != 1:
        raise Refused("STARS_INVOICE_INVALID")
    if not 1 <= int(prices[0]["amount"]) <= MOST_STARS:
        raise Refused("CURRENCY_TOTAL_AMOUNT_INVALID")
    if not 1 <= len(form.text("payload").encode()) <= PAYLOAD_BYTES:
        raise Refused("INVOICE_PAYLOAD_INVALID")
    if not 1 <= len(form.text("title")) <= TITLE_CHARACTERS:
        raise Refused("INVOICE_TITLE_INVALID")
    if not 1 <= len(form.text("description")) <= DESCRIPTION_CHARACTERS:
        raise Refused("INVOICE_DESCRIPTION_INVALID")
    return {
        "title": form.text("title"),
        "description": form.text("description"),
        "start_parameter": form.text("start_parameter"),
        "currency": "XTR",
        "total_amount": int(prices[0]["amount"]),
        "payload": form.text("payload"),
    }


def refund(call: Call) -> bool:
    world, payment = call.world, _payment(call)
    if payment.refunded is not None:
        raise Refused("CHARGE_ALREADY_REFUNDED")
    world.payments[payment.charge_id] = replace(payment, refunded=world.clock.now())
    person = world.users[payment.user_id]
    world.users[person.id] = replace(person, stars=person.stars + payment.amount)
    told = {
        "currency": "XTR",
        "total_amount": payment.amount,
        "invoice_payload": payment.payload,
        "telegram_payment_charge_id": payment.charge_id,
    }
    post(world, Message(
        person.id, world.message_id(person.id), person.id, world.clock.now(),
        special={"refunded_payment": told},
    ))  # fmt: skip
    return True


def edit_subscription(call: Call) -> bool:
    """By any of its charges."""
    payment = _payment(call)
    if not payment.link:
        raise Refused("CHARGE_NOT_FOUND")
    key = payment.subscription
    if call.form.flag("is_canceled"):
        call.world.cancelled.add(key)
    else:
        call.world.cancelled.discard(key)
    call.world.touch()
    return True


def _payment(call: Call) -> Payment:
    payment = call.world.payments.get(call.form.text("telegram_payment_charge_id"))
    if payment is None or payment.user_id != call.form.number("user_id"):
        raise Refused("CHARGE_NOT_FOUND")
    return payment


def transactions(call: Call) -> Json:
    """What was paid and what was given back, oldest first."""
    start, limit = call.form.number("offset"), call.form.number("limit", MOST_TRANSACTIONS)
    if not 1 <= limit <= MOST_TRANSACTIONS:
        raise Refused("LIMIT_INVALID")
    found: list[tuple[float, Json]] = []
    for payment in call.world.payments.values():
        person = payloads.user(call.world.users[payment.user_id])
        partner = {"type": "user", "transaction_type": "invoice_payment", "user": person,
                   "invoice_payload": payment.payload}  # fmt: skip
        if payment.link:
            partner["subscription_period"] = SUBSCRIPTION_SECONDS
        told = {"id": payment.charge_id, "amount": payment.amount}
        found.append((payment.at, told | {"date": int(payment.at), "source": partner}))
        if (at := payment.refunded) is not None:
            found.append((at, told | {"date": int(at), "receiver": partner}))
    ordered = [told for _, told in sorted(found, key=lambda one: one[0])]
    return {"transactions": ordered[start : start + limit]}


def balance(call: Call) -> Json:
    paid = (p.amount for p in call.world.payments.values() if p.refunded is None)
    return {"amount": sum(paid)}
