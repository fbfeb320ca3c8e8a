"""Methods that answer: presses of buttons, inline queries, checkouts; and those about Stars."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.telegram import payloads
from tests.telegram.call import Call
from tests.telegram.posts import post
from tests.telegram.refusals import Refused
from tests.telegram.world import Message, Query

Json = dict[str, Any]

ANSWER_CHARACTERS, RESULTS, ID_BYTES, PAYLOAD_BYTES = 200, 50, 64, 128
TITLE_CHARACTERS, DESCRIPTION_CHARACTERS = 32, 255
SUBSCRIPTION_SECONDS = 2_592_000


def answer_callback(call: Call) -> bool:
    if len(call.form.text("text")) > ANSWER_CHARACTERS:
        raise Refused("MESSAGE_TOO_LONG")
    told = {"text": call.form.text("text"), "show_alert": call.form.flag("show_alert")}
    return _answered(call, "callback_query_id", "callback", told, call.world.answer_seconds)


def answer_inline(call: Call) -> bool:
    results = call.form.json("results") or []
    if len(results) > RESULTS:
        raise Refused("RESULTS_TOO_MUCH")
    ids = [str(result.get("id", "")) for result in results]
    if any(not 1 <= len(each.encode()) <= ID_BYTES for each in ids):
        raise Refused("RESULT_ID_INVALID")
    if len(set(ids)) < len(ids):
        raise Refused("RESULT_ID_DUPLICATE")
    for result in results:
        call.keyboard(result)
        content = result.get("input_message_content", {})
        if "message_text" in content:
            call.words({**content, "text": content["message_text"]})
        elif "caption" in result:
            call.caption(result)
        for kind in ("photo", "video", "document", "sticker", "mpeg4", "gif"):
            if f"{kind}_file_id" in result:
                call.world.files.find(result[f"{kind}_file_id"], _KINDS.get(kind, kind))
    told = {"results": results, "next_offset": call.form.text("next_offset")}
    return _answered(call, "inline_query_id", "inline", told, call.world.answer_seconds)


_KINDS = {"mpeg4": "animation", "gif": "animation"}


def answer_checkout(call: Call) -> bool:
    told = {"ok": call.form.flag("ok"), "error_message": call.form.text("error_message")}
    if not told["ok"] and not told["error_message"]:
        raise Refused("ERROR_TEXT_EMPTY")
    return _answered(call, "pre_checkout_query_id", "checkout", told, call.world.checkout_seconds)


def _answered(call: Call, name: str, kind: str, told: Json, seconds: float) -> bool:
    """Each is answered once, and in time."""
    query: Query | None = call.world.queries.get(call.form.text(name))
    now = call.world.clock.now()
    late = query is not None and now - query.sent > seconds
    if query is None or query.kind != kind or query.answer is not None or late:
        raise Refused("query is too old and response timeout expired or query ID is invalid")
    call.world.queries[query.id] = replace(query, answered=now, answer=told)
    call.world.touch()
    return True


def send_invoice(call: Call) -> Json:
    chat = call.open_chat()
    invoice = _invoice(call)
    special = {"invoice": {k: v for k, v in invoice.items() if k not in ("payload", "period")}}
    keyboard = call.keyboard() or {
        "inline_keyboard": [[{"text": f"Pay ⭐️{invoice['total_amount']}", "pay": True}]]
    }
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
    if int(prices[0]["amount"]) < 1:
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
    world = call.world
    payment = world.payments.get(call.form.text("telegram_payment_charge_id"))
    if payment is None or payment.user_id != call.form.number("user_id"):
        raise Refused("CHARGE_NOT_FOUND")
    if payment.refunded:
        raise Refused("CHARGE_ALREADY_REFUNDED")
    world.payments[payment.charge_id] = replace(payment, refunded=True)
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


def transactions(call: Call) -> Json:
    """Newest first: what was paid, and what was given back."""
    found: list[Json] = []
    for payment in call.world.payments.values():
        person = payloads.user(call.world.users[payment.user_id])
        partner = {"type": "user", "transaction_type": "invoice_payment", "user": person,
                   "invoice_payload": payment.payload}  # fmt: skip
        told = {"id": payment.charge_id, "amount": payment.amount, "date": int(payment.at)}
        found.insert(0, told | {"source": partner})
        if payment.refunded:
            found.insert(0, told | {"receiver": partner})
    start, limit = call.form.number("offset"), call.form.number("limit", 100)
    return {"transactions": found[start : start + limit]}


def balance(call: Call) -> Json:
    return {"amount": sum(p.amount for p in call.world.payments.values() if not p.refunded)}
