"""Codes that bring something once to each, and to so many; gifts from one wallet to another."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta

import pytest

from core.codes import WRONG_MOST, WRONG_WITHIN
from core.errors import KinoraError, NotFound, Refused, TooMany, WrongState
from core.gifts import Gift, Gifts, Limits
from core.job import Account, Claim, Lot, LotKind, Wallet
from core.moderation import Ban, MakeVoucher, Merge, StopVoucher
from core.purchases import Bought
from core.vouchers import Vouchers, digest, new_code
from storage import gifts as storage_gifts
from storage.store import Store
from tests.storage.books import faults
from tests.storage.samples import NOON, SetClock, a_grant, a_person, do
from tests.storage.steps import queue


async def a_code(store: Store, name: str, uses: int = 1, **said: object) -> str:
    code = new_code()
    values: dict[str, object] = {"credits": 100} | said
    await do(store, MakeVoucher(name=name, digest=digest(code), uses=uses, **values))  # type: ignore[arg-type]
    return code


def desk(store: Store, clock: SetClock) -> Vouchers:
    return Vouchers(store.vouchers, store.moderation, clock)


async def test_a_code_brings_something_once_to_each(store: Store, clock: SetClock) -> None:
    """Twenty times at once, and by the same message again."""
    ada, ben, vouchers = await a_person(store, 0), await a_person(store, 0), desk(store, clock)
    code = await a_code(store, "v1", 2, plan="pro", days=30)
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    said = [vouchers.redeem(ada, typed, "telegram:7/1") for _ in range(20)]
    came = await asyncio.gather(*said)
    assert sum(one.new for one in came) == 1
    assert {one.available for one in came} == {100}
    until = NOON + timedelta(days=30)
    assert came[0].claim == Claim("purchase:pro", "pro", until)
    assert await store.accounts.lots(ada.id) == [Lot(LotKind.GIFTED, 100, None)]
    with pytest.raises(WrongState, match="You used this code already, on 22 Nov 2026"):
        await vouchers.redeem(ada, code, "telegram:7/2")
    await vouchers.redeem(ben, code, "discord:1")
    (voucher,) = await store.vouchers.vouchers(9)
    assert (voucher.name, voucher.used, voucher.made_by) == ("v1", 2, "the shell")
    assert voucher.over(NOON)
    with pytest.raises(WrongState, match="as often as it may be"):
        await vouchers.redeem(await a_person(store, 0), code, "discord:2")
    assert await faults(store) == []


async def test_the_last_use_of_a_code_is_one_person_s(store: Store, clock: SetClock) -> None:
    people = [await a_person(store, 0) for _ in range(12)]
    vouchers, code = desk(store, clock), await a_code(store, "v1", 3)

    async def redeem(account: Account) -> Bought | KinoraError:
        try:
            return await vouchers.redeem(account, code, f"discord:{account.id}")
        except KinoraError as error:
            return error

    came = await asyncio.gather(*(redeem(account) for account in people))
    assert sum(isinstance(one, Bought) for one in came) == 3
    assert await faults(store) == []


async def test_what_is_no_code_any_more_and_who_guesses(store: Store, clock: SetClock) -> None:
    ada, ben, vouchers = await a_person(store, 0), await a_person(store, 0), desk(store, clock)
    stopped = await a_code(store, "v1")
    ended = await a_code(store, "v2", until=NOON + timedelta(hours=1))
    await do(store, StopVoucher(name="v1"), "stop")
    clock.forward(hours=1)
    for code, says in ((stopped, "withdrawn"), (ended, "was good until")):
        with pytest.raises(WrongState, match=says):
            await vouchers.redeem(ada, code, "k")
    for name, says in (("v1", "stopped before"), ("v9", "no voucher")):
        with pytest.raises(KinoraError, match=says):
            await do(store, StopVoucher(name=name), f"again {name}")
    good = await a_code(store, "v3", 2)
    for _ in range(WRONG_MOST):
        with pytest.raises(NotFound, match="There is no such code"):
            await vouchers.redeem(ada, new_code(), "k")
    with pytest.raises(TooMany, match="5 codes were wrong"):
        await vouchers.redeem(ada, good, "k")
    assert (await vouchers.redeem(ben, good, "k")).new
    clock.now += WRONG_WITHIN
    assert (await vouchers.redeem(ada, good, "k")).new
    await do(store, Ban(account_id=ben.id, reason="spam"))
    with pytest.raises(Refused, match="You are banned from this Kinora: spam"):
        await vouchers.redeem(ben, good, "k2")
    rows = await store.moderation.rows(9)
    assert [(row.act, row.whom) for row in rows][:3] == [
        ("voucher", "voucher:v1"), ("voucher", "voucher:v2"), ("stop", "voucher:v1")
    ]  # fmt: skip
    assert not any(digest(stopped) in row.details for row in rows)
    assert await faults(store) == []


def giving(store: Store, clock: SetClock, sent: int = 500, received: int = 1000) -> Gifts:
    limits = Limits(sent, received)
    return Gifts(store.gifts, store.accounts, store.moderation, limits, UTC, clock)


async def test_a_gift_moves_credits_once_and_they_last_as_long(
    store: Store, clock: SetClock
) -> None:
    ada, ben, gifts = await a_person(store, 0), await a_person(store, 5), giving(store, clock)
    soon = NOON + timedelta(days=3)
    await store.accounts.renew(
        ada.id,
        [
            a_grant(100, "day", soon, LotKind.DAILY),
            a_grant(100, "month", soon, LotKind.MONTHLY),
            a_grant(30, "bought", None, LotKind.BOUGHT),
            a_grant(20, "gifted", soon, LotKind.GIFTED),
            a_grant(10, "another", soon, LotKind.GIFTED),
        ],
    )
    assert await gifts.check(ada, ben.id, 60, "discord:81/9/1") == ben
    assert await store.accounts.lots(ben.id) == [Lot(LotKind.ADJUSTED, 5, None)]
    said = [gifts.give(ada, ben.id, 40, "discord:81/9/1", "k1") for _ in range(20)]
    came = await asyncio.gather(*said)
    assert sum(one.new for one in came) == 1
    assert {(one.left, one.theirs) for one in came} == {(220, 45)}
    assert await store.accounts.lots(ben.id) == [
        Lot(LotKind.GIFTED, 30, soon), Lot(LotKind.ADJUSTED, 5, None), Lot(LotKind.GIFTED, 10, None)
    ]  # fmt: skip
    assert {one.note for one in await store.accounts.entries(ben.id, 2)} == {"from Ada"}
    with pytest.raises(KinoraError, match="You can give 20, and this would be 21"):
        await gifts.give(ada, ben.id, 21, "", "k2")
    with pytest.raises(WrongState):
        await gifts.give(ada, ben.id, 1, "", "k1")
    assert [one.credits for one in await gifts.of(ben.id, 9)] == [40]
    cleo = await a_person(store, 0)
    await do(store, Merge(account_id=ben.id, into=cleo.id), "merge")
    given = await gifts.give(ada, ben.id, 5, "", "k3")
    assert (given.receiver.id, given.theirs) == (cleo.id, 50)
    assert not (await gifts.give(ada, ben.id, 40, "", "k1")).new
    assert await faults(store) == []


async def test_a_gift_whose_answer_was_lost_was_given_though_accounts_were_joined_since(
    store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = await a_person(store, 50), await a_person(store, 0)
    monkeypatch.setattr(storage_gifts, "new_id", lambda: "the same call")
    gift = Gift("k1", ada.id, ben.id, 20, NOON)
    assert await store.gifts.give(gift, Limits(), NOON)
    await do(store, Merge(account_id=ben.id, into=(await a_person(store, 0)).id), "merge")
    assert await store.gifts.give(gift, Limits(), NOON)
    assert await store.accounts.wallet(ada.id) == Wallet(30, 0)
    assert await faults(store) == []


async def test_gifts_have_their_limits(store: Store, clock: SetClock) -> None:
    people = [await a_person(store, 1000) for _ in range(5)]
    ada, ben, cleo, dora, eve = people
    gifts = giving(store, clock, 50, 120)
    for sender, receiver, credits, says in (
        (ada, ada.id, 5, "That is you"),
        (ada, ben.id, 0, "from 1 on"),
        (ada, 10**9, 5, "They have no account here yet"),
        (ada, ben.id, 51, "You can give 50 credits a day, of which 50 are left today"),
    ):
        with pytest.raises(KinoraError, match=says):
            await gifts.check(sender, receiver, credits, "")
    tries = [(one, n) for one in (ada, cleo, dora) for n in range(5)]

    async def give(sender: Account, number: int) -> int:
        try:
            await gifts.give(sender, ben.id, 25, "", f"{sender.id}/{number}")
        except TooMany:
            return 0
        return 25

    assert sum(await asyncio.gather(*(give(*one) for one in tries))) == 100
    with pytest.raises(TooMany, match="They can be given 120 credits a day, of which 20 are left"):
        await gifts.check(eve, ben.id, 25, "")
    clock.forward(days=1)
    await gifts.give(ada, ben.id, 25, "", "tomorrow")
    await do(store, Ban(account_id=ben.id, reason="spam", server="discord:81"))
    with pytest.raises(Refused, match="can't be given credits now"):
        await gifts.check(ada, ben.id, 5, "discord:81/9/1")
    with pytest.raises(Refused, match="You are banned here"):
        await gifts.check(ben, ada.id, 5, "discord:81/9/1")
    await gifts.check(ada, ben.id, 5, "discord:82/9/1")
    with pytest.raises(Refused, match="can't be given away here"):
        await giving(store, clock, sent=0).check(ada, ben.id, 5, "")
    assert await faults(store) == []


async def test_people_who_give_each_other_do_not_wait_for_ever(
    store: Store, clock: SetClock
) -> None:
    ada, ben, gifts = await a_person(store, 50), await a_person(store, 50), giving(store, clock)

    async def give(sender: Account, receiver: Account, number: int) -> None:
        await gifts.give(sender, receiver.id, 1, "", f"{sender.id}/{number}")
        await store.jobs.cancel((await queue(store, sender, 1)).id, NOON)

    both = [(ada, ben, n) for n in range(8)] + [(ben, ada, n) for n in range(8)]
    await asyncio.gather(*(give(*one) for one in both))
    assert (await store.accounts.wallet(ada.id)).available == 50
    assert await faults(store) == []
