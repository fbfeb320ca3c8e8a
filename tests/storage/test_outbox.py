"""The contract of the outbox, on every database."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from core.job import State
from core.safety.verdict import Clause
from storage.store import Store
from tests.storage.books import faults
from tests.storage.samples import NOON, a_job, a_person
from tests.storage.steps import deliveries, finish, queue, run


async def test_a_delivery_is_leased_retried_and_sent(store: Store) -> None:
    account = await a_person(store, 100)
    job = await run(store, account)
    await finish(store, job)
    (first,) = await store.outbox.lease(NOON, 60, 9)
    assert (first.job_id, first.place, first.tries) == (job.id, "web:owner", 1)
    assert await store.outbox.lease(NOON + timedelta(seconds=59), 60, 9) == ()
    (again,) = await store.outbox.lease(NOON + timedelta(seconds=60), 60, 9)
    assert (again.id, again.tries) == (first.id, 2)
    later = NOON + timedelta(minutes=10)
    await store.outbox.sent(first)  # whose lease is over
    await store.outbox.retry(again, later)
    assert await store.outbox.lease(later - timedelta(seconds=1), 60, 9) == ()
    (third,) = await store.outbox.lease(later, 60, 9)
    await store.outbox.sent(third)
    await store.outbox.retry(third, NOON)
    assert await store.outbox.lease(later + timedelta(days=1), 60, 9) == ()


async def test_what_is_refused_when_it_is_asked_for_is_told_like_any_end(store: Store) -> None:
    account = await a_person(store, 100)
    said = {"state": State.REFUSED, "clause": Clause.GORE, "ended_at": NOON}
    refused = replace(a_job(account, 0), **said)  # type: ignore[arg-type]
    await store.jobs.submit(refused, "key", "print")
    await store.jobs.submit(refused, "key", "print")
    assert await deliveries(store) == [refused.id]
    assert await faults(store) == []


async def test_senders_at_once_share_the_deliveries(store: Store) -> None:
    account = await a_person(store, 100)
    jobs = [await run(store, account, 1) for _ in range(10)]
    for job in jobs:
        await finish(store, job)
    leases = await asyncio.gather(*(store.outbox.lease(NOON, 60, 3) for _ in range(6)))
    assert max(len(lease) for lease in leases) <= 3
    shared = [delivery.job_id for lease in leases for delivery in lease]
    rest = await deliveries(store)
    assert Counter([*shared, *rest]) == Counter(job.id for job in jobs)


async def test_a_chat_has_one_sender_at_a_time_and_others_do_not_wait(store: Store) -> None:
    account = await a_person(store, 100)
    ended = []
    for place in ("discord:1/2/3", "discord:1/2/4", "discord:1/9/5"):
        queued = await queue(store, account, 1, place=place)
        job = await store.jobs.claim(queued.id, NOON)
        assert job is not None
        await finish(store, job)
        ended.append(job.id)
    first = await store.outbox.lease(NOON, 60, 9)
    assert [one.job_id for one in first] == [ended[0], ended[2]]
    assert await store.outbox.lease(NOON, 60, 9) == ()
    await store.outbox.sent(first[0])
    (second,) = await store.outbox.lease(NOON, 60, 9)
    assert second.job_id == ended[1]


async def test_a_delivery_that_waits_for_its_next_try_holds_up_no_other(store: Store) -> None:
    account = await a_person(store, 100)
    for message in "34":
        queued = await queue(store, account, 1, place=f"discord:1/2/{message}")
        job = await store.jobs.claim(queued.id, NOON)
        assert job is not None
        await finish(store, job)
    (first,) = await store.outbox.lease(NOON, 60, 9)
    await store.outbox.unknown(first, NOON + timedelta(minutes=5))
    (second,) = await store.outbox.lease(NOON, 60, 9)
    assert second.id != first.id


async def test_who_died_while_sending_leaves_it_to_the_next_at_once(store: Store) -> None:
    account = await a_person(store, 100)
    await finish(store, await run(store, account))
    (first,) = await store.outbox.lease(NOON, 600, 9)
    assert await store.outbox.lease(NOON, 600, 9) == ()
    await store.outbox.recover(NOON)
    (again,) = await store.outbox.lease(NOON, 600, 9)
    assert (again.id, again.tries) == (first.id, 2)


async def test_what_is_kept_is_told_once(store: Store) -> None:
    account, other = await a_person(store), await a_person(store)
    job = await run(store, account)
    await finish(store, job)
    (delivery,) = await store.outbox.lease(NOON, 60, 9)
    await store.outbox.kept(delivery, NOON)
    assert await store.outbox.lease(NOON + timedelta(days=9), 60, 9) == ()
    assert await store.outbox.tell_kept(other.id) == ()
    assert list(await store.outbox.tell_kept(account.id)) == [job.id]
    assert await store.outbox.tell_kept(account.id) == ()
