"""What was paid for is brought once and taken back once, in whatever order it is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.job import Account, Claim, Lot, LotKind, Wallet, new_id
from core.moderation import Refund
from core.plans import Plans
from core.purchases import Bought, Purchase, Purchases, PurchaseState, Refunded, claim_on
from core.wares import Ware, Wares
from storage.store import Store, open_store
from tests.storage.books import faults
from tests.storage.machines import EXAMPLES
from tests.storage.samples import KEEP, NOON, SetClock, a_person, do
from tests.storage.steps import queue

PACK = Ware("pack", "A pack", credits=100)
MONTH = Ware("month", "A month of pro", plan="pro", days=30)
BOTH = Ware("both", "Pro, and credits", credits=50, kept_days=60, plan="pro", renews=True)
A_DAY = timedelta(days=1)
WHEN = st.integers(0, 40).map(lambda days: NOON + days * A_DAY)


def shop(store: Store) -> Purchases:
    wares = Wares({ware.name: ware for ware in (PACK, MONTH, BOTH)})
    return Purchases(store.payments, wares, lambda *lost: Plans().lapsed(*lost, NOON, UTC))


async def claims(store: Store, account: Account) -> Sequence[Claim]:
    known = await store.accounts.account_by_id(account.id)
    assert known is not None
    return known.claims


async def test_a_pack_is_brought_once_and_what_is_left_of_it_goes_back(store: Store) -> None:
    """Of its own lot: what was there before stays, and what a clip is held for is spent."""
    till, ada = shop(store), await a_person(store, 0)
    job = await queue(store, await a_person(store, 10), 10)
    said = [till.bought(ada.id, PACK, "stars", "c1", NOON, place="telegram:7") for _ in range(20)]
    came = await asyncio.gather(*said)
    assert [one.available for one in came] == [100] * 20
    assert sum(one.new for one in came) == 1
    await till.bought(ada.id, PACK, "discord", "c1", NOON + A_DAY)
    assert await store.accounts.lots(ada.id) == [Lot(LotKind.BOUGHT, 100, None)] * 2
    (_, first) = await till.of(ada.id)
    assert (first.provider, first.state, first.credits, first.place) == (
        "stars", PurchaseState.PAID, 100, "telegram:7"
    )  # fmt: skip
    job = await queue(store, ada, 70)
    back = await asyncio.gather(*(till.refunded("stars", "c1", NOON) for _ in range(20)))
    assert sum(one.new for one in back) == 1
    assert {(one.taken, one.short) for one in back} == {(30, 70)}
    assert await store.accounts.wallet(ada.id) == Wallet(100, 70)
    await store.jobs.cancel(job.id, NOON)
    assert await store.accounts.wallet(ada.id) == Wallet(170, 0)
    assert not (await till.bought(ada.id, PACK, "stars", "c1", NOON)).new
    assert (await store.accounts.entries(ada.id, 9))[1].note == "refunded: pack"
    assert await faults(store) == []


async def test_a_refund_that_is_heard_first_wins(store: Store) -> None:
    till, ada = shop(store), await a_person(store, 0)
    early = await till.refunded("stars", "c1", NOON)
    assert (early.new, early.taken, early.purchase.account_id) == (True, 0, None)
    late = await till.bought(ada.id, BOTH, "stars", "c1", NOON - A_DAY, NOON + 29 * A_DAY)
    assert (late.available, late.claim, late.purchase.state) == (0, None, PurchaseState.REFUNDED)
    assert [one.id for one in await till.of(ada.id)] == [early.purchase.id]
    assert await claims(store, ada) == ()
    assert await faults(store) == []


async def test_months_follow_each_other_and_a_refund_pulls_one_out(
    store: Store, clock: SetClock
) -> None:
    till, ada = shop(store), await a_person(store, 0)
    bought = [await till.bought(ada.id, MONTH, "stars", f"c{n}", NOON + n * A_DAY) for n in (0, 1)]
    assert [one.claim for one in bought] == [
        Claim("purchase:pro", "pro", NOON + n * A_DAY) for n in (30, 60)
    ]
    await store.accounts.set_claims(ada.id, "purchase:p/", [])
    await till.refunded("stars", "c0", NOON + 2 * A_DAY)
    assert await claims(store, ada) == (Claim("purchase:pro", "pro", NOON + 31 * A_DAY),)
    await till.refunded("stars", "c1", NOON + 2 * A_DAY)
    assert await claims(store, ada) == ()
    assert await faults(store) == []


async def test_what_a_plan_gave_for_its_month_goes_back_with_it(store: Store) -> None:
    """As far as it is left, and another plan does not give it; whatever is heard twice."""
    till, ada = shop(store), await a_person(store, 0)
    await store.accounts.set_claims(ada.id, "moderator", [Claim("moderator", "supporter")])
    await till.bought(ada.id, MONTH, "stars", "c1", NOON)

    async def given() -> int:
        known = await store.accounts.account_by_id(ada.id)
        assert known is not None
        wallet = await store.accounts.renew(ada.id, Plans().due(known, NOON, UTC))
        return wallet.available + wallet.held

    assert await given() == 100 + 1000 + 4000
    await queue(store, ada, 1500)
    for _ in range(2):
        await till.refunded("stars", "c1", NOON)
        assert await given() == 1500
    assert await faults(store) == []
    await store.accounts.set_claims(ada.id, "moderator", [])
    await till.bought(ada.id, MONTH, "stars", "c2", NOON)
    await till.refunded("stars", "c2", NOON)
    assert await given() == 1500
    assert await faults(store) == []


async def test_a_subscription_renews_ends_and_goes_on(store: Store) -> None:
    """Each period is a charge of its own, with credits of its own."""
    till, ada = shop(store), await a_person(store, 0)
    ends = [NOON + n * 30 * A_DAY for n in (1, 2)]
    for n, until in enumerate(ends):
        came = await till.bought(ada.id, BOTH, "discord", f"s/{n}", until - 30 * A_DAY, until)
        assert came.claim == Claim("purchase:pro", "pro", until)
    assert await store.accounts.wallet(ada.id) == Wallet(100, 0)
    over = await till.ended("discord", "s/1", NOON + 40 * A_DAY)
    assert (over.state, over.until) == (PurchaseState.ENDED, NOON + 40 * A_DAY)
    assert await claims(store, ada) == (Claim("purchase:pro", "pro", over.until),)
    await till.bought(ada.id, BOTH, "discord", "s/1", NOON + 41 * A_DAY, ends[1])
    assert await claims(store, ada) == (Claim("purchase:pro", "pro", ends[1]),)
    assert await store.accounts.wallet(ada.id) == Wallet(100, 0)
    open_ended = await till.bought(ada.id, BOTH, "discord", "e", NOON)
    assert open_ended.claim == Claim("purchase:pro", "pro", None)
    with pytest.raises(LookupError):
        await till.bought(10**9, PACK, "discord", "nobody's", NOON)
    assert await till.by_charge("discord", "nobody's") is None
    assert [one.charge for one in await till.newest(2, "discord")] == ["e", "s/1"]
    assert await faults(store) == []


@dataclass(frozen=True)
class Fact:
    """What a provider says of one of three charges. until: of the plan."""

    charge: int
    how: str
    at: datetime
    until: datetime | None = None


def of_a_charge(charge: int) -> st.SearchStrategy[list[Fact]]:
    paid = st.builds(Fact, st.just(charge), st.just("bought"), WHEN, st.none() | WHEN)
    over = st.builds(Fact, st.just(charge), st.just("ended"), WHEN, WHEN)
    back = st.builds(Fact, st.just(charge), st.just("refunded"), WHEN)
    return st.tuples(
        st.lists(paid | over, max_size=4, unique_by=lambda fact: fact.at),
        st.lists(back, max_size=1),
    ).map(lambda said: [*said[0], *said[1]])


@st.composite
def heard(draw: st.DrawFn) -> tuple[Sequence[Fact], Sequence[Fact]]:
    """Facts, and how they are told: in any order, and some more than once."""
    facts = [fact for charge in range(3) for fact in draw(of_a_charge(charge))]
    again = draw(st.lists(st.sampled_from(facts), max_size=4)) if facts else []
    return facts, draw(st.permutations([*facts, *again]))


def meant(ware: Ware, facts: Sequence[Fact], account: Account) -> Purchase | None:
    """What those of one charge come to."""
    paid = [fact for fact in facts if fact.how == "bought"]
    if not paid:
        return None
    newest = max((f for f in facts if f.how != "refunded"), key=lambda fact: fact.at)
    state = PurchaseState.PAID if newest.how == "bought" else PurchaseState.ENDED
    if any(fact.how == "refunded" for fact in facts):
        state = PurchaseState.REFUNDED
    at = min(fact.at for fact in paid)
    return Purchase(
        0, "stars", "", account.id, ware.name, state, at, plan=ware.plan, days=ware.days,
        until=newest.until,
    )  # fmt: skip


@pytest.mark.timeout(0)
def test_whatever_order_it_is_heard_in(url: str, tmp_path: Path) -> None:
    wares = (PACK, MONTH, BOTH)

    async def tell(store: Store, facts: Sequence[Fact], told: Sequence[Fact]) -> None:
        till, ada, prefix = shop(store), await a_person(store, 0), new_id()
        came: list[Bought | Refunded] = []
        for fact in told:
            charge = f"{prefix}/{fact.charge}"
            if fact.how == "bought":
                ware = wares[fact.charge]
                came.append(await till.bought(ada.id, ware, "stars", charge, fact.at, fact.until))
            elif fact.how == "ended":
                await till.ended("stars", charge, fact.at, fact.until)
            else:
                came.append(await till.refunded("stars", charge, fact.at))
        expected = [
            meant(ware, [fact for fact in facts if fact.charge == charge], ada)
            for charge, ware in enumerate(wares)
        ]
        theirs = [one for one in expected if one is not None]
        kept = [ware for ware, one in zip(wares, expected, strict=True)
                if one is not None and one.state is not PurchaseState.REFUNDED]  # fmt: skip
        wallet = await store.accounts.wallet(ada.id)
        assert wallet == Wallet(sum(ware.credits for ware in kept), 0)
        known = sorted(await till.of(ada.id), key=lambda one: one.charge)
        assert [one.state for one in known] == [one.state for one in theirs]
        due = claim_on("pro", theirs)
        assert await claims(store, ada) == ((due,) if due else ())
        assert sum(one.new for one in came if isinstance(one, Bought)) == len(theirs)

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opened = open_store(url, tmp_path / "data", KEEP, SetClock())
        store = runner.run(stack.enter_async_context(opened))

        @settings(
            max_examples=EXAMPLES // 4, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(heard())
        def any_order(said: tuple[Sequence[Fact], Sequence[Fact]]) -> None:
            runner.run(tell(store, *said))

        try:
            any_order()
            assert runner.run(faults(store)) == []
        finally:
            runner.run(stack.aclose())


def test_what_purchases_of_a_plan_add_up_to() -> None:
    def one(number: int, day: int, *, days: int | None = None, until: int | None = None,
            state: PurchaseState = PurchaseState.PAID) -> Purchase:  # fmt: skip
        end = None if until is None else NOON + until * A_DAY
        at = NOON + day * A_DAY
        return Purchase(number, "stars", "", 1, "", state, at, plan="pro", days=days, until=end)

    def until(*purchases: Purchase) -> int | None:
        claim = claim_on("pro", purchases)
        assert claim is not None
        return None if claim.until is None else (claim.until - NOON).days

    month, later = one(1, 0, days=30), one(2, 10, days=30)
    assert until(later, month) == 60
    assert until(month, one(2, 40, days=30)) == 70
    assert until(one(1, 0, until=30), later) == 60
    assert until(one(1, 0, until=90), month) == 120
    assert until(month, one(2, 5)) is None
    assert until(month, one(2, 5, state=PurchaseState.REFUNDED)) == 30
    assert until(month, one(2, 5, until=6, state=PurchaseState.ENDED)) == 30
    assert claim_on("supporter", [month]) is None


async def test_a_refund_is_ordered_once_and_due_until_it_is_done(store: Store) -> None:
    till, ada, ben = shop(store), await a_person(store, 0), await a_person(store, 0)
    stars = (await till.bought(ada.id, PACK, "stars", "c1", NOON)).purchase
    sku = (await till.bought(ada.id, PACK, "discord", "c2", NOON)).purchase
    for why in ("a cat", "two cats"):
        await till.ask_back(stars.id, why)
    asked = await till.purchase(stars.id)
    assert asked is not None
    assert asked.asked == "a cat"
    for whose, number, words in (
        (ben.id, stars.id, "no such payment"),
        (ada.id, 999, "no such payment"),
        (ada.id, sku.id, "can't go back"),
    ):
        with pytest.raises(UserError, match=words):
            await do(store, Refund(account_id=whose, purchase_id=number))
    assert await till.refunds_due("stars") == []
    for _ in range(2):
        await do(store, Refund(account_id=ada.id, purchase_id=stars.id, reason="a cat"))
    assert [one.charge for one in await till.refunds_due("stars")] == ["c1"]
    await till.refunded("stars", "c1", NOON)
    await till.order_refund(stars.id)
    assert await till.refunds_due("stars") == []
    with pytest.raises(UserError, match="did already"):
        await do(store, Refund(account_id=ada.id, purchase_id=stars.id), "again")
    assert [row.act for row in await store.moderation.rows(9)] == ["refund"]
    assert await faults(store) == []
