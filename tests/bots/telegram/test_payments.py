"""Telegram Stars: bought, delivered once whatever happens on the way, and given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.settings import Ware
from core.moderation import Actor, Ban, Rank
from core.purchases import STARS, Purchase, PurchaseState
from storage.store import utc_now
from tests.bots.telegram.cinema import Cinema, cinema, labels, opened
from tests.bots.telegram.playhouse import playhouse
from tests.program import command
from tests.storage.books import faults
from tests.telegram import paying, payloads
from tests.telegram.people import Impossible, Person
from tests.telegram.refusals import Refused
from tests.telegram.server import Standin
from tests.telegram.world import Message, Update

pytestmark = pytest.mark.timeout(300)

PACK = Ware(title="500 credits", credits=500, stars=100)
PRO = Ware(title="Pro", plan="pro", days=30, stars=250, renews=True)
SHOP: dict[str, Any] = {"payments": True, "wares": {"pack": PACK, "patron": PRO}}
FREE = 1000
MONTH_SECONDS = 2_592_000


def later() -> datetime:
    """Too late for a message that is only slow."""
    return utc_now() + timedelta(minutes=5)


def much_later() -> datetime:
    return later() + timedelta(seconds=MONTH_SECONDS)


def rich(running: Standin, person: Person, stars: int = 1000) -> None:
    running.world.users[person.id] = replace(person.user, stars=stars)


async def invoice(here: Cinema, person: Person, title: str = "500 credits") -> Message:
    offers = await here.answer(person.say("/buy"), "What there is to buy")
    label = next(label for label in labels(offers) if label.startswith(title))
    pressed = person.press(offers, label)
    await pressed.answer()
    return await here.answer(pressed, lambda message: message.special)


async def link(here: Cinema, person: Person) -> str:
    offers = await here.answer(person.say("/buy"), "What there is to buy")
    pressed = person.press(offers, "Pro · ⭐ 250 every 30 days")
    offered = await here.answer(pressed, "It renews every 30 days")
    return str(offered.buttons[0]["url"])


async def told(here: Cinema, person: Person, words: str) -> Message:
    """Wait until the bot has said so to them."""

    def said() -> Message | None:
        mine = (m for m in person.messages() if m.author_id == here.telegram.world.bot.id)
        return next((m for m in mine if words in m.text), None)

    message = await here.telegram.world.until(said, f"{words!r} to {person.user.first_name}")
    assert message is not None
    return message


async def purchases(here: Cinema, person: Person) -> list[Purchase]:
    return list(await here.home.purchases.of((await here.account(person)).id))


async def test_bought_delivered_once_and_given_back(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    running, mia_s = telegram_standin, 1003
    async with cinema(running, tmp_path, operators=f"telegram:{mia_s}", **SHOP) as here:
        anna, mia = here.anna, here.mia
        rich(running, anna)
        running.limits.on = False
        assert "buy" in anna.menu()
        await here.answer(anna.say("/terms"), "You pay in Telegram Stars")
        await here.answer(anna.say("/buy", here.group), "https://t.me/kinora_bot?start=buy")
        await here.answer(anna.start("buy"), "What there is to buy")
        asking = await invoice(here, anna)
        paid = await anna.pay(asking)
        await told(here, anna, "Thank you. 500 credits are yours. You have 1500 credits now.")
        for _ in range(3):
            paying.tell(running.world, paid)
        await running.handled()
        same = Update(
            running.updates.delivered[-1], "message", payloads.message(running.world, paid)
        )
        running.updates.repeat(same, 20)
        await here.answer(anna.say("/queue"), "Nothing runs")
        assert await here.funds(anna) == (FREE + 500, 0)
        (bought,) = await purchases(here, anna)

        await here.answer(anna.say("/paysupport"), f"No. {bought.id}")
        await here.answer(anna.say("/paysupport 999 mine"), "Begin with the number")
        ask = anna.say(f"/paysupport {bought.id} it was my cat")
        await here.answer(ask, "Noted, for whoever runs")
        await told(here, mia, "it was my cat")
        await here.answer(anna.say(f"/paysupport {bought.id} again"), "asked for this one already")
        await here.answer(here.ben.say(f"/mod refund {bought.id}"), "Only the administrators")
        dry = await here.answer(mia.say(f"/mod refund {bought.id} a cat"), "Nothing is done yet")
        mia.press(dry, "Do it")
        words = "Your payment was given back. 500 credits went back with it."
        await told(here, anna, words)
        assert (await here.funds(anna), anna.user.stars) == ((FREE, 0), 1000)
        dry = await here.answer(mia.say(f"/mod refund {bought.id}"), "did already")
        assert await faults(here.home.store) == []


async def test_a_payment_is_delivered_whatever_gets_lost(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """Told after its refund, told to nobody, told while all was off."""
    running = telegram_standin
    async with cinema(running, tmp_path, **SHOP) as here:
        running.limits.on = False
        for person in (here.anna, here.ben):
            rich(running, person)
        asking = await invoice(here, here.anna)
        early = await here.anna.pay(asking, told=False)
        charge = early.special["successful_payment"]["telegram_payment_charge_id"]
        payment = running.world.payments[charge]
        back = {"currency": "XTR", "total_amount": 100, "invoice_payload": payment.payload,
                "telegram_payment_charge_id": charge}  # fmt: skip
        running.world.payments[charge] = replace(payment, refunded=running.clock.now())
        paying.tell(running.world, replace(early, special={"refunded_payment": back}))
        await told(here, here.anna, "Your payment was given back.")
        paying.tell(running.world, early)
        await told(here, here.anna, "This payment was given back.")
        assert await here.funds(here.anna) == (FREE, 0)
        asking = await invoice(here, here.ben)
        await here.ben.pay(asking, told=False)
    async with opened(running, tmp_path, wares=SHOP["wares"], clock=later) as home:
        again = replace(here, home=home)
        await told(again, here.ben, "500 credits are yours")
        assert await again.funds(here.ben) == (FREE + 500, 0)
        assert await again.funds(here.anna) == (FREE, 0)
        await again.answer(here.anna.say("/buy"), "Nothing is sold here")
        await again.answer(here.ben.say("/paysupport"), "No. 2")
        assert await faults(home.store) == []


async def test_nothing_is_paid_that_can_not_be_had(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    running = telegram_standin
    async with cinema(running, tmp_path, **SHOP) as here:
        running.limits.on = False
        for person in (here.anna, here.ben):
            rich(running, person)
        asking = await invoice(here, here.anna)
        with pytest.raises(Impossible, match="leads to the bot"):
            await here.ben.pay(asking)
        theirs = await link(here, here.anna)
        with pytest.raises(Impossible, match="made to somebody else"):
            await here.ben.pay(theirs)
        ban = Ban(account_id=(await here.account(here.anna)).id, reason="spam")
        await here.home.store.moderation.perform(ban, Actor("the shell", Rank.HOST), "ban")
        with pytest.raises(Impossible, match="You are banned from this Kinora: spam"):
            await here.anna.pay(asking)
        offered = await invoice(here, here.ben)
    dearer = {"pack": PACK.model_copy(update={"stars": 200})}
    async with opened(running, tmp_path, payments=True, wares=dearer):
        with pytest.raises(Impossible, match="This offer has changed"):
            await here.ben.pay(offered)
        assert {here.anna.user.stars, here.ben.user.stars} == {1000}
        running.faults.broken("answerPreCheckoutQuery", 1)
        new = await invoice(here, here.ben)
        await here.ben.pay(new)


async def test_a_subscription_renews_and_ends(telegram_standin: Standin, tmp_path: Path) -> None:
    running = telegram_standin
    async with cinema(running, tmp_path, **SHOP) as here:
        running.limits.on = False
        rich(running, here.anna)
        address = await link(here, here.anna)
        await here.anna.pay(address)
        await told(here, here.anna, "You have the plan pro until")
        running.clock.jump(MONTH_SECONDS)
        here.anna.renew(address)
        await running.world.until(lambda: len([
            m for m in here.anna.messages() if "You have the plan pro until" in m.text
        ]) == 2)  # fmt: skip
        first, second = reversed(await purchases(here, here.anna))
        assert first.until is not None
        assert second.until is not None
        assert 29 < (second.until - first.until).days <= 30
        assert await faults(here.home.store) == []
        here.anna.renew(address, told=False)
    gone = {"pack": PACK}
    async with opened(running, tmp_path, payments=True, wares=gone, clock=much_later) as home:
        again = replace(here, home=home)
        await told(again, here.anna, "not offered any more: the payment comes back")
        await told(again, here.anna, "Your payment was given back.")
        newest = (await purchases(again, here.anna))[0]
        assert newest.state is PurchaseState.REFUNDED
        assert here.anna.user.stars == 1000 - 2 * 250
        with pytest.raises(Impossible, match="was cancelled"):
            here.anna.renew(address)
        assert await home.purchases.refunds_due(STARS) == []


async def test_kills_lose_nothing_that_was_paid(tmp_path: Path) -> None:
    """kill -9 before the payment is heard, before its delivery is told, and between the refund at
    Telegram and its word of it."""
    async with playhouse(tmp_path, people=1, groups=0) as here:
        running, (anna,) = here.telegram, here.people
        rich(running, anna)
        shop = {
            "KINORA_PAYMENTS": "true",
            "KINORA_WARES__PACK__CREDITS": "500",
            "KINORA_WARES__PACK__STARS": "100",
        }
        credits = "SELECT sum(available_change) AS credits FROM entry WHERE note LIKE 'bought%'"

        def heard(words: str) -> bool:
            return any(words in m.text for m in anna.messages() if m.author_id != anna.id)

        async with here.open(**shop) as program:
            offers = await anna.answer(anna.say("/buy"))
            await anna.press(offers, labels(offers)[0]).answer()
            asking = await anna.answer(offers, lambda message: bool(message.special))
            lost = await anna.pay(asking, told=False)
            await here.kill(program)
        paying.tell(running.world, lost)
        running.faults.delay("sendMessage", 30)
        async with here.open(**shop) as program:
            await here.until(lambda: here.rows(credits)[0]["credits"] == 500, "credits", 60)
            await here.kill(program)
        here.mend()
        assert not heard("500 credits are yours")
        async with here.open(**shop) as program:
            await here.until(lambda: heard("500 credits are yours"), "word of it", 60)
            assert here.rows(credits)[0]["credits"] == 500
            running.faults.hang("refundStarPayment", 30)
            status, said, _ = await command(tmp_path, "admin", "refund", "1")
            assert (status, "goes back" in said) == (0, True)
            running.clock.jump(1)
            await here.kill(program)
        async with here.open(**shop) as program:
            await here.until(lambda: anna.user.stars == 1000, "Stars", 60)
            await here.kill(program)
        here.mend()
        async with here.open(**shop):
            await here.until(lambda: heard("Your payment was given back"), "word of it", 60)
            taken = "SELECT state, taken FROM purchase"
            assert [tuple(row) for row in here.rows(taken)] == [("refunded", 500)]
        assert not here.violations()


async def test_a_refund_that_telegram_refuses_is_explained_and_tried_again(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    running, mia_s = telegram_standin, 1003
    options = {"operators": f"telegram:{mia_s}", **SHOP}
    async with cinema(running, tmp_path, **options) as here:
        running.limits.on = False
        rich(running, here.anna)
        await here.anna.pay(await invoice(here, here.anna))
        await told(here, here.anna, "500 credits are yours")
        running.faults.refuse("refundStarPayment", Refused("BALANCE_TOO_LOW"))
        dry = await here.answer(here.mia.say("/mod refund 1"), "Nothing is done yet")
        here.mia.press(dry, "Do it")
        await told(here, here.mia, "Payment 1 can't be given back. Telegram refuses: Balance")
        assert await here.funds(here.anna) == (FREE + 500, 0)
    async with opened(running, tmp_path, **options) as home:
        again = replace(here, home=home)
        await told(again, here.anna, "Your payment was given back.")
        assert await again.funds(here.anna) == (FREE, 0)
        assert await faults(home.store) == []
