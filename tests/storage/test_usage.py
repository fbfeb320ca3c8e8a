"""What is plotted of a day, a week and a month."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from core.usage import By, Over, Totals, gathered, spans
from storage.store import Store
from tests.storage.samples import NOON, SetClock, a_clip, a_person, a_request
from tests.storage.steps import queue

BERLIN = ZoneInfo("Europe/Berlin")


async def test_what_was_used_is_told_by_model_and_by_server(store: Store, clock: SetClock) -> None:
    ada, asked = await a_person(store), NOON - timedelta(hours=2)
    for number, model in enumerate(("wan", "wan", "pocket")):
        job = await queue(
            store, ada, 10, request=a_request(model=model), created_at=asked,
            place=f"discord:8{number}/9/1",
        )  # fmt: skip
        began = asked + timedelta(seconds=30)
        await store.jobs.claim(job.id, began)
        if number:
            await store.jobs.finish(job.id, 1, a_clip(), 12.5, began + timedelta(seconds=20))
        else:
            await store.jobs.fail(job.id, 1, "no", "ref", began + timedelta(seconds=7))
    await queue(store, ada, 10, place="discord:80/9/2")
    await store.usage.refused("discord:80", "wan", "Refused")
    await store.usage.refused("discord:80", "wan", "Refused")
    await store.usage.refused("discord:81", "", "NotEnoughCredits")
    starts = spans(Over.DAY, NOON, BERLIN)
    whole = gathered(await store.usage.slices(starts[0], By.MODEL), starts)
    assert list(whole) == ["wan", "parallax", "pocket", ""]
    assert whole["wan"][-3] == Totals(2, 19.5, 10, 2, 60.0)
    assert whole["wan"][-1] == Totals(refused=2)
    assert whole["parallax"][-1].jobs == 1
    assert whole["pocket"][-3].wait == 30.0
    servers = gathered(await store.usage.slices(starts[0], By.SERVER, "discord:80"), starts)
    assert {key: sum(one.refused for one in used) for key, used in servers.items()} == {
        "discord:80": 2
    }
    assert await store.usage.slices(NOON + timedelta(hours=1), By.MODEL) == []


def test_spans_are_those_of_the_zone() -> None:
    week = spans(Over.WEEK, NOON.replace(month=10, day=28), BERLIN)
    lengths = [(end - start) / timedelta(hours=1) for start, end in pairwise(week)]
    assert lengths == [24, 24, 24, 25, 24, 24, 24]
    assert len(spans(Over.MONTH, NOON, BERLIN)) == 31
    day = spans(Over.DAY, NOON, BERLIN)
    assert (len(day), day[-2], day[-1]) == (
        25,
        NOON.replace(microsecond=0),
        day[-2] + timedelta(hours=1),
    )
