"""How people pay by their apps: an invoice, a link to one, a subscription's next month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.telegram import payloads
from tests.telegram.stars import SUBSCRIPTION_SECONDS
from tests.telegram.world import Message, Payment, Query, World

Json = Mapping[str, Any]


class Unpaid(Exception):
    """What Telegram did not let somebody pay; with the reason that they see."""


async def checked_out(world: World, user_id: int, invoice: Json, asked: Query) -> None:
    """Ask the bot, which has ten seconds. Raises: Unpaid."""
    told = {"currency": "XTR", "total_amount": invoice["total_amount"]}
    told |= {"invoice_payload": invoice["payload"], "id": asked.id}
    world.tell("pre_checkout_query", told | {"from": payloads.user(world.users[user_id])})

    def query() -> Query:
        return world.queries[asked.id]

    def over() -> bool:
        return world.clock.now() - asked.sent > world.checkout_seconds

    await world.until(lambda: query().answer or over(), "an answer to a checkout")
    answer = query().answer
    if answer is None:
        raise Unpaid("the bot did not answer in time")
    if not answer["ok"]:
        raise Unpaid(answer["error_message"])


def charged(world: World, user_id: int, invoice: Json, *, link: str, first: bool) -> Message:
    """The Stars go; the message that says so, which nobody is told of yet. link: of a subscription,
    or "". Raises: Unpaid: too few Stars."""
    user, amount = world.users[user_id], invoice["total_amount"]
    if user.stars < amount:
        raise Unpaid(f"{amount} Stars are due; they have {user.stars}")
    now, charge = world.clock.now(), f"charge-{world.count('charge')}"
    payload = invoice["payload"]
    world.payments[charge] = Payment(charge, user_id, amount, payload, now, link)
    world.users[user_id] = replace(user, stars=user.stars - amount)
    paid = {"currency": "XTR", "total_amount": amount, "invoice_payload": payload}
    paid |= {"telegram_payment_charge_id": charge, "provider_payment_charge_id": charge}
    if link:
        paid |= {"subscription_expiration_date": int(now) + SUBSCRIPTION_SECONDS}
        paid |= {"is_recurring": True} | ({"is_first_recurring": True} if first else {})
    said = Message(user_id, world.message_id(user_id), user_id, now,
                   special={"successful_payment": paid})  # fmt: skip
    world.keep(said, "created")
    return said


def tell(world: World, paid: Message) -> None:
    """Let the bot hear of a payment, or hear of it as another update."""
    world.tell("message", payloads.message(world, paid))
