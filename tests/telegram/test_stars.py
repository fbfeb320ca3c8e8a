"""Each rule of the stand-in about Stars, and what breaks it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.telegram.people import Impossible, Person
from tests.telegram.wire import Wire


@pytest.fixture
def anna(wire: Wire) -> Person:
    return wire.running.scene.user("anna", stars=5)


async def test_payments(wire: Wire, anna: Person) -> None:
    wire.running.limits.on = False
    invoice = {
        "chat_id": anna.id, "title": "Credits", "description": "Ten", "payload": "ten",
        "currency": "XTR", "prices": [{"label": "a", "amount": 3}],
    }  # fmt: skip
    for words, changes in (
        ("CURRENCY_INVALID", {"currency": "EUR"}),
        ("STARS_INVOICE_INVALID", {"prices": [{"label": "a", "amount": 1}] * 2}),
        ("INVOICE_PAYLOAD_INVALID", {"payload": "a" * 129}),
    ):
        assert words in (await wire.call("sendInvoice", **invoice | changes)).description
    sent = await wire.call("sendInvoice", **invoice)
    asking = wire.running.world.messages[anna.id, sent.result["message_id"]]

    async def checkout(**fields: Any) -> Any:
        world = wire.running.world
        await world.until(lambda: [q for q in world.queries.values() if not q.answer])
        query = next(q for q in world.queries.values() if not q.answer)
        return await wire.call("answerPreCheckoutQuery", pre_checkout_query_id=query.id, **fields)

    async with asyncio.TaskGroup() as group:
        paying = group.create_task(anna.pay(asking))
        await checkout(ok=True)
    charge = paying.result().special["successful_payment"]["telegram_payment_charge_id"]
    assert anna.user.stars == 2
    with pytest.raises(Impossible, match="3 Stars are due"):
        await anna.pay(asking)
    refund = {"user_id": anna.id, "telegram_payment_charge_id": charge}
    assert (await wire.call("refundStarPayment", **refund)).result is True
    assert "ALREADY" in (await wire.call("refundStarPayment", **refund)).description
    assert anna.user.stars == 5
    told = (await wire.call("getStarTransactions")).result["transactions"]
    assert ["source" in one for one in told] == [True, False], "the oldest first"
    assert (await wire.call("getStarTransactions", offset=1)).result["transactions"] == told[1:]
    paying_late = asyncio.create_task(anna.pay(asking))
    await wire.running.world.until(lambda: wire.running.unanswered())
    wire.running.clock.jump(11)
    assert "too old" in (await checkout(ok=True)).description
    with pytest.raises(Impossible, match="did not answer in time"):
        await paying_late


async def test_subscriptions(wire: Wire, anna: Person) -> None:
    wire.running.scene.world.users[anna.id] = replace(anna.user, stars=9)
    invoice = {
        "title": "Pro", "description": "A plan", "payload": "pro", "currency": "XTR",
        "prices": [{"label": "a", "amount": 3}],
    }  # fmt: skip
    assert (
        "PERIOD"
        in (await wire.call("createInvoiceLink", **invoice, subscription_period=60)).description
    )
    month = 2_592_000
    link = (await wire.call("createInvoiceLink", **invoice, subscription_period=month)).result
    world = wire.running.world
    async with asyncio.TaskGroup() as group:
        paying = group.create_task(anna.pay(link))
        await world.until(lambda: wire.running.unanswered())
        (query,) = world.queries.values()
        await wire.call("answerPreCheckoutQuery", pre_checkout_query_id=query.id, ok=True)
    paid = paying.result().special["successful_payment"]
    assert (paid["is_recurring"], paid["is_first_recurring"]) == (True, True)
    wire.running.clock.jump(month)
    again = anna.renew(link).special["successful_payment"]
    assert "is_first_recurring" not in again
    assert again["telegram_payment_charge_id"] != paid["telegram_payment_charge_id"]
    ending = {"user_id": anna.id, "is_canceled": True}
    charge = paid["telegram_payment_charge_id"]
    assert (
        await wire.call("editUserStarSubscription", **ending, telegram_payment_charge_id=charge)
    ).result
    with pytest.raises(Impossible, match="was cancelled"):
        anna.renew(link)
    assert (await wire.call("getMyStarBalance")).result["amount"] == 6
