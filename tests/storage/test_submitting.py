"""The contract of submitting jobs, on every database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.errors import NotEnoughCredits, WrongState
from core.job import Wallet
from storage.store import Store
from tests.storage.samples import a_job, a_person, a_request
from tests.storage.steps import kinds, queue


async def test_a_job_comes_back_as_it_was_given(store: Store) -> None:
    account = await a_person(store)
    zoned = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    job = a_job(account, created_at=zoned, parent="abc", request=a_request(picture="pic"))
    assert await store.jobs.submit(job, "key", "print") == job
    kept = await store.jobs.job(job.id)
    assert kept == job
    assert kept is not None
    assert kept.request.notes == job.request.notes
    assert kept.created_at.tzinfo is UTC
    assert await store.jobs.job("nothing") is None


async def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    account = await a_person(store)
    with pytest.raises(Exception, match="without a zone"):
        await queue(store, account, created_at=datetime(2026, 1, 1))
    assert await store.accounts.wallet(account.id) == Wallet(100, 0)


async def test_five_holds_at_once_of_the_whole_balance_let_one_through(store: Store) -> None:
    account = await a_person(store, 10)
    came = await asyncio.gather(
        *(queue(store, account, 10) for _ in range(5)), return_exceptions=True
    )
    refused = [error for error in came if isinstance(error, NotEnoughCredits)]
    assert len(refused) == 4
    assert {(error.needed, error.available) for error in refused} == {(10, 0)}
    assert await store.accounts.wallet(account.id) == Wallet(0, 10)
    assert len(await store.jobs.queued()) == 1


async def test_who_cannot_pay_leaves_nothing_behind(store: Store) -> None:
    account = await a_person(store, 5)
    job = a_job(account, 6)
    with pytest.raises(NotEnoughCredits):
        await store.jobs.submit(job, "key", "print")
    assert await store.jobs.job(job.id) is None
    assert await store.jobs.repeated(account.id, "key", "print") is None
    assert await kinds(store, account, job) == []


async def test_the_same_key_a_hundred_times_at_once_makes_one_job(store: Store) -> None:
    account = await a_person(store, 100)
    made = await asyncio.gather(
        *(store.jobs.submit(a_job(account, 10), "key", "print") for _ in range(100))
    )
    assert len({job.id for job in made}) == 1
    assert await store.accounts.wallet(account.id) == Wallet(90, 10)
    assert await store.jobs.repeated(account.id, "key", "print") == made[0]


async def test_a_key_belongs_to_one_request_and_one_account(store: Store) -> None:
    account, other = await a_person(store), await a_person(store)
    await store.jobs.submit(a_job(account), "key", "print")
    with pytest.raises(WrongState, match="Idempotency-Key"):
        await store.jobs.submit(a_job(account), "key", "another print")
    with pytest.raises(WrongState, match="Idempotency-Key"):
        await store.jobs.repeated(account.id, "key", "another print")
    assert await store.jobs.repeated(other.id, "key", "print") is None
    job = a_job(other)
    assert await store.jobs.submit(job, "key", "another print") == job


async def test_jobs_without_a_key_are_all_new(store: Store) -> None:
    account = await a_person(store)
    made = [await queue(store, account) for _ in range(3)]
    assert [job.id for job in await store.jobs.queued()] == [job.id for job in made]


async def test_a_job_that_is_submitted_twice_is_one(store: Store) -> None:
    account = await a_person(store)
    await queue(store, account)
    job = a_job(account)
    assert await store.jobs.submit(job, None, "print") == job
    assert await store.jobs.submit(job, None, "print") == job
    assert await store.accounts.wallet(account.id) == Wallet(80, 20)


async def test_a_submit_that_is_given_up_halfway_is_whole_or_nothing(store: Store) -> None:
    account = await a_person(store, 1000)

    async def give_up(turns: int) -> None:
        task = asyncio.create_task(queue(store, account, 10))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await asyncio.gather(*(give_up(turns) for turns in range(40)))
    held = 10 * len(await store.jobs.queued())
    assert await store.accounts.wallet(account.id) == Wallet(1000 - held, held)
    await queue(store, account, 10)
