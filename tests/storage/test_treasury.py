"""Credits of a server that members spend first; what is held on two accounts is settled on both."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.errors import NotEnoughCredits
from core.job import Account, Identity, Job, State, Wallet
from core.moderation import SetPolicy
from core.treasury import Policy, Share, Treasury
from storage.store import Store
from tests.storage.books import faults
from tests.storage.samples import NOON, a_clip, a_grant, a_job, a_person, do

SERVER = "discord:81"
MIDNIGHT = NOON.replace(hour=0)


async def a_treasury(store: Store, credits: int) -> Account:
    account = await store.accounts.account(Identity("discord:server", "81"), "The club")
    await store.accounts.renew(account.id, [a_grant(credits)])
    return account


async def ask(store: Store, account: Account, credits: int, share: Share) -> Job:
    return await store.jobs.submit(a_job(account, credits), None, "print", share)


async def funds(store: Store, *accounts: Account) -> list[Wallet]:
    return [await store.accounts.wallet(account.id) for account in accounts]


async def test_a_treasury_is_kept_with_its_policy(store: Store) -> None:
    club = await a_treasury(store, 10)
    assert await store.accounts.treasury(SERVER) is None
    for policy in (Policy(), Policy(50, (1, 2), ("pocket",), ("92",), 5.0, "480p", (18, 2))):
        await do(store, SetPolicy(server=SERVER, policy=policy))
        assert await store.accounts.treasury(SERVER) == Treasury(club.id, policy)


async def test_the_share_is_spent_first_and_both_get_back_what_was_not_used(store: Store) -> None:
    club, ada = await a_treasury(store, 10), await a_person(store, 20)
    share = Share(club.id, None, MIDNIGHT)
    job = await ask(store, ada, 15, share)
    assert await funds(store, club, ada) == [Wallet(0, 10), Wallet(15, 5)]
    await store.jobs.cancel(job.id, NOON)
    assert await funds(store, club, ada) == [Wallet(10, 0), Wallet(20, 0)]
    job = await ask(store, ada, 15, share)
    await store.jobs.claim(job.id, NOON)
    await store.jobs.progress(job.id, 1, "rendering", 4, 5)
    stopped = await store.jobs.stopped(job.id, 1, NOON)
    assert stopped is not None
    assert (stopped.state, stopped.charged) == (State.CANCELLED, 12)
    assert await funds(store, club, ada) == [Wallet(0, 0), Wallet(18, 0)]
    assert await faults(store) == []


async def test_a_member_takes_no_more_of_it_than_a_day_allows(store: Store) -> None:
    club, ada, ben = (
        await a_treasury(store, 100),
        await a_person(store, 40),
        await a_person(store, 0),
    )
    share = Share(club.id, 30, MIDNIGHT)
    jobs = await asyncio.gather(*(ask(store, ada, 10, share) for _ in range(5)))
    assert await funds(store, club, ada) == [Wallet(70, 30), Wallet(20, 20)]
    assert await store.accounts.spendable(ada.id, share) == 0
    assert await store.accounts.spendable(ben.id, share) == 30
    with pytest.raises(NotEnoughCredits) as refused:
        await ask(store, ben, 31, share)
    assert refused.value.available == 30
    for job in jobs:
        await store.jobs.cancel(job.id, NOON)
    assert await store.accounts.spendable(ada.id, share) == 30
    await ask(store, ada, 30, share)
    tomorrow = Share(club.id, 30, MIDNIGHT + timedelta(days=1))
    assert await store.accounts.spendable(ada.id, tomorrow) == 30
    assert await faults(store) == []


async def test_members_and_their_treasury_do_not_wait_for_each_other_for_ever(store: Store) -> None:
    ada, club, ben = (
        await a_person(store, 500),
        await a_treasury(store, 50),
        await a_person(store, 500),
    )
    share = Share(club.id, None, MIDNIGHT)

    async def work(account: Account) -> None:
        for _ in range(8):
            job = await ask(store, account, 10, share)
            claimed = await store.jobs.claim(job.id, NOON)
            assert claimed is not None
            await store.jobs.finish(job.id, claimed.attempt, a_clip(), 1.0, NOON)

    await asyncio.gather(work(ada), work(ben), work(ada), work(ben))
    left = await funds(store, ada, club, ben)
    assert sum(wallet.available for wallet in left) == 1050 - 320
    assert left[1] == Wallet(0, 0)
    assert await faults(store) == []
