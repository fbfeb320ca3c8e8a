"""What plans give, day by day, by the clocks of real places; and what they allow."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.counter import Terms
from core.days import beginning
from core.engine import Stage
from core.errors import BadPrompt
from core.job import Account, Claim, Identity, Job, Lot, LotKind, State, new_id
from core.plans import BUILT_IN, DAYS_KEPT, FREE, Label, Plan, Plans, check, grants
from core.pricing import due
from storage.store import open_store
from tests.core.home import home
from tests.storage.samples import KEEP, NOON, SetClock, a_job, a_request

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
AN_HOUR = timedelta(hours=1)

CHANGES = [
    (BERLIN, date(2026, 3, 29), 23), (BERLIN, date(2026, 10, 25), 25),
    (NEW_YORK, date(2026, 3, 8), 23), (NEW_YORK, date(2026, 11, 1), 25),
    (LORD_HOWE, date(2026, 10, 4), 23.5), (LORD_HOWE, date(2026, 4, 5), 24.5),
    ("Atlantic/Azores", date(2026, 10, 25), 25), ("Africa/Cairo", date(2026, 4, 24), 23),
    (BERLIN, date(2028, 2, 29), 24), ("UTC", date(2026, 12, 31), 24),
]  # fmt: skip
"""Local days and their hours. On the Azores midnight comes twice then, in Cairo not at all."""


def through(day: date, zone: ZoneInfo, slip: timedelta) -> Iterator[datetime]:
    """Every half hour from the day before to the day after, by a clock that is put forward and
    back by `slip` all the time."""
    now = datetime.combine(day - timedelta(days=1), time(1), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(23), zone).astimezone(UTC)
    turn = 0
    while now < end:
        yield now + (timedelta(), slip, timedelta(), -slip)[turn % 4]
        now += timedelta(minutes=30)
        turn += 1


@pytest.mark.parametrize(("name", "day", "hours"), CHANGES)
def test_a_local_day_has_its_own_length(name: str, day: date, hours: float) -> None:
    zone = ZoneInfo(name)
    begins, ends = beginning(day, zone), beginning(day + timedelta(days=1), zone)
    assert ends - begins == timedelta(hours=hours)
    assert begins.astimezone(zone).date() == day
    assert (begins - timedelta(microseconds=1)).astimezone(zone).date() < day


@pytest.mark.parametrize(("name", "day", "hours"), CHANGES)
@pytest.mark.parametrize("slip", [timedelta(), AN_HOUR])
async def test_every_local_day_brings_its_credits_once(
    name: str, day: date, hours: float, slip: timedelta, tmp_path: Path
) -> None:
    zone, clock = ZoneInfo(name), SetClock()
    plan = Plan(FREE, daily=100)
    async with open_store(f"sqlite:///{tmp_path / 'kinora.db'}", tmp_path, KEEP, clock) as store:
        account = await store.accounts.account(Identity("web", "ada"), "Ada")
        days: set[date] = set()
        for now in through(day, zone, slip):
            clock.now = now
            days.add(now.astimezone(zone).date())
            await store.accounts.renew(account.id, grants(plan, now, zone))
        lines = Counter(one.note for one in await store.accounts.entries(account.id, 1000))
        assert lines == {f"free credits of {one}": 1 for one in days}
        assert len(days) == 3
        kept = beginning(min(days) + timedelta(days=DAYS_KEPT), zone)
        lots = await store.accounts.lots(account.id)
        assert lots[0] == Lot(LotKind.DAILY, 100, kept)
        clock.now = kept - timedelta(microseconds=1)
        assert (await store.accounts.renew(account.id, ())).available == 300
        clock.now = kept
        assert (await store.accounts.renew(account.id, ())).available == 200


INSTANTS = st.lists(
    st.datetimes(datetime(2028, 2, 25), datetime(2028, 4, 8), timezones=st.just(UTC))
    | st.datetimes(datetime(2028, 9, 29), datetime(2028, 11, 7), timezones=st.just(UTC)),
    min_size=1,
    max_size=6,
)
"""A leap day, and every change of summer time of these zones, in any order: clocks are put back."""


@pytest.mark.parametrize("name", [BERLIN, NEW_YORK, LORD_HOWE])
def test_whenever_somebody_comes_by_each_local_day_counts_once(name: str, tmp_path: Path) -> None:
    zone, clock = ZoneInfo(name), SetClock()
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opening = home(tmp_path, Plan(FREE, daily=7), terms=Terms(zone=zone), clock=clock)
        studio = runner.run(stack.enter_async_context(opening)).studio

        @settings(max_examples=15, deadline=None)
        @given(INSTANTS)
        def visits(instants: list[datetime]) -> None:
            somebody = Identity("web", new_id())
            around = [now + slip for now in instants for slip in (-AN_HOUR, timedelta(), AN_HOUR)]
            for clock.now in (*around, *reversed(around)):
                account = runner.run(studio.account(somebody, "Ada"))
            days = {now.astimezone(zone).date() for now in around}
            lines = runner.run(studio.entries(account, 1000))
            given = Counter(one.note for one in lines if one.kind == "grant")
            assert given == {f"free credits of {day}": 1 for day in days}

        try:
            visits()
        finally:
            runner.run(stack.aclose())


async def test_days_that_come_together_bring_their_credits_once(tmp_path: Path) -> None:
    """Twenty at once, on both sides of midnight."""
    clock = SetClock()
    async with open_store(f"sqlite:///{tmp_path / 'kinora.db'}", tmp_path, KEEP, clock) as store:
        account = await store.accounts.account(Identity("web", "ada"), "Ada")
        midnight = beginning(date(2026, 3, 29), ZoneInfo(BERLIN))
        clock.now = midnight
        given = [
            grants(BUILT_IN[0], midnight + timedelta(seconds=n), ZoneInfo(BERLIN))
            for n in range(-10, 10)
        ]
        await asyncio.gather(*(store.accounts.renew(account.id, one) for one in given))
        assert (await store.accounts.wallet(account.id)).available == 200


def test_a_month_is_given_once_and_ends_with_it() -> None:
    zone = ZoneInfo(NEW_YORK)
    plan = Plan("patron", daily=0, monthly=500)
    told = [grants(plan, beginning(date(2028, 2, day), zone), zone) for day in (1, 29)]
    assert told[0] == told[1]
    (month,) = told[0]
    assert (month.kind, month.credits, month.key) == (LotKind.MONTHLY, 500, "2028-02")
    assert month.expires_at == beginning(date(2028, 3, 1), zone)


async def test_a_better_plan_brings_the_difference_of_its_month_once(tmp_path: Path) -> None:
    zone, clock, plans = ZoneInfo(BERLIN), SetClock(), Plans()
    clock.now = beginning(date(2026, 11, 3), zone)
    async with open_store(f"sqlite:///{tmp_path / 'kinora.db'}", tmp_path, KEEP, clock) as store:
        account_id = (await store.accounts.account(Identity("web", "ada"), "Ada")).id
        had = []
        for name in ("free", "supporter", "pro", "supporter", "free", "pro"):
            await store.accounts.set_claims(account_id, "moderator", [Claim("moderator", name)])
            account = await store.accounts.account_by_id(account_id)
            assert account is not None
            wallet = await store.accounts.renew(account_id, plans.due(account, clock.now, zone))
            had.append(wallet.available)
        assert had == [100, 1100, 5100, 5100, 5100, 5100]
        at_once = (await store.accounts.account(Identity("web", "bob"), "Bob")).id
        pro = grants(plans.by_name["pro"], clock.now, zone, {0, 1000, 5000})
        assert (await store.accounts.renew(at_once, pro)).available == 5100


def test_a_plan_that_is_over_or_no_more_is_the_free_one() -> None:
    plans = Plans()
    pro = Claim("purchase:pro", "pro", NOON)
    account = Account(1, "Ada", claims=(pro,))
    assert plans.of(account, NOON - AN_HOUR).name == "pro"
    assert plans.of(account, NOON).name == FREE
    for_good = replace(account, claims=(replace(pro, until=None),))
    assert plans.of(for_good, NOON).label is Label.OPTIONAL
    gone = replace(account, claims=(Claim("moderator", "gone"),))
    assert plans.of(gone, NOON).name == FREE


def test_the_best_of_the_plans_that_hold_is_theirs() -> None:
    plans = Plans()
    claims = (Claim("moderator", "supporter"), Claim("purchase:pro", "pro", NOON))
    account = Account(1, "Ada", claims=claims)
    assert plans.of(account, NOON - AN_HOUR).name == "pro"
    assert plans.of(account, NOON).name == "supporter"
    assert plans.holding(account, NOON) == [claims[0]]


def test_a_plan_says_what_it_allows() -> None:
    plan = Plan("small", longest=5, largest="480p")
    check(a_request(), 5.0, plan)
    with pytest.raises(BadPrompt, match="With the small plan a clip can be up to 5 seconds; this"):
        check(a_request(), 6.0, plan)
    with pytest.raises(BadPrompt, match="up to 480p; you asked for 720p"):
        check(a_request(resolution="720p"), 2.0, plan)


def ended(state: State, stage: str = Stage.RENDERING, step: int = 0, steps: int = 0) -> Job:
    plain = a_job(Account(1, "Ada"), 15)
    return replace(plain, state=state, stage=stage, step=step, steps=steps)


def test_what_was_used_is_paid_for() -> None:
    assert due(ended(State.SUCCEEDED)) == 15
    assert due(ended(State.FAILED, step=5, steps=10)) == 0
    assert due(ended(State.REFUSED, step=5, steps=10)) == 0
    assert due(ended(State.CANCELLED)) == 0
    assert due(ended(State.CANCELLED, Stage.LOADING)) == 0
    assert due(ended(State.CANCELLED, step=1, steps=20)) == 0
    assert due(ended(State.CANCELLED, step=19, steps=20)) == 14
    assert due(ended(State.CANCELLED, step=25, steps=20)) == 15
    assert due(ended(State.CANCELLED, Stage.ENCODING)) == 15
