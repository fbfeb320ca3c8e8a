"""Prices: what they are made of, and where their base comes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import complete
from core.job import Price, State
from core.lanes import Lane
from core.pricing import Bases, Tariff, price
from core.pricing.base import MEASURED
from core.pricing.linear import resolution_factor
from core.prompt import parse
from core.request import Picture, Request
from storage.store import open_store
from tests.core.models import CATALOGUE, MOVES, WORDS
from tests.storage.samples import KEEP, SetClock, a_clip, a_job, a_person

PHOTO = Picture("photo", 1280, 720)
BERLIN = ZoneInfo("Europe/Berlin")


def moving(line: str) -> Request:
    return complete(parse(line), CATALOGUE, picture=PHOTO, seed=7)


def test_a_price_is_whole_and_says_what_it_is_made_of() -> None:
    assert price(moving("--seconds 60 --res 480p"), 0.2).credits == 5
    assert price(moving("--seconds 60 --res 720p"), 0.2).credits == 12
    dear = price(moving("--seconds 60 --res 1080p"), 0.2, Lane.FAST)
    assert dear == Price(
        48, (("moves, a second", 0.2), ("60 s", 60.0), ("1080p", 2.0), ("fast", 2.0))
    )
    words = complete(parse("x --draft --res 480p --seconds 4"), CATALOGUE, seed=7)
    assert price(words, 10.0) == Price(
        7, (("words, a second", 10.0), ("4 s", 4.0), ("480p", 0.4), ("draft", 0.4))
    )
    assert price(words, 0.01).credits == 1


def test_resolutions_between_those_that_are_named_cost_what_is_between() -> None:
    named = ("480p", "720p", "1080p")
    assert [resolution_factor(name) for name in named] == [0.4, 1.0, 2.0]
    between = ("240p", "600p", "900p", "1440p")
    assert [round(resolution_factor(name), 3) for name in between] == [0.2, 0.7, 1.5, 3.0]


@given(st.integers(1, 60), st.integers(1, 60))
def test_a_longer_clip_never_costs_less(one: int, other: int) -> None:
    short, long = (price(moving(f"--seconds {s}"), 0.2).credits for s in sorted((one, other)))
    assert short <= long


async def test_the_base_comes_from_what_clips_took_and_holds_for_a_day(tmp_path: Path) -> None:
    """What a clip costs is what it was shown to cost, an hour into the next day, and whenever
    Kinora was started."""
    noon = datetime(2026, 3, 28, 12, tzinfo=UTC)
    clock = SetClock(noon)
    request = moving("--seconds 10 --res 480p")  # 4 s of 720p
    async with open_store(f"sqlite:///{tmp_path / 'kinora.db'}", tmp_path, KEEP, clock) as store:
        ada = await a_person(store)

        async def take(*seconds: float, request: Request = request) -> None:
            for took in seconds:
                job = a_job(ada, 0, request=request)
                await store.jobs.submit(job, None, "")
                await store.jobs.claim(job.id, clock.now)
                ended = await store.jobs.finish(job.id, 1, a_clip(), took, clock.now)
                assert ended is not None
                assert ended.state is State.SUCCEEDED

        def bases() -> Bases:
            return Bases(CATALOGUE, Tariff(gpu_seconds=2.0, fixed={"words": 7.5}), BERLIN)

        first = bases()
        assert first.of(MOVES, clock.now) == 0.2  # nothing was measured
        await take(24.0, 32.0)
        await first.renew(store.jobs, clock.forward(days=1))
        assert first.of(MOVES, clock.now) == 0.2  # too little
        await take(4000.0)
        other = complete(parse("x"), CATALOGUE, seed=7)
        await take(*[1.0] * MEASURED * len(CATALOGUE), request=other)  # which changes nothing
        await first.renew(store.jobs, clock.now)
        assert first.of(MOVES, clock.now) == 0.2  # today's say nothing yet
        clock.now = datetime(2026, 3, 29, 22, 20, tzinfo=UTC)  # 00:20 in Berlin, in summer time
        await first.renew(store.jobs, clock.now)
        assert first.of(MOVES, clock.now) == 0.2  # as was shown before midnight
        clock.forward(hours=1)
        assert first.of(MOVES, clock.now) == 4.0  # the median, 32 s for 4 s
        await take(0.001, 0.001, 0.001, 0.001)
        again = bases()
        await again.renew(store.jobs, clock.now)
        assert again.of(MOVES, clock.now) == first.of(MOVES, clock.now)
        assert again.of(WORDS, clock.now) == 7.5  # an operator set it
        await again.renew(store.jobs, clock.forward(days=1))
        assert again.of(MOVES, clock.now) == 0.2  # no less than its card says


@pytest.mark.parametrize("late", [timedelta(minutes=1), timedelta(days=9)])
async def test_until_a_new_day_was_looked_at_the_last_base_holds(
    late: timedelta, tmp_path: Path
) -> None:
    clock = SetClock(datetime(2026, 3, 28, 23, 59, tzinfo=UTC))
    dear = replace(MOVES, credits_per_second=0.3)
    bases = Bases(CATALOGUE)
    async with open_store(f"sqlite:///{tmp_path / 'kinora.db'}", tmp_path, KEEP, clock) as store:
        await bases.renew(store.jobs, clock.now)
        assert bases.of(dear, clock.now + late) == 0.3
