"""The steps of a job, and what they left behind, in a word each."""

from __future__ import annotations

from core.job import Account, Job
from storage.store import Store
from tests.storage.samples import NOON, a_clip, a_job


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
