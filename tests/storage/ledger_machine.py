"""One account and its jobs, through any order of events, beside what they should be."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from core.engine import Stage
from core.errors import NotEnoughCredits, UserError, WrongState
from core.gifts import GIVEABLE, Gift, Limits
from core.job import Account, Job, Lot, LotKind, Price, State, Wallet
from core.lanes import Lane
from core.moderation import Approve, Deny
from core.purchases import Sale
from core.safety.verdict import Clause, Finding, Ruling
from core.wares import Ware
from storage.ledger import REFUNDS, REFUNDS_WITHIN
from storage.pages import PROMISED
from tests.storage.books import faults
from tests.storage.machines import EXAMPLES, Machine
from tests.storage.samples import NOON, a_clip, a_grant, a_job, a_person, do

T = TypeVar("T")
LATE = st.sampled_from((0, 0, 0, 1))
WHICH = st.integers(0, 3)
WITHIN = timedelta(hours=48)
GORY = (Finding(Clause.GORE, Ruling.REFUSE, "clip at 1.0 s"),)
NEVER = datetime.max.replace(tzinfo=NOON.tzinfo)


@dataclass
class Purse:
    """What a lot should look like."""

    kind: LotKind
    credits: int
    ends: datetime
    expires: datetime


@dataclass
class Expected:
    """What a job should look like. paid_from: purses, with how much of each, and when."""

    credits: int
    paid_from: list[tuple[Purse, int, datetime]]
    state: State = State.QUEUED
    attempt: int = 0
    unwanted: bool = False
    steps_done: int = 0
    charged: int = 0
    price: int = 0
    appealed: bool = False


@dataclass
class Hand:
    """One account as it should be."""

    account: Account
    purses: list[Purse] = field(default_factory=list)
    held: int = 0

    def expire(self, now: datetime) -> None:
        for purse in self.purses:
            if purse.expires <= now:
                purse.credits = 0

    def spendable(self) -> list[Purse]:
        left = [purse for purse in self.purses if purse.credits]
        return sorted(left, key=lambda purse: purse.expires)

    def back(self, purse: Purse, credits: int, held_at: datetime, now: datetime) -> None:
        """Credits come back, and stay a day more where their purse expired meanwhile."""
        if credits and purse.expires <= now:
            purse.credits = 0
            if held_at < purse.ends:
                purse.expires = now + PROMISED
        purse.credits += credits

    @property
    def wallet(self) -> Wallet:
        return Wallet(sum(purse.credits for purse in self.purses), self.held)


class Books(Machine):
    """One account and its jobs, beside what they should be."""

    def __init__(self) -> None:
        super().__init__()
        self.clock.now = NOON
        self.hand = Hand(self.run(a_person(self.store, 0)))
        self.jobs: dict[str, Expected] = {}
        self.keys: dict[str, tuple[str, str]] = {}
        self.other = self.run(a_person(self.store, 0))
        self.bought: list[tuple[str, Purse]] = []
        self.given_back: set[str] = set()
        self.grants = self.gifts = self.acts = 0
        self.refunds: list[datetime] = []
        self.asked = True

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        self.asked = True
        return self.runner.run(doing)

    def pick(self, which: int, state: State) -> tuple[str, Expected] | None:
        """One of the newest jobs in that state."""
        found = [(id_, job) for id_, job in self.jobs.items() if job.state is state]
        return found[-1 - which % len(found)] if found else None

    def end(self, job: Expected, state: State) -> None:
        """What was used is taken from what expires soonest; the rest comes back."""
        job.state = state
        if state is State.SUCCEEDED:
            job.charged = job.credits
        elif state is State.CANCELLED:
            job.charged = job.credits * job.steps_done // 10
        left, now = job.charged, self.clock.now
        for purse, part, held_at in job.paid_from:
            back = part - min(left, part)
            left -= part - back
            self.hand.held -= part
            self.hand.back(purse, back, held_at, now)

    def refund(self, job: Expected) -> None:
        """All of a clip's price comes back, a few times a day."""
        now = self.clock.now
        lately = [at for at in self.refunds if at > now - REFUNDS_WITHIN]
        if job.state is State.SUCCEEDED and len(lately) < REFUNDS:
            self.refunds.append(now)
            job.charged = 0
            for purse, part, held_at in job.paid_from:
                self.hand.back(purse, part, held_at, now)

    @rule(hours=st.sampled_from((0.5, 5, 24, 70)))
    def wait(self, hours: float) -> None:
        self.clock.forward(hours=hours)

    @rule(kind=st.sampled_from(LotKind), credits=st.integers(1, 60),
          hours=st.sampled_from((1, 24, 72, 72, None)), again=st.booleans())  # fmt: skip
    def grant(self, kind: LotKind, credits: int, hours: int | None, again: bool) -> None:
        now = self.clock.now
        ends = now + timedelta(hours=hours) if hours else None
        self.hand.expire(now)
        self.hand.purses.append(Purse(kind, credits, ends or NEVER, ends or NEVER))
        self.grants += 1
        given = [a_grant(credits, str(self.grants), ends, kind)]
        for _ in range(1 + again):
            renewed = self.run(self.store.accounts.renew(self.hand.account.id, given))
            assert renewed == self.hand.wallet

    @rule(credits=st.integers(1, 60), days=st.sampled_from((1, 30, None)), again=st.booleans())
    def buy(self, credits: int, days: int | None, again: bool) -> None:
        now = self.clock.now
        self.hand.expire(now)
        ends = now + timedelta(days=days) if days else NEVER
        bought = Purse(LotKind.BOUGHT, credits, ends, ends)
        self.hand.purses.append(bought)
        self.bought.append((f"{self.hand.account.id}/{len(self.bought)}", bought))
        ware = Ware("pack", "A pack", credits=credits, kept_days=days)
        sale = Sale(self.hand.account.id, ware, "stars", self.bought[-1][0], now)
        for number in range(1 + again):
            came = self.run(self.store.payments.bought(sale))
            assert (came.new, came.available) == (not number, self.hand.wallet.available)

    @rule(which=WHICH)
    def give_back(self, which: int) -> None:
        """What is left of a purchase, as often as it is said."""
        if not self.bought:
            return
        charge, bought = self.bought[-1 - which % len(self.bought)]
        asked = self.store.payments.refunded("stars", charge, self.clock.now, lambda *_: ())
        if charge in self.given_back:
            assert not self.run(asked).new
            return
        self.given_back.add(charge)
        self.hand.expire(self.clock.now)
        left, bought.credits = bought.credits, 0
        came = self.run(asked)
        assert (came.new, came.taken) == (True, left)

    @rule(credits=st.integers(1, 60), again=st.booleans())
    def give_away(self, credits: int, again: bool) -> None:
        now, giver = self.clock.now, self.hand.account.id
        live = [purse for purse in self.hand.spendable() if purse.expires > now]
        giveable = [purse for purse in live if purse.kind in GIVEABLE]
        self.gifts += 1
        gift = Gift(f"{giver}/{self.gifts}", giver, self.other.id, credits, now)
        limits = Limits(EXAMPLES * 10**6, EXAMPLES * 10**6)
        if sum(purse.credits for purse in giveable) < credits:
            with pytest.raises(UserError, match="You can give"):
                self.run(self.store.gifts.give(gift, limits, NOON))
            return
        self.hand.expire(now)
        for purse in giveable:
            part = min(purse.credits, credits)
            purse.credits -= part
            credits -= part
        for number in range(1 + again):
            assert self.run(self.store.gifts.give(gift, limits, NOON)) == (not number)

    @rule()
    def sweep(self) -> None:
        self.hand.expire(self.clock.now)
        self.run(self.store.accounts.sweep(self.clock.now))

    @rule(credits=st.integers(0, 90), key=st.sampled_from((None, None, "a", "b")),
          fingerprint=st.sampled_from(("x", "x", "y")))  # fmt: skip
    def submit(self, credits: int, key: str | None, fingerprint: str) -> None:
        now = self.clock.now
        job = a_job(self.hand.account, credits, created_at=now)
        known = self.keys.get(key) if key else None
        live = sum(p.credits for p in self.hand.purses if p.expires > now)
        try:
            came = self.run(self.store.jobs.submit(job, key, fingerprint))
        except NotEnoughCredits as error:
            assert known is None
            assert error.available == live < credits
            return
        except WrongState:
            assert known is not None
            assert known[1] != fingerprint
            return
        if known is not None:
            assert (came.id, fingerprint) == known
            return
        assert came == job
        self.jobs[job.id] = Expected(credits, [])
        self.hold(self.jobs[job.id])
        if key:
            self.keys[key] = (job.id, fingerprint)

    def hold(self, job: Expected) -> None:
        """Its price is set aside, which may be nothing."""
        now, left = self.clock.now, job.credits
        self.hand.expire(now)
        self.hand.held += left
        for purse in self.hand.spendable():
            part = min(purse.credits, left)
            if part:
                purse.credits -= part
                left -= part
                job.paid_from.append((purse, part, now))
        assert not left

    @rule()
    def quote(self) -> None:
        self.hand.expire(self.clock.now)
        job = a_job(self.hand.account, 0, created_at=self.clock.now, state=State.QUOTED)
        assert self.run(self.store.jobs.submit(job, None, "")) == job
        self.jobs[job.id] = Expected(0, [], State.QUOTED)

    @rule(which=WHICH, credits=st.integers(0, 60), again=st.booleans())
    def accept(self, which: int, credits: int, again: bool) -> None:
        """What can't be paid stays as it was."""
        if not (found := self.pick(which, State.QUOTED)):
            return
        (job_id, job), now = found, self.clock.now
        quoted = self.run(self.store.jobs.job(job_id))
        assert quoted is not None
        live = sum(p.credits for p in self.hand.purses if p.expires > now)
        lane = Lane.STANDARD if credits else Lane.RELAXED
        for _ in range(1 + again):
            try:
                came = self.run(self.store.jobs.accept(quoted, credits, lane, now))
            except NotEnoughCredits as error:
                assert error.available == live < credits
                return
            assert came is not None
            assert (came.state, came.credits, came.lane) == (State.QUEUED, credits, lane)
        job.state, job.credits = State.QUEUED, credits
        self.hold(job)

    @rule(price=st.integers(0, 60), refused=st.booleans())
    def ask_what_is_not_let_pass(self, price: int, refused: bool) -> None:
        """Nothing is held for it."""
        now = self.clock.now
        self.hand.expire(now)
        job = a_job(
            self.hand.account, 0, created_at=now, price=Price(price), clause=Clause.GORE,
            findings=(Finding(Clause.GORE, Ruling.HOLD, "prompt"),),
            state=State.REFUSED if refused else State.HELD,
            ended_at=now if refused else None, held_at=None if refused else now,
            decide_by=None if refused else now + WITHIN,
        )  # fmt: skip
        assert self.run(self.store.jobs.submit(job, None, "")) == job
        self.jobs[job.id] = Expected(0, [], job.state, price=price)

    @rule(which=WHICH, again=st.booleans())
    def appeal(self, which: int, again: bool) -> None:
        if not (found := self.pick(which, State.REFUSED)):
            return
        (job_id, job), now = found, self.clock.now
        asked = [
            self.run(self.store.reviews.appeal(job_id, "but", now + WITHIN, now))
            for _ in range(1 + again)
        ]
        if job.appealed:
            assert asked[0] is None
            return
        assert asked == asked[:1] * len(asked)
        assert asked[0] is not None
        assert (asked[0].state, asked[0].credits) == (State.HELD, 0)
        job.state, job.appealed, job.credits, job.paid_from = State.HELD, True, 0, []
        job.unwanted, job.steps_done = False, 0

    @rule(which=WHICH, again=st.booleans(), dry=st.booleans())
    def approve(self, which: int, again: bool, dry: bool) -> None:
        """Paid like any job, or offered where it can't be."""
        if not (found := self.pick(which, State.HELD)):
            return
        (job_id, job), now = found, self.clock.now
        live = sum(p.credits for p in self.hand.purses if p.expires > now)
        act = Approve(account_id=self.hand.account.id, job_id=job_id)
        self.acts += 1
        key = f"{self.hand.account.id}/{self.acts}"
        if dry:
            self.run(do(self.store, act, key, dry=True))
        for _ in range(1 + again):
            self.run(do(self.store, act, key))
        came = self.run(self.store.jobs.job(job_id))
        assert came is not None
        assert came.cleared
        job.state = State.QUEUED if job.price <= live else State.QUOTED
        assert came.state is job.state
        if job.state is State.QUEUED:
            job.credits = job.price
            self.hold(job)

    @rule(which=WHICH, late=st.booleans())
    def deny(self, which: int, late: bool) -> None:
        if not (found := self.pick(which, State.HELD)):
            return
        job_id, job = found
        self.acts += 1
        if late:
            self.clock.now += WITHIN
            ended = self.run(self.store.reviews.lapse(job_id, "late", self.clock.now))
            assert ended is not None
        else:
            act = Deny(account_id=self.hand.account.id, job_id=job_id, reason="no")
            self.run(do(self.store, act, f"{self.hand.account.id}/{self.acts}"))
        self.end(job, State.REFUSED)
        job.appealed = True

    @rule(which=WHICH)
    def claim(self, which: int) -> None:
        if found := self.pick(which, State.QUEUED):
            job_id, job = found
            came = self.run(self.store.jobs.claim(job_id, self.clock.now))
            job.state, job.attempt, job.steps_done = State.RUNNING, job.attempt + 1, 0
            assert came is not None
            assert came.attempt == job.attempt

    @rule(which=WHICH, late=LATE, step=st.integers(0, 10), encoding=st.sampled_from((0, 0, 1)))
    def progress(self, which: int, late: int, step: int, encoding: int) -> None:
        if found := self.pick(which, State.RUNNING):
            job_id, job = found
            stage, step, steps = (Stage.ENCODING, 0, 0) if encoding else (Stage.RENDERING, step, 10)
            asked = self.store.jobs.progress(job_id, job.attempt - late, stage, step, steps)
            assert self.run(asked) == (not late)
            if not late:
                job.steps_done = 10 if encoding else step

    @rule(which=WHICH, late=LATE, how=st.sampled_from(("finish", "fail", "stopped", "refuse")))
    def ending(self, which: int, late: int, how: str) -> None:
        if not (found := self.pick(which, State.RUNNING)):
            return
        job_id, job = found
        attempt, now = job.attempt - late, self.clock.now
        jobs = self.store.jobs
        ends: dict[str, tuple[State, Callable[[], Coroutine[Any, Any, Job | None]]]] = {
            "finish": (
                State.CANCELLED if job.unwanted else State.SUCCEEDED,
                lambda: jobs.finish(job_id, attempt, a_clip(), 1.0, now),
            ),
            "fail": (State.FAILED, lambda: jobs.fail(job_id, attempt, "why", "ref", now)),
            "refuse": (State.REFUSED, lambda: jobs.refuse(job_id, attempt, GORY, now)),
            "stopped": (State.CANCELLED, lambda: jobs.stopped(job_id, attempt, now)),
        }
        state, end = ends[how]
        came = self.run(end())
        assert (came is None) == bool(late)
        if came is not None:
            self.end(job, state)
            assert came.charged == job.charged
            assert (came.clip is not None) == (job.state is State.SUCCEEDED)
            assert self.run(end()) == came

    @rule(which=WHICH, late=LATE, lost=st.booleans())
    def requeue(self, which: int, late: int, lost: bool) -> None:
        if found := self.pick(which, State.RUNNING):
            job_id, job = found
            asked = self.store.jobs.requeue(job_id, job.attempt - late, lost=lost)
            came = self.run(asked)
            assert (came is None) == bool(late)
            if came is None:
                return
            job.steps_done = 0
            if job.unwanted:
                self.end(job, State.CANCELLED)
            else:
                job.state = State.QUEUED

    @rule(which=WHICH, state=st.sampled_from(list(State)))
    def cancel(self, which: int, state: State) -> None:
        if found := self.pick(which, state):
            job_id, job = found
            came = self.run(self.store.jobs.cancel(job_id, self.clock.now))
            assert (came is None) == state.ended
            if state is State.RUNNING:
                job.unwanted = True
            elif state in (State.QUOTED, State.HELD, State.QUEUED):
                self.end(job, State.CANCELLED)

    @rule(reached=st.booleans())
    def deliver(self, reached: bool) -> None:
        """All that waits; of the examples before, too."""
        now, outbox = self.clock.now, self.store.outbox
        for delivery in self.run(outbox.lease(now, 60, 1000)):
            job = self.jobs.get(delivery.job_id)
            if reached or job is None:
                self.run(outbox.sent(delivery))
                continue
            self.refund(job)
            for _ in range(2):
                self.run(outbox.kept(delivery, now))

    @invariant()
    def the_wallet_is_right(self) -> None:
        """Not asked after the many steps that found no job to act on."""
        if self.asked:
            wallet = self.run(self.store.accounts.wallet(self.hand.account.id))
            assert wallet == self.hand.wallet
            self.asked = False

    def teardown(self) -> None:
        """Lines are never changed, so what went wrong on the way still shows."""
        assert self.run(faults(self.store, self.hand.account)) == []
        self.run(self.audit())

    async def audit(self) -> None:
        lots = await self.store.accounts.lots(self.hand.account.id)
        assert lots == [
            Lot(purse.kind, purse.credits, None if purse.expires == NEVER else purse.expires)
            for purse in self.hand.spendable()
        ]
        for job in await self.store.jobs.history(self.hand.account.id, 1000):
            expected = self.jobs[job.id]
            found = (job.state, job.attempt, job.charged)
            assert found == (expected.state, expected.attempt, expected.charged)
