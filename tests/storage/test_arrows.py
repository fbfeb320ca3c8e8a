"""The contract of the arrows between the states of a job, on every database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.job import Job, State, Wallet
from storage.store import Store
from tests.storage.samples import KEEP, NOON, a_clip, a_person
from tests.storage.steps import deliveries, fail, finish, kinds, queue, run, stop

Ending = Callable[[Store, Job], Awaitable[Job | None]]


async def test_what_is_unfinished_is_told_as_it_was_at_one_moment(store: Store) -> None:
    account = await a_person(store, 100)
    first, second, third = [await queue(store, account, 10) for _ in range(3)]
    assert await store.jobs.cancel((await queue(store, account, 10)).id, NOON)

    async def claimed() -> None:
        for job in (second, third):
            await store.jobs.claim(job.id, NOON)

    claiming = asyncio.create_task(claimed())
    while not claiming.done():
        seen = await store.jobs.unfinished()
        assert {job.id for job in seen} == {first.id, second.id, third.id}
    seen = await store.jobs.unfinished()
    assert [job.id for job in seen] == [second.id, third.id, first.id]


async def test_a_job_runs_to_its_clip(store: Store, tmp_path: Path) -> None:
    account = await a_person(store, 100)
    job = await queue(store, account, 10)
    running = await store.jobs.claim(job.id, NOON)
    assert running == replace(job, state=State.RUNNING, attempt=1, started_at=NOON)
    assert await store.jobs.running() == [running]
    assert await store.jobs.queued() == []
    assert await store.jobs.unfinished() == [running]
    assert await store.jobs.progress(job.id, 1, "rendering", 3, 20)
    noted = await store.jobs.job(job.id)
    assert noted is not None
    assert (noted.stage, noted.step, noted.steps) == ("rendering", 3, 20)

    clip = a_clip(tmp_path / "data" / "clips")
    ended = await store.jobs.finish(job.id, 1, clip, 2.5, NOON)
    assert ended == await store.jobs.job(job.id)
    assert ended is not None
    assert (ended.state, ended.clip, ended.run_seconds) == (State.SUCCEEDED, clip, 2.5)
    assert await store.accounts.wallet(account.id) == Wallet(90, 0)
    assert await kinds(store, account, job) == ["hold", "capture"]
    assert await deliveries(store) == [job.id]


@pytest.mark.parametrize(("ending", "state"), [(fail, State.FAILED), (stop, State.CANCELLED)])
async def test_what_gives_no_clip_costs_nothing(store: Store, ending: Ending, state: State) -> None:
    account = await a_person(store, 100)
    job = await run(store, account)
    ended = await ending(store, job)
    assert ended is not None
    assert ended.state is state
    assert await store.accounts.wallet(account.id) == Wallet(100, 0)
    assert await kinds(store, account, job) == ["hold", "release"]
    assert await deliveries(store) == [job.id]


@pytest.mark.parametrize("ending", [finish, fail, stop])
async def test_who_ends_an_attempt_twice_hears_twice_how_it_ended(
    store: Store, ending: Ending
) -> None:
    account = await a_person(store, 100)
    job = await run(store, account)
    ended = await ending(store, job)
    assert ended is not None
    assert await ending(store, job) == ended
    for other in {finish, fail, stop} - {ending}:
        assert await other(store, job) is None
    assert await store.jobs.requeue(job.id, 1, lost=True) is None
    assert len(await kinds(store, account, job)) == 2
    assert await deliveries(store) == [job.id]


async def test_a_failure_says_why(store: Store) -> None:
    job = await run(store, await a_person(store))
    ended = await store.jobs.fail(job.id, 1, "Out of memory.", "ref-1", NOON)
    assert ended is not None
    assert (ended.failure, ended.reference, ended.ended_at) == ("Out of memory.", "ref-1", NOON)


async def test_a_queued_job_is_cancelled_and_refunded(store: Store) -> None:
    account = await a_person(store, 100)
    job = await queue(store, account)
    ended = await store.jobs.cancel(job.id, NOON)
    assert ended is not None
    assert ended.state is State.CANCELLED
    assert await store.jobs.cancel(job.id, NOON) is None
    assert await store.jobs.claim(job.id, NOON) is None
    assert await store.accounts.wallet(account.id) == Wallet(100, 0)
    assert await kinds(store, account, job) == ["hold", "release"]
    assert await deliveries(store) == [job.id]


async def test_a_running_job_is_only_asked_to_stop(store: Store) -> None:
    account = await a_person(store, 100)
    job = await run(store, account)
    marked = await store.jobs.cancel(job.id, NOON)
    assert marked == replace(job, cancel_requested=True)
    assert await store.accounts.wallet(account.id) == Wallet(90, 10)
    assert await deliveries(store) == []


@pytest.mark.parametrize(("lost", "losses"), [(True, 1), (False, 0)])
async def test_a_job_goes_back_into_the_queue(store: Store, lost: bool, losses: int) -> None:
    account = await a_person(store, 100)
    job = await run(store, account)
    await store.jobs.progress(job.id, 1, "rendering", 3, 20)
    back = await store.jobs.requeue(job.id, 1, lost=lost)
    assert back == replace(job, state=State.QUEUED, losses=losses, started_at=None)
    assert await store.jobs.requeue(job.id, 1, lost=lost) == back
    second = await store.jobs.claim(job.id, NOON)
    assert second is not None
    assert second.attempt == 2
    assert await store.accounts.wallet(account.id) == Wallet(90, 10)


async def test_a_job_that_nobody_wants_does_not_go_back(store: Store) -> None:
    account = await a_person(store, 100)
    job = await run(store, account)
    await store.jobs.cancel(job.id, NOON)
    ended = await store.jobs.requeue(job.id, 1, lost=True)
    assert ended is not None
    assert (ended.state, ended.ended_at) == (State.CANCELLED, NOON)
    assert await store.accounts.wallet(account.id) == Wallet(100, 0)
    assert await deliveries(store) == [job.id]


async def test_a_clip_that_nobody_wants_any_more_costs_nothing(store: Store) -> None:
    account = await a_person(store, 100)
    job = await run(store, account)
    await store.jobs.cancel(job.id, NOON)
    ended = await finish(store, job)
    assert ended is not None
    assert ended == await store.jobs.job(job.id)
    assert (ended.state, ended.clip, ended.ended_at) == (State.CANCELLED, None, NOON)
    assert await store.jobs.expired(NOON + 2 * KEEP) == []
    assert await store.accounts.wallet(account.id) == Wallet(100, 0)
    assert await kinds(store, account, job) == ["hold", "release"]
    assert await deliveries(store) == [job.id]


async def test_a_zombie_changes_nothing(store: Store) -> None:
    account = await a_person(store, 100)
    zombie = await run(store, account)
    await store.jobs.requeue(zombie.id, 1, lost=True)
    current = await store.jobs.claim(zombie.id, NOON)
    assert current is not None
    for ending in (finish, fail, stop):
        assert await ending(store, zombie) is None
    assert await store.jobs.requeue(zombie.id, 1, lost=True) is None
    assert not await store.jobs.progress(zombie.id, 1, "rendering", 9, 20)
    assert await store.jobs.job(zombie.id) == current
    assert await store.accounts.wallet(account.id) == Wallet(90, 10)
    assert await deliveries(store) == []


async def test_of_all_who_end_a_job_at_once_one_does(store: Store) -> None:
    account = await a_person(store, 100)
    job = await run(store, account)
    endings = [finish, fail, stop] * 5
    ended = await asyncio.gather(*(ending(store, job) for ending in endings))
    won = {which % 3 for which, one in enumerate(ended) if one is not None}
    assert len(won) == 1
    kept = await store.jobs.job(job.id)
    assert [one for one in ended if one is not None] == [kept] * 5
    assert len(await kinds(store, account, job)) == 2
    assert await deliveries(store) == [job.id]


async def test_of_all_who_claim_a_job_at_once_one_gets_it(store: Store) -> None:
    job = await queue(store, await a_person(store))
    claims = await asyncio.gather(*(store.jobs.claim(job.id, NOON) for _ in range(20)))
    assert len([one for one in claims if one is not None]) == 1


async def test_cancelling_races_with_claiming_and_money_comes_out_right(store: Store) -> None:
    account = await a_person(store, 1000)
    jobs = [await queue(store, account) for _ in range(10)]
    await asyncio.gather(
        *(store.jobs.claim(job.id, NOON) for job in jobs),
        *(store.jobs.cancel(job.id, NOON) for job in jobs),
    )
    states: Counter[State] = Counter()
    for job in jobs:
        now = await store.jobs.job(job.id)
        assert now is not None
        assert now.state is State.CANCELLED or now.cancel_requested
        states[now.state] += 1
    held = 10 * states[State.RUNNING]
    assert await store.accounts.wallet(account.id) == Wallet(1000 - held, held)
