"""What was decided about jobs, as it is found again, on both databases."""

from __future__ import annotations

from datetime import timedelta

from core.job import Price, State
from core.moderation import Approve
from core.safety.level import Level
from core.safety.verdict import Clause
from storage.store import Store
from tests.storage.samples import SetClock, a_job, a_person, a_request, do

WORDS = ("a knight's last stand", "blur")


async def test_what_was_approved_and_what_counts_are_found_again(
    store: Store, clock: SetClock
) -> None:
    anna, ben = await a_person(store), await a_person(store)
    asked = a_request(prompt=WORDS[0], negative_prompt=WORDS[1], picture="one", last_picture=None)
    job = a_job(
        anna, 0, request=asked, place="discord:81/9/1", created_at=clock(), price=Price(2),
        clause=Clause.GORE, state=State.REFUSED, ended_at=clock(), warning="One more today.",
    )  # fmt: skip
    assert await store.jobs.submit(job, None, "") == job

    async def counts() -> list[tuple[bool, bool]]:
        strikes = await store.reviews.strikes(anna.id, clock() - timedelta(days=1))
        return [(strike.appealed, strike.lifted) for strike in strikes]

    async def cleared(
        account_id: int = anna.id,
        server: str = "discord:81",
        level: Level = Level.STANDARD,
        words: tuple[str, str] = WORDS,
        pictures: tuple[str, ...] = ("one",),
    ) -> bool:
        return await store.reviews.cleared(account_id, server, level, words, pictures)

    assert await counts() == [(False, False)]
    await store.reviews.appeal(job.id, "", clock() + timedelta(days=2), clock())
    assert await counts() == [(True, False)]
    assert not await cleared()
    await do(store, Approve(account_id=anna.id, job_id=job.id))
    assert await counts() == [(False, True)]
    assert await cleared()
    assert not await cleared(account_id=ben.id)
    assert not await cleared(server="web:page")
    assert not await cleared(level=Level.STRICT)
    assert not await cleared(words=(WORDS[0], ""))
    for pictures in ((), ("two",), ("one", "two")):
        assert not await cleared(pictures=pictures)
    await store.jobs.cancel(job.id, clock())
    await store.jobs.delete(job.id)
    assert not await cleared()
