"""Any order of events, by many hands: the books are right after each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.errors import NotEnoughCredits, WrongState
from core.job import Account, Job, State, Wallet
from storage import ledger
from storage.store import Store, open_store
from tests.storage.samples import KEEP, NOON, a_clip, a_job, a_person

T = TypeVar("T")
LATE = st.sampled_from((0, 0, 0, 1))
WHICH = st.integers(0, 3)


@dataclass
class Expected:
    """What a job should look like."""

    credits: int
    state: State = State.QUEUED
    attempt: int = 0
    unwanted: bool = False


class Books(RuleBasedStateMachine):
    """One account and its jobs, beside what they should be."""

    store: Store
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.account: Account = self.run(a_person(self.store, 0))
        self.wallet = Wallet(0, 0)
        self.jobs: dict[str, Expected] = {}
        self.keys: dict[str, tuple[str, str]] = {}
        self.day = NOON.date()

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(doing)

    def pick(self, which: int, state: State) -> tuple[str, Expected] | None:
        """One of the newest jobs in that state."""
        found = [(id_, job) for id_, job in self.jobs.items() if job.state is state]
        return found[-1 - which % len(found)] if found else None

    def move(self, available: int, held: int) -> None:
        self.wallet = Wallet(self.wallet.available + available, self.wallet.held + held)

    def end(self, job: Expected, state: State) -> None:
        job.state = state
        self.move(0 if state is State.SUCCEEDED else job.credits, -job.credits)

    @rule(floor=st.integers(0, 60), next_day=st.booleans())
    def top_up(self, floor: int, next_day: bool) -> None:
        if next_day:
            self.day += timedelta(days=1)
            self.move(max(0, floor - self.wallet.available - self.wallet.held), 0)
        if self.day > NOON.date():
            asked = self.store.accounts.top_up(self.account.id, self.day, floor)
            assert self.run(asked) == self.wallet

    @rule(credits=st.integers(1, 40), key=st.sampled_from((None, None, "a", "b")),
          fingerprint=st.sampled_from(("x", "x", "y")))  # fmt: skip
    def submit(self, credits: int, key: str | None, fingerprint: str) -> None:
        job = a_job(self.account, credits)
        known = self.keys.get(key) if key else None
        try:
            came = self.run(self.store.jobs.submit(job, key, fingerprint))
        except NotEnoughCredits as error:
            assert known is None
            assert error.available == self.wallet.available < credits
            return
        except WrongState:
            assert known is not None
            assert known[1] != fingerprint
            return
        if known is not None:
            assert (came.id, fingerprint) == known
            return
        assert came == job
        self.move(-credits, credits)
        self.jobs[job.id] = Expected(credits)
        if key:
            self.keys[key] = (job.id, fingerprint)

    @rule(which=WHICH)
    def claim(self, which: int) -> None:
        if found := self.pick(which, State.QUEUED):
            job_id, job = found
            came = self.run(self.store.jobs.claim(job_id, NOON))
            job.state, job.attempt = State.RUNNING, job.attempt + 1
            assert came is not None
            assert came.attempt == job.attempt

    @rule(which=WHICH, late=LATE, how=st.sampled_from(("finish", "fail", "stopped")))
    def ending(self, which: int, late: int, how: str) -> None:
        if not (found := self.pick(which, State.RUNNING)):
            return
        job_id, job = found
        attempt = job.attempt - late
        jobs = self.store.jobs
        ends: dict[str, tuple[State, Callable[[], Coroutine[Any, Any, Job | None]]]] = {
            "finish": (
                State.CANCELLED if job.unwanted else State.SUCCEEDED,
                lambda: jobs.finish(job_id, attempt, a_clip(), 1.0, NOON),
            ),
            "fail": (State.FAILED, lambda: jobs.fail(job_id, attempt, "why", "ref", NOON)),
            "stopped": (State.CANCELLED, lambda: jobs.stopped(job_id, attempt, NOON)),
        }
        state, end = ends[how]
        came = self.run(end())
        assert (came is None) == bool(late)
        if came is not None:
            self.end(job, state)
            assert (came.clip is not None) == (job.state is State.SUCCEEDED)
            assert self.run(end()) == came

    @rule(which=WHICH, late=LATE, lost=st.booleans())
    def requeue(self, which: int, late: int, lost: bool) -> None:
        if found := self.pick(which, State.RUNNING):
            job_id, job = found
            asked = self.store.jobs.requeue(job_id, job.attempt - late, lost=lost)
            came = self.run(asked)
            assert (came is None) == bool(late)
            if came is not None and job.unwanted:
                self.end(job, State.CANCELLED)
            elif came is not None:
                job.state = State.QUEUED

    @rule(which=WHICH, state=st.sampled_from(list(State)))
    def cancel(self, which: int, state: State) -> None:
        if found := self.pick(which, state):
            job_id, job = found
            came = self.run(self.store.jobs.cancel(job_id, NOON))
            assert (came is None) == state.ended
            if state is State.RUNNING:
                job.unwanted = True
            elif state is State.QUEUED:
                self.end(job, State.CANCELLED)

    @invariant()
    def the_books_are_right(self) -> None:
        self.run(self.audit())

    async def audit(self) -> None:
        assert await self.store.accounts.wallet(self.account.id) == self.wallet
        entries = await self.store.accounts.entries(self.account.id, 1000)
        assert sum(entry.available_change for entry in entries) == self.wallet.available >= 0
        assert sum(entry.held_change for entry in entries) == self.wallet.held >= 0
        for job in await self.store.jobs.history(self.account.id, 1000):
            expected = self.jobs[job.id]
            assert (job.state, job.attempt) == (expected.state, expected.attempt)
            kinds = sorted(entry.kind for entry in entries if entry.job_id == job.id)
            settled = "capture" if job.state is State.SUCCEEDED else "release"
            assert kinds == sorted(["hold", settled] if job.state.ended else ["hold"])


async def test_what_has_been_entered_moves_nothing_again(store: Store) -> None:
    account = await a_person(store, 100)
    job = await store.jobs.submit(a_job(account, 30), None, "print")
    async with store.database.writing() as session:
        await ledger.grant(session, account.id, 50, NOON.date(), NOON)
        await ledger.hold(session, account.id, job.id, 30, NOON)
    assert await store.accounts.wallet(account.id) == Wallet(70, 30)
    async with store.database.writing() as session:
        await ledger.release(session, account.id, job.id, 30, NOON)
        await ledger.capture(session, account.id, job.id, 30, NOON)
    assert await store.accounts.wallet(account.id) == Wallet(100, 0)
    assert len(await store.accounts.entries(account.id, 9)) == 3


async def test_nothing_is_settled_that_was_not_held(store: Store) -> None:
    account = await a_person(store, 100)
    job = await store.jobs.submit(a_job(account, 30), None, "print")
    with pytest.raises(ledger.LedgerBroken):
        async with store.database.writing() as session:
            await ledger.capture(session, account.id, job.id, 31, NOON)
    assert await store.accounts.wallet(account.id) == Wallet(70, 30)
    assert len(await store.accounts.entries(account.id, 9)) == 2


def test_the_books_are_right_whatever_happens(url: str, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opened = open_store(url, tmp_path / "data", KEEP)

        class Opened(Books):
            store = runner.run(stack.enter_async_context(opened))

        Opened.runner = runner
        try:
            run_state_machine_as_test(
                Opened,
                settings=settings(
                    max_examples=settings().max_examples // 6,
                    stateful_step_count=30,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(stack.aclose())
