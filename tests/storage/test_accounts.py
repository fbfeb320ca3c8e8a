"""The contract of accounts, on every database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

from core.job import Identity, Wallet
from storage.store import Store
from tests.storage.samples import NOON, a_person
from tests.storage.steps import finish, queue, run


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


async def test_a_day_is_granted_once_and_fills_up_to_the_floor(store: Store) -> None:
    account = await store.accounts.account(Identity("web", "owner"), "Ada")
    today = date(2026, 11, 22)
    wallets = await asyncio.gather(
        *(store.accounts.top_up(account.id, today, 100) for _ in range(20))
    )
    assert set(wallets) == {Wallet(100, 0)}
    await finish(store, await run(store, account, 30))
    assert await store.accounts.top_up(account.id, today, 100) == Wallet(70, 0)
    assert await store.accounts.top_up(account.id, date(2026, 11, 23), 100) == Wallet(100, 0)


async def test_holding_credits_over_midnight_makes_no_more_of_them(store: Store) -> None:
    account = await a_person(store, 40)
    for days in (1, 2, 3):
        job = await queue(store, account, 40)
        day = NOON.date() + timedelta(days=days)
        assert await store.accounts.top_up(account.id, day, 40) == Wallet(0, 40)
        await store.jobs.cancel(job.id, NOON)
        assert await store.accounts.wallet(account.id) == Wallet(40, 0)


async def test_a_day_that_had_nothing_to_fill_is_used_up_too(store: Store) -> None:
    account = await a_person(store, 100)
    tomorrow = NOON.date() + timedelta(days=1)
    await store.accounts.top_up(account.id, tomorrow, 100)
    await queue(store, account, 60)
    assert await store.accounts.top_up(account.id, tomorrow, 100) == Wallet(40, 60)
    assert [e.kind for e in await store.accounts.entries(account.id, 9)] == ["hold", "grant"]


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
