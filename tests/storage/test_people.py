"""Somebody who asks what is kept of them, and then to be forgotten, on every database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bots import privacy as words
from bots.app import privacy_of
from bots.settings import Settings
from core import moderation as acts
from core.job import Account, Identity, Job, State, Wallet
from core.privacy import Privacy
from core.safety.verdict import Clause, Finding, Ruling
from storage.store import Store
from storage.tables import Table
from tests.storage.books import faults
from tests.storage.samples import JPEG, NOON, SetClock, a_clip, a_grant, a_job, a_request, do
from tests.storage.steps import deliveries, queue

SECRET = "a lighthouse that nobody knows of"
ADA = Identity("telegram", "4242")
MARKS = (SECRET, "4242", "ada_l", "Ada")


@pytest.fixture
def privacy(store: Store, clock: SetClock) -> Privacy:
    return privacy_of(Settings(_env_file=None), store, clock)  # type: ignore[call-arg]


async def ada(store: Store) -> Account:
    """With a clip made from a picture, one that runs, one that waits, and keys."""
    account = await store.accounts.account(ADA, "Ada")
    await store.accounts.renew(account.id, [a_grant(100)])
    await store.accounts.known_as(ADA, "ada_l")
    picture = await store.files.keep_picture(JPEG, 640, 480)
    done = await started(store, await asked(store, account, picture=picture.id))
    await store.jobs.finish(done.id, done.attempt, a_clip(), 2.5, NOON)
    await started(store, await asked(store, account))
    await asked(store, account)
    await store.credentials.add("key", "kn_open", account.id, "Ada", None)
    await store.credentials.add("session", "cookie", account.id, "browser", None)
    await deliveries(store)
    return account


async def asked(store: Store, account: Account, **said: object) -> Job:
    request = a_request(prompt=SECRET, **said)
    return await queue(store, account, 10, request=request, place="telegram:4242/@/7")


async def started(store: Store, job: Job) -> Job:
    running = await store.jobs.claim(job.id, NOON)
    assert running is not None
    return running


async def stopped(store: Store, clock: SetClock) -> None:
    (running,) = await store.jobs.running()
    await store.jobs.stopped(running.id, running.attempt, clock.forward(minutes=5))


async def told(store: Store) -> None:
    """Every card heard of its end."""
    while due := await store.outbox.lease(NOON + timedelta(days=1), 60, 100):
        for delivery in due:
            await store.outbox.sent(delivery)


async def written(store: Store) -> str:
    """The whole database, as text."""
    async with store.database.reading() as session:
        rows = [
            (await session.execute(select(table))).all() for table in Table.metadata.sorted_tables
        ]
    return str(rows)


async def test_somebody_is_forgotten_to_the_last_word(
    store: Store, clock: SetClock, privacy: Privacy
) -> None:
    account = await ada(store)
    export = await privacy.export(account)
    kept = words.as_json(export).decode()
    assert all(mark in kept for mark in MARKS)
    assert "kn_open" not in kept
    assert [path.read_bytes() for name, path in export.files.items() if "pictures" in name] == [
        JPEG
    ]

    receipt = await privacy.forget(account)
    assert (receipt.clips, receipt.stopping, receipt.keys, receipt.credits) == (2, 1, 1, 80)
    assert await store.credentials.account_for("session", "cookie", NOON) is None
    assert [path.exists() for name, path in export.files.items() if "pictures" in name] == [False]
    left = await written(store)
    assert "Ada" not in left
    assert "ada_l" not in left

    await stopped(store, clock)
    await privacy.sweep()
    assert SECRET not in await written(store)
    await told(store)
    clock.forward(days=2)
    await privacy.sweep()
    assert "4242" in await written(store)
    clock.forward(days=1)
    await privacy.sweep()
    left = await written(store)
    assert [mark for mark in MARKS if mark in left] == []
    assert receipt.number in left
    assert await faults(store) == []
    new = await store.accounts.account(ADA, "Ada")
    assert new.id != account.id
    assert await store.accounts.wallet(new.id) == Wallet(0, 0)


async def test_a_ban_is_not_forgotten_and_who_comes_back_is_known(
    store: Store, clock: SetClock, privacy: Privacy
) -> None:
    account = await ada(store)
    await do(store, acts.Ban(account_id=account.id, reason="spam", until=NOON + timedelta(days=9)))
    await privacy.forget(account)
    await told(store)
    clock.forward(days=8)
    await privacy.sweep()
    again = await store.accounts.account(ADA, "Ada")
    assert (again.id, again.name) == (account.id, "Ada")
    mine = await asked(store, again)
    clock.forward(days=9)
    await privacy.sweep()
    assert (await store.accounts.account(ADA, "somebody")).id == account.id
    assert [job.id for job in await store.jobs.history(account.id, 9)] == [mine.id]


async def test_strikes_are_not_forgotten_before_they_fade(
    store: Store, clock: SetClock, privacy: Privacy
) -> None:
    account = await ada(store)
    found = (Finding(Clause.SEXUAL, Ruling.REFUSE, "prompt", rule="a secret rule"),)
    job = a_job(
        account, 0, state=State.REFUSED, clause=Clause.SEXUAL, findings=found, ended_at=NOON
    )
    await store.jobs.submit(job, None, "print")
    await store.reviews.attest(account.id, ["0" * 64], NOON)
    exported = words.as_json(await privacy.export(account)).decode()
    assert ("sexual" in exported, "a secret rule" in exported) == (True, False)
    await privacy.forget(account)
    await stopped(store, clock)
    await privacy.sweep()
    await told(store)
    assert await store.reviews.attestations(account.id) == 0
    assert "a secret rule" not in await written(store)
    for days, ids in ((8, True), (31, False)):
        clock.now = NOON + timedelta(days=days)
        await privacy.sweep()
        assert ("4242" in await written(store)) is ids
    assert await faults(store) == []


async def test_words_go_in_the_end_by_themselves(
    store: Store, clock: SetClock, privacy: Privacy
) -> None:
    account = await ada(store)
    (done,) = [job for job in await store.jobs.history(account.id, 9) if job.clip is not None]
    clock.forward(days=364)
    await store.jobs.expire(done.id)
    await privacy.sweep()
    assert (await store.jobs.history(account.id, 9))[-1].request.prompt == SECRET
    clock.forward(days=2)
    await privacy.sweep()
    unfinished = await store.jobs.history(account.id, 9)
    assert done.id not in [job.id for job in unfinished]
    assert [job.request.prompt for job in unfinished] == [SECRET, SECRET]
    assert await store.files.picture(done.request.picture or "") is None
    assert await deliveries(store) == []
