"""The contract of looking back at jobs, on every database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import WrongState
from core.eta import work
from core.job import State, Wallet
from core.ports import Measured
from storage.store import Store, open_store
from tests.storage.samples import KEEP, NOON, SetClock, a_clip, a_person, a_request
from tests.storage.steps import deliveries, fail, finish, queue, run


async def test_history_turns_its_pages(store: Store) -> None:
    account, other = await a_person(store), await a_person(store)
    jobs = [await queue(store, account, 1) for _ in range(5)]
    await queue(store, other, 1)
    newest = [job.id for job in reversed(jobs)]
    first = await store.jobs.history(account.id, 2)
    assert [job.id for job in first] == newest[:2]
    rest = await store.jobs.history(account.id, 9, before=first[-1].id)
    assert [job.id for job in rest] == newest[2:]
    assert await store.jobs.history(account.id, 9, before="nothing") == []


async def test_deleting_hides_a_job_and_forgets_its_words(store: Store) -> None:
    account = await a_person(store, 100)
    job = await queue(store, account, request=a_request(picture="pic"))
    with pytest.raises(WrongState):
        await store.jobs.delete(job.id)
    assert await store.jobs.needs_picture("pic")
    running = await store.jobs.claim(job.id, NOON)
    assert running is not None
    await finish(store, running)
    await store.jobs.delete(job.id)
    await store.jobs.delete("nothing")

    assert await store.jobs.history(account.id, 9) == []
    assert not await store.jobs.needs_picture("pic")
    gone = await store.jobs.job(job.id)
    assert gone is not None
    assert gone.deleted
    assert gone.clip is None
    assert gone.request == a_request(prompt="", negative_prompt="")
    assert gone.request.notes == ()
    assert await store.accounts.wallet(account.id) == Wallet(90, 0)


async def test_whoever_deletes_a_job_midway_lets_its_card_hear_of_it(store: Store) -> None:
    account = await a_person(store, 100)
    job = await run(store, account)
    await finish(store, job)
    (sending,) = await store.outbox.lease(NOON, 60, 9)
    await store.jobs.delete(job.id)
    await store.outbox.sent(sending)
    (again,) = await store.outbox.lease(NOON, 60, 9)
    assert (again.job_id, again.tries) == (job.id, 2)
    await store.outbox.kept(again, NOON)
    assert await store.accounts.wallet(account.id) == Wallet(90, 0)
    await store.jobs.delete(job.id)
    (once_more,) = await store.outbox.lease(NOON, 60, 9)
    await store.outbox.sent(once_more)
    assert await store.outbox.tell_kept(account.id) == ()
    assert await store.outbox.lease(NOON, 60, 9) == ()


async def test_a_last_picture_is_needed_too(store: Store) -> None:
    account = await a_person(store, 100)
    job = await queue(store, account, request=a_request(picture="one", last_picture="two"))
    assert await store.jobs.needs_picture("two")
    await store.jobs.cancel(job.id, NOON)
    await store.jobs.delete(job.id)
    assert not await store.jobs.needs_picture("two")
    forgotten = await store.jobs.job(job.id)
    assert forgotten is not None
    assert forgotten.request.pictures == ()


async def test_a_picture_is_needed_while_one_job_shows_it(store: Store) -> None:
    account = await a_person(store, 100)
    jobs = [await queue(store, account, request=a_request(picture="pic")) for _ in range(2)]
    for job, needed in zip(jobs, (True, False), strict=True):
        await store.jobs.cancel(job.id, NOON)
        await store.jobs.delete(job.id)
        assert await store.jobs.needs_picture("pic") is needed


async def test_a_clip_expires_and_its_job_stays(store: Store) -> None:
    account = await a_person(store, 100)
    job = await run(store, account)
    await finish(store, job)
    assert await store.jobs.expired(NOON + KEEP - timedelta(microseconds=1)) == []
    expired = await store.jobs.expired(NOON + KEEP)
    assert [one.id for one in expired] == [job.id]
    assert expired[0].clip == a_clip()
    await store.jobs.expire(job.id)
    assert await store.jobs.expired(NOON + KEEP) == []
    (kept,) = await store.jobs.history(account.id, 9)
    assert (kept.state, kept.clip) == (State.SUCCEEDED, None)


async def test_what_jobs_took_is_remembered(store: Store) -> None:
    account = await a_person(store, 100)
    await fail(store, await run(store, account))
    for minutes in (3, 1, 2):
        job = await run(store, account)
        at = NOON + timedelta(minutes=minutes)
        await store.jobs.finish(job.id, 1, a_clip(), float(minutes), at)
    done = work(a_request())  # 2 s of 480p
    assert await store.jobs.measured(2) == [
        Measured("parallax", done, 2.0, 0.8),
        Measured("parallax", done, 3.0, 0.8),
    ]
    before = await store.jobs.measured(9, NOON + timedelta(minutes=2))
    assert [one.seconds for one in before] == [1.0]
    used = await store.jobs.used(NOON + timedelta(minutes=2), 9)
    assert {(one.account_id, one.seconds) for one in used} == {(account.id, 2.0), (account.id, 3.0)}


async def test_everything_is_there_after_a_restart(
    url: str, tmp_path: Path, clock: SetClock
) -> None:
    async with open_store(url, tmp_path / "one", KEEP, clock) as store:
        account = await a_person(store, 100)
        job = await run(store, account)
        clip = a_clip(tmp_path / "one" / "clips")
        await store.jobs.finish(job.id, 1, clip, 2.5, NOON)
    async with open_store(url, tmp_path / "two", KEEP, clock) as store:
        (kept,) = await store.jobs.history(account.id, 9)
        assert kept.clip == a_clip(tmp_path / "two" / "clips")
        assert await store.accounts.wallet(account.id) == Wallet(90, 0)
        assert await deliveries(store) == [job.id]
