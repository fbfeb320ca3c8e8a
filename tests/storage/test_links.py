"""Accounts that are joined and parted: nothing is lost, nothing is made, in any order."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core import moderation as acts
from core.codes import WRONG_MOST
from core.errors import (
    BadPrompt,
    NotEnoughCredits,
    NotFound,
    Refused,
    TooMany,
    Unreachable,
    WrongState,
)
from core.job import Account, Claim, Identity, State, Wallet
from core.links import CODE_LIFETIME, Links
from core.moderation import Outcome, person
from core.plans import Plans
from core.purchases import Sale
from core.restraints import Kind, Restraint
from core.safety.verdict import Clause
from core.treasury import Policy, Share
from core.wares import Ware
from storage.links import AWAY, FOLLOWS, STAYS
from storage.store import Store
from storage.tables import Table
from tests.storage.books import faults
from tests.storage.machines import EXAMPLES, play
from tests.storage.persons_machine import Persons
from tests.storage.samples import NOON, SetClock, a_clip, a_grant, a_job, do
from tests.storage.steps import fail, finish, queue, run

SERVER = "discord:81"


async def somebody(store: Store, platform: str, subject: str = "1", credits: int = 100) -> Account:
    account = await store.accounts.account(Identity(platform, subject), f"Ada on {platform}")
    if credits:
        await store.accounts.renew(account.id, [a_grant(credits, "2026-11-22")])
    return account


async def join(store: Store, one: Account, other: Account, **said: Any) -> Outcome:
    gone, into = sorted((one.id, other.id), reverse=True)
    key = f"{gone} into {into}"
    return await do(store, acts.Merge(account_id=gone, into=into), key, **said)


async def leave(store: Store, account: Account, identity: Identity, key: str = "leave") -> Account:
    act = acts.Unlink(account_id=account.id, platform=identity.platform, subject=identity.subject)
    made = (await do(store, act, key)).account_id
    found = await store.accounts.account_by_id(made)
    assert found is not None
    return found


def test_every_column_that_names_an_account_is_thought_of() -> None:
    naming = {
        column
        for table in Table.metadata.tables.values()
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == "account"
    }
    assert naming == {*FOLLOWS, *STAYS}


async def test_all_that_both_had_is_one_account_s(store: Store) -> None:
    ada, tele = await somebody(store, "discord"), await somebody(store, "telegram", credits=50)
    mine, theirs = await queue(store, ada, 10), await run(store, tele, 20)
    waits, done = await queue(store, tele, 5), await run(store, tele, 7)
    await finish(store, done)
    await store.credentials.add("session", "s", tele.id, "browser", None)
    dry = await join(store, ada, tele, dry=True)
    assert await store.accounts.wallet(tele.id) == Wallet(18, 25)
    outcome = await join(store, ada, tele)
    assert (outcome.credits, outcome.left, outcome.account_id) == (18, 108, ada.id)
    assert (dry.credits, dry.left) == (outcome.credits, outcome.left)
    assert await join(store, ada, tele) == outcome
    assert await store.accounts.wallet(ada.id) == Wallet(108, 35)
    assert await store.accounts.wallet(tele.id) == Wallet(0, 0)
    history = [job.id for job in await store.jobs.history(ada.id, 9)]
    assert history == [done.id, waits.id, theirs.id, mine.id]
    assert len(await store.accounts.entries(ada.id, 99)) == 2 + 4 + 1
    known = await store.accounts.account(Identity("telegram", "1"), "x")
    signed_in = await store.credentials.account_for("session", "s", NOON)
    assert known == signed_in == await store.accounts.account_by_id(tele.id)
    assert known.id == ada.id
    await fail(store, theirs)
    await store.jobs.cancel(waits.id, NOON)
    deliveries = await store.outbox.lease(NOON, 60, 9)
    for delivery in deliveries:
        await store.outbox.kept(delivery, NOON)
    assert await store.accounts.wallet(ada.id) == Wallet(140, 10)
    assert await faults(store) == []
    with pytest.raises(WrongState, match="one account already"):
        await do(store, acts.Merge(account_id=ada.id, into=ada.id), "itself")


async def test_who_holds_an_account_that_is_gone_gets_nothing_there(
    store: Store, clock: SetClock
) -> None:
    """Asked for before they were joined, and done after."""
    ada, tele = await somebody(store, "discord"), await somebody(store, "telegram")
    mine = await queue(store, tele, 5)
    await join(store, ada, tele)
    for state in (State.QUEUED, State.QUOTED):
        with pytest.raises(WrongState, match="ask once more"):
            await store.jobs.submit(a_job(tele, 0, state=state), None, "print")
    assert (await store.jobs.submit(mine, None, "print")).account_id == ada.id
    with pytest.raises(WrongState, match="ask once more"):
        await store.accounts.renew(tele.id, [a_grant(100, "2026-11-23")])
    late = acts.Ban(account_id=tele.id, reason="spam")
    await do(store, late)
    assert [one.whom for one in await store.moderation.restraints([ada.id], NOON)] == [
        person(ada.id)
    ]
    rows = await store.moderation.rows(9, whom=person(ada.id))
    assert [(row.act, row.whom) for row in rows] == [
        ("merge", person(tele.id)), ("ban", person(tele.id)),
    ]  # fmt: skip
    assert await faults(store) == []


async def test_a_day_s_credits_come_once_however_often_they_join_and_part(
    store: Store, clock: SetClock
) -> None:
    ada = await somebody(store, "discord", credits=0)
    tele = await somebody(store, "telegram")
    await join(store, ada, tele)
    today = [a_grant(100, "2026-11-22")]
    assert await store.accounts.renew(ada.id, today) == Wallet(100, 0)
    for number in range(3):
        own = await leave(store, ada, Identity("telegram", "1"), f"leave {number}")
        assert await store.accounts.renew(own.id, today) == Wallet(0, 0)
        tomorrow = [a_grant(100, f"2026-12-0{number}")]
        assert await store.accounts.renew(own.id, tomorrow) == Wallet(100, 0)
        await join(store, ada, own)
        expected = Wallet(200 + 100 * number, 0)
        assert await store.accounts.renew(ada.id, tomorrow) == expected
    assert await faults(store) == []
    with pytest.raises(WrongState, match="no other name"):
        await leave(store, await somebody(store, "web", credits=0), Identity("web", "1"))
    with pytest.raises(NotFound):
        await leave(store, ada, Identity("telegram", "2"), "not theirs")


async def test_what_moderators_laid_on_either_lies_on_both_and_stays(store: Store) -> None:
    ada, tele = await somebody(store, "discord"), await somebody(store, "telegram")
    soon, later = NOON + timedelta(days=1), NOON + timedelta(days=9)
    for act in (
        acts.Ban(account_id=ada.id, reason="mild", until=soon),
        acts.Ban(account_id=tele.id, reason="hard", until=later),
        acts.SetQuota(server=SERVER, account_id=ada.id, credits=5),
        acts.SetQuota(server=SERVER, account_id=tele.id, credits=9),
        acts.Pause(server=SERVER, account_id=tele.id),
    ):
        await do(store, act)
    await join(store, ada, tele)

    async def held(account: Account) -> list[Restraint]:
        found = await store.moderation.restraints([account.id], NOON)
        return sorted(found, key=lambda one: one.kind)

    def expected(account: Account) -> list[Restraint]:
        whom = person(account.id)
        return [
            Restraint(Kind.BAN, "", whom, "hard", later),
            Restraint(Kind.PAUSE, SERVER, whom),
            Restraint(Kind.QUOTA, SERVER, whom, credits=5),
        ]

    assert await held(ada) == expected(ada)
    own = await leave(store, ada, Identity("discord", "1"))
    assert (await held(ada), await held(own)) == (expected(ada), expected(own))
    assert "ban" in [row.act for row in await store.moderation.rows(9, whom=person(own.id))]


async def test_leaving_forgets_nothing_of_what_was_spent_that_day(
    store: Store, clock: SetClock
) -> None:
    fill = acts.Fill(server=SERVER, credits=100)
    await do(store, fill)
    await do(store, acts.SetPolicy(server=SERVER, policy=Policy(daily=30, members=(1, 2, 3))))
    treasury = await store.accounts.treasury(SERVER)
    assert treasury is not None
    share = Share(treasury.account_id, 30, NOON - timedelta(hours=12))
    ada, tele = await somebody(store, "discord"), await somebody(store, "telegram")
    job = a_job(tele, 30, place=f"{SERVER}/1/1")
    await store.jobs.submit(job, None, "print", share)
    await join(store, ada, tele)
    assert await store.accounts.spendable(ada.id, share) == 0
    own = await leave(store, ada, Identity("telegram", "1"))
    for account in (ada, own):
        assert await store.accounts.spendable(account.id, share) == 0
        assert await store.moderation.spent(account.id, SERVER, share.since) == 30
    later = a_job(ada, 10, place=f"{SERVER}/1/1", created_at=clock.forward(hours=1))
    await store.jobs.submit(later, None, "print")
    assert await store.moderation.spent(own.id, SERVER, share.since) == 30
    members = await store.accounts.treasury(SERVER)
    assert members is not None
    assert tele.id not in members.policy.members
    with pytest.raises(WrongState, match="treasury"):
        await join(store, ada, Account(treasury.account_id, "the server"))


async def test_what_both_have_and_one_may_have_once_is_kept_once(store: Store) -> None:
    ada, tele = await somebody(store, "discord"), await somebody(store, "telegram")
    for account, prompt in ((ada, "x"), (tele, "y")):
        await store.jobs.submit(a_job(account, 1), "key", prompt)
    other = await queue(store, await somebody(store, "web"), 1)
    for account in (ada, tele):
        assert await store.places.report(other.id, account.id, "web:page", NOON)
    await store.credentials.add("code", "of ada", ada.id, "x", None)
    await join(store, ada, tele)
    assert len(await store.jobs.history(ada.id, 9)) == 2
    assert await store.jobs.repeated(ada.id, "key", "x") is not None
    with pytest.raises(WrongState, match="Idempotency-Key"):
        await store.jobs.repeated(ada.id, "key", "y")
    assert not await store.places.report(other.id, ada.id, "web:page", NOON)
    assert await store.credentials.account_for("code", "of ada", NOON) is None


async def test_what_was_paid_for_adds_up_and_the_best_plan_holds(store: Store) -> None:
    ada, tele = await somebody(store, "discord"), await somebody(store, "telegram")
    ware, plans = Ware("month", "A month", credits=5, plan="pro", days=30), Plans()
    for number, account in enumerate((ada, tele)):
        sale = Sale(account.id, ware, "stars", str(number), NOON + timedelta(hours=number))
        await store.payments.bought(sale)
    for account, plan in ((ada, "supporter"), (tele, "pro")):
        await do(store, acts.SetPlan(account_id=account.id, plan=plan))
    await store.accounts.set_claims(
        tele.id, "role:telegram:5/", [Claim("role:telegram:5/6", "supporter")]
    )
    await join(store, ada, tele)
    joined = await store.accounts.account_by_id(ada.id)
    assert joined is not None
    assert plans.of(joined, NOON).name == "pro"
    assert Claim("purchase:pro", "pro", NOON + timedelta(days=60)) in joined.claims
    assert await store.accounts.wallet(ada.id) == Wallet(210, 0)
    late = Sale(tele.id, ware, "stars", "2", NOON + timedelta(hours=2))
    assert (await store.payments.bought(late)).purchase.account_id == ada.id
    await do(store, acts.SetPlan(account_id=ada.id, plan="free"))
    own = await leave(store, ada, Identity("telegram", "1"))
    assert own.claims == (Claim("role:telegram:5/6", "supporter"),)
    left = await store.accounts.account_by_id(ada.id)
    assert left is not None
    assert left.claims == (Claim("purchase:pro", "pro", NOON + timedelta(days=90)),)
    assert (
        await store.payments.refunded("stars", "1", NOON + timedelta(days=1), lambda *_: ())
    ).taken == 5
    made = acts.MakeVoucher(name="KV-1", digest="of it", credits=9, uses=9)
    await do(store, made)
    await store.vouchers.redeem(ada.id, "of it", "first")
    for account in (own, tele):
        with pytest.raises(WrongState, match="already"):
            await store.vouchers.redeem(account.id, "of it", "second")
    assert await faults(store) == []


async def test_a_code_joins_once_and_people_who_parted_wait(store: Store, clock: SetClock) -> None:
    ada, tele = await somebody(store, "discord"), await somebody(store, "telegram")
    ben = await somebody(store, "web")

    async def typed(one: Account, other: Account) -> Outcome:
        gone, into = sorted((one.id, other.id), reverse=True)
        proof = hashlib.sha256(b"of ada").hexdigest()
        act = acts.Merge(account_id=gone, into=into, proof=proof)
        return await do(store, act, f"{one.id}/{clock()}")

    await store.credentials.add("code", "of ada", ada.id, "x", None)
    twice = await asyncio.gather(typed(tele, ada), typed(ben, ada), return_exceptions=True)
    assert sorted(type(one).__name__ for one in twice) == ["Outcome", "WrongState"]
    joined = Identity("telegram" if isinstance(twice[0], Outcome) else "web", "1")
    own = await leave(store, ada, joined)
    await store.credentials.add("code", "of ada", ada.id, "x", None)
    third = await somebody(store, "web" if joined.platform == "telegram" else "telegram", "2")
    for one in (own, third):  # nor does a new account with its free credits come for who left
        with pytest.raises(Refused, match="lately"):
            await typed(one, ada)
    clock.forward(seconds=AWAY.total_seconds())
    assert (await typed(own, ada)).account_id == ada.id
    again = await somebody(store, "discord", "2")
    await store.credentials.add("code", "of ada", ada.id, "x", None)
    with pytest.raises(Refused, match="Discord already"):
        await typed(again, ada)
    assert await faults(store) == []


async def test_leaving_signs_browsers_out_and_takes_its_own_keys(store: Store) -> None:
    ada, page = await somebody(store, "discord"), await somebody(store, "web", "ada")
    for kind, secret, name in (
        ("session", "s", "browser"), ("key", "k", "ada"), ("key", "other", "ben"),
    ):  # fmt: skip
        await store.credentials.add(kind, secret, page.id, name, None)
    await join(store, ada, page)
    own = await leave(store, ada, Identity("web", "ada"))
    assert await store.credentials.account_for("session", "s", NOON) is None
    assert await store.credentials.account_for("key", "k", NOON) == own
    assert await store.credentials.account_for("key", "other", NOON) == ada


async def test_codes_are_few_short_lived_and_hopeless_to_guess(
    store: Store, clock: SetClock
) -> None:
    told: list[tuple[str, str]] = []

    async def tell(identity: Identity, words: str) -> None:
        told.append((identity.platform, words))
        raise Unreachable("they shut the bot out")

    ada, tele = await somebody(store, "discord"), await somebody(store, "telegram")
    links = Links(store.accounts, store.credentials, store.moderation, clock, tell)
    first = await links.code(ada)
    second = await links.code(ada)
    with pytest.raises(WrongState, match="opens nothing"):
        await links.offer(tele, first, "tele")
    clock.forward(seconds=CODE_LIFETIME.total_seconds())
    with pytest.raises(WrongState, match="opens nothing"):
        await links.join(tele, second, "tele")
    with pytest.raises(BadPrompt, match="ten letters"):
        await links.offer(tele, "x", "tele")
    good = await links.code(ada)
    assert (await links.offer(tele, good, "tele")).credits == 200
    for number in range(WRONG_MOST - 2):
        with pytest.raises(WrongState):
            await links.offer(tele, f"AAAAA-AAAA{number}", "tele")
    with pytest.raises(TooMany, match="5 codes were wrong"):
        await links.offer(tele, good, "tele")
    clock.forward(hours=1)
    joined = await links.join(tele, await links.code(ada), "tele", Identity("telegram", "1"))
    assert joined.id == ada.id
    assert [platform for platform, _ in told] == ["discord"]
    async with store.database.reading() as session:
        kept = await session.execute(Table.metadata.tables["credential"].select())
        assert kept.all() == []


@pytest.mark.timeout(0)
def test_nothing_is_made_or_lost_in_any_order(url: str, tmp_path: Path) -> None:
    play(Persons, url, tmp_path, EXAMPLES // 5, steps=30)


@pytest.mark.timeout(0)
async def test_joining_amid_a_crowd_breaks_nothing(store: Store) -> None:
    """Some hold accounts that are gone by then, and jobs that are somebody else's by then."""
    names = [Identity("web", str(number)) for number in range(6)]
    for identity in names:
        await somebody(store, "web", identity.subject, 500)
    chance = random.Random(7)
    turns = asyncio.Semaphore(40)  # more would wait for a connection until it is too long
    done = 0

    async def taking_turns(work: Coroutine[Any, Any, None]) -> None:
        async with turns:
            await work

    async def ask_and_end() -> None:
        nonlocal done
        account = await store.accounts.account(chance.choice(names), "x")
        with suppress(NotEnoughCredits, WrongState):
            job = await store.jobs.submit(a_job(account, chance.randint(0, 9)), None, "print")
            await asyncio.sleep(0)
            if chance.random() < 0.3:
                await store.jobs.cancel(job.id, NOON)
                return
            claimed = await store.jobs.claim(job.id, NOON)
            assert claimed is not None
            await store.jobs.finish(job.id, claimed.attempt, a_clip(), 1.0, NOON)
            done += 1

    async def join_and_part(number: int) -> None:
        one, other = chance.sample(names, 2)
        mine, theirs = [await store.accounts.account(name, "x") for name in (one, other)]
        gone, into = sorted((mine.id, theirs.id), reverse=True)
        with suppress(WrongState):
            await do(store, acts.Merge(account_id=gone, into=into), f"join {number}")
        account = await store.accounts.account(one, "x")
        with suppress(WrongState, NotFound):
            act = acts.Unlink(account_id=account.id, platform="web", subject=one.subject)
            await do(store, act, f"part {number}")

    async with asyncio.TaskGroup() as group:
        for number in range(25):
            group.create_task(taking_turns(join_and_part(number)))
            for _ in range(8):
                group.create_task(taking_turns(ask_and_end()))
    assert done > 50
    assert await faults(store) == []
    async with store.database.reading() as session:
        accounts = Table.metadata.tables["account"]
        merged = accounts.select().where(accounts.c.merged_into.is_not(None))
        for row in await session.execute(merged):
            assert (row.available, row.held) == (0, 0)


async def test_who_leaves_an_account_takes_its_strikes_along(store: Store) -> None:
    ada, other = await somebody(store, "discord"), await somebody(store, "telegram", "2")
    await join(store, ada, other)
    refused = a_job(ada, 0, state=State.REFUSED, clause=Clause.SEXUAL, ended_at=NOON)
    await store.jobs.submit(refused, None, "print")
    own = await leave(store, ada, Identity("telegram", "2"))
    later = a_job(ada, 0, state=State.REFUSED, clause=Clause.GORE, ended_at=NOON)
    at = NOON + timedelta(hours=1)
    await store.jobs.submit(replace(later, created_at=at, ended_at=at), None, "print")
    day = NOON - timedelta(days=1)
    assert [one.job_id for one in await store.reviews.strikes(own.id, day)] == [refused.id]
    assert len(await store.reviews.strikes(ada.id, day)) == 2
    await do(store, acts.LiftStrikes(account_id=own.id))
    assert [one.lifted for one in await store.reviews.strikes(own.id, day)] == [True]
    assert [one.lifted for one in await store.reviews.strikes(ada.id, day)] == [True, False]
