"""The contract of accounts, on every database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from core.job import Claim, Identity, Wallet
from core.moderation import SetPlan
from storage.store import Store
from tests.storage.samples import NOON, a_grant, a_person, do
from tests.storage.steps import finish, run


async def test_an_identity_has_one_account_however_often_and_at_once_it_comes(
    store: Store,
) -> None:
    came = await asyncio.gather(
        *(store.accounts.account(Identity("discord", "81"), f"Ada {n}") for n in range(20))
    )
    assert len(set(came)) == 1
    assert await store.accounts.account(Identity("telegram", "81"), "Ada") not in came
    assert await store.accounts.account_by_id(came[0].id) == came[0]
    assert await store.accounts.account_by_id(10**9) is None


async def test_a_grant_is_given_once_however_often_and_at_once_it_is_due(store: Store) -> None:
    account = await store.accounts.account(Identity("web", "owner"), "Ada")
    due = [a_grant(100, "2026-11-22"), a_grant(500, "2026-11")]
    wallets = await asyncio.gather(*(store.accounts.renew(account.id, due) for _ in range(20)))
    assert set(wallets) == {Wallet(600, 0)}
    await finish(store, await run(store, account, 30))
    assert await store.accounts.renew(account.id, due) == Wallet(570, 0)
    next_day = [a_grant(100, "2026-11-23"), a_grant(500, "2026-11")]
    assert await store.accounts.renew(account.id, next_day) == Wallet(670, 0)
    with pytest.raises(LookupError):
        await store.accounts.renew(10**9, due)


async def test_a_plan_is_kept_with_its_end(store: Store) -> None:
    account = await a_person(store)
    assert account.claims == ()
    await do(store, SetPlan(account_id=account.id, plan="pro", until=NOON))
    known = await store.accounts.account_by_id(account.id)
    assert known == replace(account, claims=(Claim("moderator", "pro", NOON),))
    await do(store, SetPlan(account_id=account.id, plan="free"))
    assert await store.accounts.account_by_id(account.id) == account


async def test_claims_of_a_source_take_the_place_of_those_before(store: Store) -> None:
    """Twenty say so at once; a server's roles leave another's alone."""
    ada, ben = await a_person(store), await a_person(store)
    role, other, bought = (
        Claim("role:discord:81/5", "pro"),
        Claim("role:discord:810/5", "supporter"),
        Claim("purchase:pro", "pro", NOON),
    )
    for one in (other, bought):
        await store.accounts.set_claims(ada.id, one.source, [one])
    said = [store.accounts.set_claims(ada.id, "role:discord:81/", [role]) for _ in range(20)]
    await asyncio.gather(*said)
    known = await store.accounts.account_by_id(ada.id)
    assert known == replace(ada, claims=(bought, role, other))
    await store.accounts.set_claims(ada.id, "role:discord:810/", [])
    known = await store.accounts.account_by_id(ada.id)
    assert known == replace(ada, claims=(bought, role))
    assert await store.accounts.account_by_id(ben.id) == ben
    with pytest.raises(LookupError):
        await store.accounts.set_claims(10**9, "moderator", [])


async def test_the_ledger_reads_newest_first_and_in_utc(store: Store) -> None:
    account = await a_person(store, 100)
    job = await run(store, account, 30)
    await finish(store, job)
    newest = await store.accounts.entries(account.id, 2)
    assert [(e.kind, e.available_change, e.held_change) for e in newest] == [
        ("capture", 0, -30),
        ("hold", -30, 30),
    ]
    assert newest[0].created_at == NOON
    assert newest[0].created_at.utcoffset() == timedelta(0)


async def test_a_ping_can_be_declined(store: Store) -> None:
    account = await a_person(store)
    assert account.ping
    await store.accounts.set_ping(account.id, False)
    known = await store.accounts.account_by_id(account.id)
    assert known == replace(account, ping=False)


async def test_somebody_is_found_by_what_others_call_them_now(store: Store) -> None:
    ada, ben = Identity("telegram", "1"), Identity("telegram", "2")
    for identity in (ada, ben):
        await store.accounts.account(identity, "Somebody")
    await store.accounts.known_as(ada, "Queen")
    assert await store.accounts.called("telegram", "qUEEN") == ada
    assert await store.accounts.called("discord", "queen") is None
    await store.accounts.known_as(ben, "queen")
    assert await store.accounts.called("telegram", "queen") == ben
    await store.accounts.known_as(ada, "ada")
    await store.accounts.known_as(ada, "queen")
    assert await store.accounts.called("telegram", "queen") == ada
    assert await store.accounts.called("telegram", "ada") is None
