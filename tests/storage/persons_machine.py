"""People who join and part in any order, beside what each should have."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from core import moderation as acts
from core.errors import NotEnoughCredits, NotFound, WrongState
from core.job import Account, Identity, Job, Wallet
from tests.storage.machines import Machine
from tests.storage.samples import NOON, a_grant, a_job, do
from tests.storage.steps import fail, finish

T = TypeVar("T")


@dataclass
class Wallets:
    """An account as it should be. had: the days whose credits it was given."""

    account: Account
    names: set[str]
    had: set[str] = field(default_factory=set)
    available: int = 0
    held: int = 0
    jobs: list[Job] = field(default_factory=list)


class Persons(Machine):
    """A few people who join and part, ask for clips, and come by day after day."""

    number = 0

    def __init__(self) -> None:
        super().__init__()
        Persons.number += 1
        self.clock.now = NOON
        self.steps = 0
        self.people = [
            Wallets(
                self.run(self.store.accounts.account(Identity("web", self.named(name)), name)),
                {name},
            )
            for name in "abcd"
        ]

    def named(self, name: str) -> str:
        return f"{name}{Persons.number}"

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(doing)

    def key(self) -> str:
        self.steps += 1
        return f"{Persons.number}/{self.steps}"

    def pick(self, which: int) -> Wallets:
        return self.people[which % len(self.people)]

    WHICH = st.integers(0, 3)

    @rule(which=WHICH)
    def come_by(self, which: int) -> None:
        them, day = self.pick(which), self.clock.now.date().isoformat()
        if day not in them.had:
            them.had.add(day)
            them.available += 20
        renewed = self.run(self.store.accounts.renew(them.account.id, [a_grant(20, day)]))
        assert renewed == Wallet(them.available, them.held)

    @rule()
    def tomorrow(self) -> None:
        self.clock.forward(days=1)

    @rule(which=WHICH, credits=st.integers(1, 25))
    def ask(self, which: int, credits: int) -> None:
        them = self.pick(which)
        job = a_job(them.account, credits, created_at=self.clock.now)
        try:
            self.run(self.store.jobs.submit(job, None, "print"))
        except NotEnoughCredits:
            assert credits > them.available
            return
        them.available -= credits
        them.held += credits
        them.jobs.append(job)

    @rule(which=WHICH, how=st.sampled_from(("finish", "fail", "cancel")))
    def end(self, which: int, how: str) -> None:
        them, jobs = self.pick(which), self.store.jobs
        if not them.jobs:
            return
        job = them.jobs.pop(0)
        them.held -= job.credits
        if how == "cancel":
            assert self.run(jobs.cancel(job.id, self.clock.now)) is not None
        else:
            claimed = self.run(jobs.claim(job.id, self.clock.now))
            assert claimed is not None
            self.run((finish if how == "finish" else fail)(self.store, claimed))
        if how != "finish":
            them.available += job.credits

    @rule(one=WHICH, other=WHICH)
    def join(self, one: int, other: int) -> None:
        mine, theirs = sorted((self.pick(one), self.pick(other)), key=lambda w: w.account.id)
        if mine is theirs:
            return
        act = acts.Merge(account_id=theirs.account.id, into=mine.account.id)
        outcome = self.run(do(self.store, act, self.key()))
        mine.names |= theirs.names
        mine.had |= theirs.had
        mine.available += theirs.available
        mine.held += theirs.held
        mine.jobs += theirs.jobs
        self.people.remove(theirs)
        assert outcome.left == mine.available

    @rule(which=WHICH, name=st.sampled_from("abcd"))
    def part(self, which: int, name: str) -> None:
        them = self.pick(which)
        act = acts.Unlink(account_id=them.account.id, platform="web", subject=self.named(name))
        if name not in them.names or len(them.names) == 1:
            with pytest.raises((NotFound, WrongState)):
                self.run(do(self.store, act, self.key()))
            return
        made = self.run(do(self.store, act, self.key())).account_id
        account = self.run(self.store.accounts.account_by_id(made))
        assert account is not None
        them.names.remove(name)
        self.people.append(Wallets(account, {name}, set(them.had)))

    def teardown(self) -> None:
        """Lines stay, so what went wrong on the way still shows."""
        for them in self.people:
            wallet = self.run(self.store.accounts.wallet(them.account.id))
            assert wallet == Wallet(them.available, them.held)
            for name in them.names:
                identity = Identity("web", self.named(name))
                found = self.run(self.store.moderation.person(identity))
                assert found is not None
                assert found.id == them.account.id
