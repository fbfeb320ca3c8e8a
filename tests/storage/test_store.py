"""The contract of accounts, jobs, the outbox and credentials, on every database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from core.errors import NotEnoughCredits, WrongState
from core.eta import work
from core.job import Account, Identity, Job, State, Wallet, new_id
from core.places import Post, Rules
from core.ports import Measured
from storage.store import Store, open_store
from tests.storage.samples import KEEP, NOON, SetClock, a_clip, a_job, a_person, a_request

Ending = Callable[[Store, Job], Awaitable[Job | None]]


async def queue(store: Store, account: Account, credits: int = 10, **said: object) -> Job:
    return await store.jobs.submit(a_job(account, credits, **said), None, "print")


async def run(store: Store, account: Account, credits: int = 10) -> Job:
    job = await queue(store, account, credits)
    claimed = await store.jobs.claim(job.id, NOON)
    assert claimed is not None
    return claimed


async def finish(store: Store, job: Job) -> Job | None:
    return await store.jobs.finish(job.id, job.attempt, a_clip(), 2.5, NOON)


async def fail(store: Store, job: Job) -> Job | None:
    return await store.jobs.fail(job.id, job.attempt, "It failed.", "ref", NOON)


async def stop(store: Store, job: Job) -> Job | None:
    return await store.jobs.stopped(job.id, job.attempt, NOON)


async def kinds(store: Store, account: Account, job: Job) -> list[str]:
    """What the ledger says about a job, oldest first."""
    entries = await store.accounts.entries(account.id, 100)
    return [entry.kind for entry in reversed(entries) if entry.job_id == job.id]


async def deliveries(store: Store) -> list[str]:
    return [d.job_id for d in await store.outbox.lease(NOON, 60, 100)]


# Accounts


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


# Submitting


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


# The arrows


async def test_a_job_runs_to_its_clip(store: Store, tmp_path: Path) -> None:
    account = await a_person(store, 100)
    job = await queue(store, account, 10)
    running = await store.jobs.claim(job.id, NOON)
    assert running == replace(job, state=State.RUNNING, attempt=1, started_at=NOON)
    assert await store.jobs.running() == [running]
    assert await store.jobs.queued() == []
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


# Looking back


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
    await store.outbox.kept(again)
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
    done = work(a_request())
    assert await store.jobs.measured(2) == [
        Measured("parallax", done, 2.0),
        Measured("parallax", done, 3.0),
    ]


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


# The outbox


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


# Credentials


async def test_a_secret_opens_its_account_and_no_other_kind(store: Store) -> None:
    account = await a_person(store)
    await store.credentials.add("key", "s3cret", account.id, "laptop", None)
    assert await store.credentials.account_for("key", "s3cret", NOON) == account
    assert await store.credentials.account_for("key", "s3cret", NOON) == account
    assert await store.credentials.account_for("session", "s3cret", NOON) is None
    assert await store.credentials.account_for("key", "S3cret", NOON) is None
    await store.credentials.revoke("key", "s3cret")
    assert await store.credentials.account_for("key", "s3cret", NOON) is None


async def test_all_of_a_name_are_revoked_at_once(store: Store) -> None:
    account, other = await a_person(store), await a_person(store)
    await store.credentials.add("key", "one", account.id, "laptop", None)
    await store.credentials.add("key", "two", other.id, "laptop", NOON + KEEP)
    await store.credentials.add("key", "three", account.id, "phone", None)
    await store.credentials.add("session", "four", account.id, "laptop", None)
    assert await store.credentials.revoke_all("key", "laptop") == 2
    for secret in ("one", "two"):
        assert await store.credentials.account_for("key", secret, NOON) is None
    assert await store.credentials.account_for("key", "three", NOON) == account
    assert await store.credentials.account_for("session", "four", NOON) == account
    assert await store.credentials.revoke_all("key", "laptop") == 0


async def test_a_secret_expires(store: Store, clock: SetClock) -> None:
    account = await a_person(store)
    soon = NOON + timedelta(minutes=5)
    await store.credentials.add("link", "s3cret", account.id, "link", soon)
    almost = soon - timedelta(microseconds=1)
    assert await store.credentials.account_for("link", "s3cret", almost) == account
    assert await store.credentials.account_for("link", "s3cret", soon) is None
    assert await store.credentials.redeem("link", "s3cret", soon) is None
    clock.now = soon
    await store.credentials.add("link", "another", account.id, "link", None)
    assert await store.credentials.account_for("link", "s3cret", almost) is None


async def test_a_link_is_redeemed_by_one_of_twenty(store: Store) -> None:
    account = await a_person(store)
    await store.credentials.add("link", "s3cret", account.id, "link", NOON + KEEP)
    came = await asyncio.gather(
        *(store.credentials.redeem("link", "s3cret", NOON) for _ in range(20))
    )
    assert [one for one in came if one is not None] == [account]
    assert await store.credentials.account_for("link", "s3cret", NOON) is None
    await store.credentials.add("link", "s3cret", account.id, "link", NOON + KEEP)
    assert await store.credentials.redeem("link", "s3cret", NOON) is None


async def test_adding_a_key_again_changes_whose_it_is(store: Store) -> None:
    account, other = await a_person(store), await a_person(store)
    await store.credentials.add("key", "s3cret", account.id, "operator", None)
    await store.credentials.add("key", "s3cret", other.id, "operator", None)
    assert await store.credentials.account_for("key", "s3cret", NOON) == other


def on_disk(folder: Path, words: str) -> bool:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return any(words.encode() in path.read_bytes() for path in files)


async def test_the_disk_never_holds_a_secret(
    sqlite_url: str, tmp_path: Path, clock: SetClock
) -> None:
    secret = new_id()
    async with open_store(sqlite_url, tmp_path / "data", KEEP, clock) as store:
        account = await a_person(store)
        await store.credentials.add("key", secret, account.id, "laptop", None)
        assert await store.credentials.account_for("key", secret, NOON) == account
        assert on_disk(tmp_path, "laptop")
        assert not on_disk(tmp_path, secret)


# Places


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
    await store.outbox.kept(delivery)
    assert await store.outbox.lease(NOON + timedelta(days=9), 60, 9) == ()
    assert await store.outbox.tell_kept(other.id) == ()
    assert list(await store.outbox.tell_kept(account.id)) == [job.id]
    assert await store.outbox.tell_kept(account.id) == ()


async def test_a_card_moves_and_its_delivery_with_it(store: Store) -> None:
    account = await a_person(store, 100)
    job = await queue(store, account, 1, place="discord:1/2/3")
    beside = await queue(store, account, 1, place="discord:1/2/3")
    assert [one.id for one in await store.jobs.at("discord:1/2/3")] == [job.id, beside.id]
    await store.jobs.move(job.id, "discord:@/7/8")
    assert [one.id for one in await store.jobs.at("discord:1/2/3")] == [beside.id]
    claimed = await store.jobs.claim(job.id, NOON)
    assert claimed is not None
    await finish(store, claimed)
    await store.jobs.move(job.id, "discord:@/7/9")
    (delivery,) = await store.outbox.lease(NOON, 60, 9)
    assert delivery.place == "discord:@/7/9"


async def test_posts_and_rules_come_back_as_they_were_given(store: Store) -> None:
    until = NOON + timedelta(minutes=15)
    post = Post("discord:1/2/3", "81", 10_000, False, "a token", until, hidden=True, adult=True)
    await store.places.keep(post)
    assert await store.places.post(post.place) == post
    await store.places.keep(replace(post, pinged=True))
    assert await store.places.post(post.place) == replace(post, pinged=True)
    assert "a token" not in repr(post)
    await queue(store, await a_person(store), place=post.place)
    await store.places.sweep(until - timedelta(seconds=1))
    assert (await store.places.post(post.place)) == replace(post, pinged=True)
    await store.places.sweep(until)
    swept = await store.places.post(post.place)
    assert swept is not None
    assert (swept.token, swept.token_until) == (None, None)
    await store.places.drop(post.place)
    assert await store.places.post(post.place) is None

    assert await store.places.all_rules() == {}
    rules = Rules(("5", "6"), 2.0, 4.0, "480p", "720p", "parallax", True)
    for given in (Rules(), rules):
        await store.places.set_rules("discord:1", given)
        assert await store.places.all_rules() == {"discord:1": given}


async def test_a_post_that_comes_to_nothing_is_known_while_it_can_be_answered(
    store: Store,
) -> None:
    account = await a_person(store)
    until = NOON + timedelta(minutes=15)
    asked = Post("discord:1/2/@9", "81", 10_000, False, "a token", until)
    await store.places.keep(asked)
    assert list(await store.places.unanswered(NOON)) == [asked]
    card = replace(asked, place="discord:1/2/3")
    for _ in range(2):
        await store.places.keep(card, instead_of=asked.place)
    assert list(await store.places.unanswered(NOON)) == [card]
    other = replace(asked, place="discord:1/2/4", token="another")
    await store.places.keep(other)
    await queue(store, account, place=card.place)
    assert list(await store.places.unanswered(NOON)) == [other]
    assert list(await store.places.unanswered(until)) == []
    await store.places.sweep(until)
    assert await store.places.post(other.place) is None
    assert await store.places.post(card.place) == replace(card, token=None, token_until=None)
    await store.places.keep(replace(other, token=None, token_until=None))
    await store.places.sweep(until)
    assert await store.places.post(other.place) is not None


async def test_a_clip_is_reported_once_by_each(store: Store) -> None:
    anna, ben = await a_person(store), await a_person(store)
    job = await queue(store, anna)
    reports = [await store.places.report(job.id, who.id, job.place, NOON) for who in (ben, ben)]
    assert reports == [True, False]
    assert await store.places.report(job.id, anna.id, job.place, NOON)


async def test_a_ping_can_be_declined(store: Store) -> None:
    account = await a_person(store)
    assert account.ping
    await store.accounts.set_ping(account.id, False)
    known = await store.accounts.account_by_id(account.id)
    assert known == replace(account, ping=False)


# The inbox


async def test_an_update_is_written_down_once_and_known_when_it_comes_again(store: Store) -> None:
    assert await store.inbox.keep("telegram", 7, "seven", NOON)
    assert not await store.inbox.keep("telegram", 7, "seven", NOON)
    assert await store.inbox.keep("elsewhere", 7, "another's", NOON)

    await store.inbox.done("telegram", [7])

    assert not await store.inbox.keep("telegram", 7, "seven", NOON)
    assert await store.inbox.pending("telegram") == []


async def test_what_was_not_done_is_given_out_again_in_order_and_given_up_in_the_end(
    store: Store,
) -> None:
    for number in (9, 8):
        await store.inbox.keep("telegram", number, str(number), NOON)

    for _ in range(3):
        assert await store.inbox.pending("telegram") == ["8", "9"]

    assert await store.inbox.pending("telegram") == []


async def test_updates_are_forgotten_when_nobody_repeats_them_any_more(store: Store) -> None:
    for number in (1, 2):
        await store.inbox.keep("telegram", number, str(number), NOON)
    await store.inbox.done("telegram", [1])

    await store.inbox.sweep(NOON + timedelta(hours=25))
    assert not await store.inbox.keep("telegram", 1, "one", NOON)

    await store.inbox.sweep(NOON + timedelta(hours=27))
    assert await store.inbox.keep("telegram", 1, "one", NOON)
    assert not await store.inbox.keep("telegram", 2, "two", NOON)
