"""Any order of events, by many hands: the books are right after each of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from core.engine import Stage
from core.errors import NotEnoughCredits
from core.job import Account, Identity, Job, Lot, LotKind, State, Wallet
from storage import ledger
from storage.ledger import REFUNDS
from storage.pages import PROMISED
from storage.store import Store
from tests.storage.books import faults
from tests.storage.crowd import crowd
from tests.storage.ledger_machine import Books
from tests.storage.machines import EXAMPLES, play
from tests.storage.samples import NOON, SetClock, a_clip, a_grant, a_job, a_person


async def test_what_has_been_entered_cannot_be_entered_again(store: Store) -> None:
    account = await a_person(store, 100)
    job = await store.jobs.submit(a_job(account, 30), None, "print")
    with pytest.raises(IntegrityError):
        async with store.database.writing() as session:
            await ledger.hold(session, account.id, job.id, 30, NOON)
    assert await store.accounts.wallet(account.id) == Wallet(70, 30)
    async with store.database.writing() as session:
        await ledger.settle(session, job.id, 30, 0, NOON)
    for charged in (0, 30):
        with pytest.raises(ledger.LedgerBroken):
            async with store.database.writing() as session:
                await ledger.settle(session, job.id, 30, charged, NOON)
    assert await store.accounts.wallet(account.id) == Wallet(100, 0)
    assert len(await store.accounts.entries(account.id, 9)) == 3


async def test_nothing_is_settled_that_was_not_held(store: Store) -> None:
    account = await a_person(store, 100)
    job = await store.jobs.submit(a_job(account, 30), None, "print")
    for held, charged in ((31, 0), (29, 29), (30, 31), (30, -1)):
        with pytest.raises(ledger.LedgerBroken):
            async with store.database.writing() as session:
                await ledger.settle(session, job.id, held, charged, NOON)
    assert await store.accounts.wallet(account.id) == Wallet(70, 30)
    assert len(await store.accounts.entries(account.id, 9)) == 2


async def test_what_expires_soonest_is_spent_first(store: Store, clock: SetClock) -> None:
    account = await store.accounts.account(Identity("web", "ada"), "Ada")
    soon, later = NOON + timedelta(days=1), NOON + timedelta(days=30)
    grants = [
        a_grant(10, "kept", None, LotKind.BOUGHT),
        a_grant(10, "month", later, LotKind.MONTHLY),
        a_grant(10, "day", soon, LotKind.DAILY),
        a_grant(10, "older", None, LotKind.GIFTED),
    ]
    await store.accounts.renew(account.id, grants)
    await store.jobs.submit(a_job(account, 15), None, "print")
    assert await store.accounts.lots(account.id) == [
        Lot(LotKind.MONTHLY, 5, later), Lot(LotKind.BOUGHT, 10, None), Lot(LotKind.GIFTED, 10, None)
    ]  # fmt: skip
    entries = await store.accounts.entries(account.id, 2)
    assert [(one.kind, one.available_change) for one in entries] == [("hold", -5), ("hold", -10)]


async def test_credits_expire_by_an_entry(store: Store, clock: SetClock) -> None:
    account = await store.accounts.account(Identity("web", "ada"), "Ada")
    await store.accounts.renew(account.id, [a_grant(10, "day", NOON + timedelta(days=1))])
    other = await a_person(store, 5)
    clock.forward(days=1)
    with pytest.raises(NotEnoughCredits) as refused:
        await store.jobs.submit(a_job(account, 10, created_at=clock()), None, "print")
    assert refused.value.available == 0
    await store.accounts.sweep(clock())
    await store.accounts.sweep(clock())
    assert await store.accounts.wallet(account.id) == Wallet(0, 0)
    entries = await store.accounts.entries(account.id, 9)
    assert [(one.kind, one.available_change) for one in entries] == [("expiry", -10), ("grant", 10)]
    assert await store.accounts.wallet(other.id) == Wallet(5, 0)


async def test_what_comes_back_too_late_stays_a_day_and_no_longer(
    store: Store, clock: SetClock
) -> None:
    """Holding and cancelling again does not make it last: what was promised is one day."""
    account = await store.accounts.account(Identity("web", "ada"), "Ada")
    await store.accounts.renew(account.id, [a_grant(10, "day", NOON + timedelta(hours=1))])
    job = await store.jobs.submit(a_job(account, 6), None, "print")
    clock.forward(hours=2)
    await store.jobs.cancel(job.id, clock())
    until = clock() + PROMISED
    assert await store.accounts.lots(account.id) == [Lot(LotKind.ADJUSTED, 6, until)]
    job = await store.jobs.submit(a_job(account, 6, created_at=clock()), None, "print")
    clock.forward(hours=25)
    await store.jobs.cancel(job.id, clock())
    assert await store.accounts.renew(account.id, ()) == Wallet(0, 0)
    assert await faults(store) == []


async def test_a_job_that_is_cancelled_midway_pays_for_what_was_drawn(store: Store) -> None:
    account = await a_person(store, 0)
    soon = NOON + timedelta(days=1)
    await store.accounts.renew(account.id, [a_grant(5, "day", soon), a_grant(20, "kept")])
    job = await store.jobs.submit(a_job(account, 15), None, "print")
    await store.jobs.claim(job.id, NOON)
    await store.jobs.progress(job.id, 1, Stage.RENDERING, 9, 20)
    await store.jobs.cancel(job.id, NOON)
    ended = await store.jobs.stopped(job.id, 1, NOON)
    assert ended is not None
    assert (ended.credits, ended.charged) == (15, 6)
    assert await store.accounts.wallet(account.id) == Wallet(19, 0)
    assert [lot.credits for lot in await store.accounts.lots(account.id)] == [19]
    settled = [one for one in await store.accounts.entries(account.id, 9) if one.held_change < 0]
    assert [(one.kind, one.available_change, one.held_change) for one in settled] == [
        ("capture", 9, -10), ("capture", 0, -5)
    ]  # fmt: skip


async def kept(store: Store, account: Account, clock: SetClock, credits: int = 10) -> Job:
    """A clip that reaches nobody, and its job as it is then."""
    job = await store.jobs.submit(a_job(account, credits, created_at=clock()), None, "print")
    await store.jobs.claim(job.id, clock())
    await store.jobs.finish(job.id, 1, a_clip(), 1.0, clock())
    (delivery,) = await store.outbox.lease(clock(), 60, 9)
    await store.outbox.kept(delivery, clock())
    found = await store.jobs.job(job.id)
    assert found is not None
    return found


async def test_a_clip_that_reaches_nobody_is_paid_back_to_its_lots(
    store: Store, clock: SetClock
) -> None:
    account = await a_person(store, 0)
    day = a_grant(4, "day", NOON + timedelta(days=1), LotKind.DAILY)
    await store.accounts.renew(account.id, [day, a_grant(20, "kept")])
    before = await store.accounts.lots(account.id)
    job = await kept(store, account, clock)
    assert (job.state, job.charged, job.refunded) == (State.SUCCEEDED, 0, True)
    assert job.clip is not None
    assert await store.accounts.lots(account.id) == before
    entries = await store.accounts.entries(account.id, 2)
    assert [(one.kind, one.available_change, one.job_id) for one in entries] == [
        ("refund", 6, job.id), ("refund", 4, job.id)
    ]  # fmt: skip


async def test_what_is_paid_back_into_a_lot_that_expired_stays_for_a_day(
    store: Store, clock: SetClock
) -> None:
    account = await a_person(store, 0)
    await store.accounts.renew(account.id, [a_grant(10, "day", NOON + timedelta(days=1))])
    job = await store.jobs.submit(a_job(account, 10), None, "print")
    await store.jobs.claim(job.id, NOON)
    await store.jobs.finish(job.id, 1, a_clip(), 1.0, NOON)
    (delivery,) = await store.outbox.lease(clock.forward(days=2), 60, 9)
    await store.outbox.kept(delivery, clock())
    (lot,) = await store.accounts.lots(account.id)
    assert (lot.credits, lot.expires_at) == (10, clock() + PROMISED)


async def test_who_shuts_the_bot_out_has_few_clips_for_nothing(
    store: Store, clock: SetClock
) -> None:
    account, other = await a_person(store, 100), await a_person(store, 100)
    charged = [(await kept(store, account, clock)).charged for _ in range(REFUNDS + 2)]
    assert charged == [0] * REFUNDS + [10, 10]
    assert (await kept(store, other, clock)).charged == 0
    clock.forward(hours=23)
    assert (await kept(store, account, clock)).charged == 10
    clock.forward(hours=1)
    assert (await kept(store, account, clock)).charged == 0
    assert await store.accounts.wallet(account.id) == Wallet(70, 0)
    assert await faults(store) == []


async def test_a_refund_cannot_be_entered_again(store: Store, clock: SetClock) -> None:
    account = await a_person(store, 100)
    job = await kept(store, account, clock)
    for _ in range(2):
        async with store.database.writing() as session:
            await ledger.refund(session, account.id, job.id, NOON)
    assert await store.accounts.wallet(account.id) == Wallet(100, 0)
    assert len(await store.accounts.entries(account.id, 9)) == 4


async def test_only_clips_are_paid_back(store: Store) -> None:
    """Who cancels midway pays for what was drawn, whether or not they hear of it."""
    account = await a_person(store, 100)
    job = await store.jobs.submit(a_job(account, 10), None, "print")
    await store.jobs.claim(job.id, NOON)
    await store.jobs.progress(job.id, 1, Stage.RENDERING, 5, 10)
    await store.jobs.stopped(job.id, 1, NOON)
    (delivery,) = await store.outbox.lease(NOON, 60, 9)
    await store.outbox.kept(delivery, NOON)
    assert await store.accounts.wallet(account.id) == Wallet(95, 0)
    assert await faults(store) == []


@pytest.mark.timeout(0)
def test_the_books_are_right_whatever_happens(url: str, tmp_path: Path) -> None:
    play(Books, url, tmp_path, EXAMPLES, steps=50)


@pytest.mark.timeout(0)
async def test_fifty_at_once_break_nothing(store: Store) -> None:
    """Five hot wallets, and a fifth of what is said is said twice."""
    done = await crowd(store, tasks=50, times=20)
    assert done.total() >= 1000
    assert await faults(store) == []
