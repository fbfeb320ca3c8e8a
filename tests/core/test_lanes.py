"""Quotes that wait for a word, the lanes of the queue, and who waits for whom: through the studio,
with an engine that obeys."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.counter import QUOTED_MOST, Consent, Terms
from core.errors import BadPrompt, NotEnoughCredits, Refused, TooMany, WrongState
from core.job import Account, Job, State
from core.lanes import RELAXED_WAITING, Lane
from core.prompt import parse
from core.studio import QUOTED_FOR
from tests.core.home import A_DAY, GRANT, Home, home
from tests.storage.books import faults

PAGE = "web:page"
DEAR = "a red ball --seconds 4 --res 480p --fast"
"""Costs 2."""


async def quoted(at_home: Home, account: Account, line: str, **said: Consent) -> Job:
    said.setdefault("consent", Consent.NEEDED)
    return await at_home.studio.submit(account, PAGE, parse(line), **said)


async def render(at_home: Home) -> str:
    """Let the next job be rendered; its id."""
    job_id, attempt, spec = await at_home.engine.next()
    at_home.engine.render(job_id, attempt, spec)
    return job_id


async def test_what_is_quoted_costs_nothing_until_it_is_accepted(tmp_path: Path) -> None:
    terms = Terms(dear_from=1, dear_share=0.05)
    async with home(tmp_path, A_DAY, terms=terms) as at_home:
        anna, ben = await at_home.account("anna"), await at_home.account("ben")
        cheap = await quoted(at_home, anna, "a red ball")
        assert cheap.state is State.QUEUED
        await render(at_home)
        await at_home.until(cheap, State.SUCCEEDED)
        job = await quoted(at_home, anna, DEAR)
        assert (job.state, job.credits) == (State.QUOTED, 0)
        assert job.price is not None
        assert job.purse is not None
        assert (job.price.credits, job.price.parts[-1], job.purse.tomorrow) == (
            2, ("fast", 2.0), GRANT,
        )  # fmt: skip
        assert at_home.studio.viewed(job).relaxed is None
        before = await at_home.funds(anna)
        assert before[1] == 0
        accepted = await at_home.studio.accept(anna, job.id)
        assert (accepted.state, accepted.credits, accepted.lane) == (State.QUEUED, 2, Lane.FAST)
        assert accepted.created_at > job.created_at
        assert (await at_home.studio.accept(anna, job.id)).id == job.id  # pressed twice
        assert await at_home.funds(anna) == (before[0] - 2, 2)
        assert await render(at_home) == job.id
        await at_home.until(job, State.SUCCEEDED)
        assert await at_home.funds(anna) == (before[0] - 2, 0)
        with pytest.raises(WrongState, match="This offer is over: the clip succeeded"):
            await at_home.studio.accept(anna, job.id)

        # Asked for with a flag; changed, which ends it; cancelled; of somebody else's nothing.
        offer = await quoted(at_home, ben, "a ball --quote", consent=Consent.GIVEN)
        assert offer.state is State.QUOTED
        changed = await at_home.studio.submit(
            ben, PAGE, parse("a cube --quote"), variant_of=offer.id
        )
        assert (await at_home.until(offer, State.CANCELLED)).charged == 0
        assert (await at_home.studio.cancel(ben, changed.id)).state is State.CANCELLED
        assert await at_home.funds(ben) == (GRANT, 0)
        assert await faults(at_home.store) == []


async def test_what_is_asked_at_once_finds_the_same_room(tmp_path: Path) -> None:
    async with home(tmp_path) as at_home:
        anna = await at_home.account("anna")
        await at_home.ask(await at_home.account("ben"))
        await at_home.engine.next()

        async def many(line: str, most: int) -> None:
            asked = (at_home.ask(anna, line) for _ in range(12))
            came = await asyncio.gather(*asked, return_exceptions=True)
            assert sum(isinstance(one, TooMany) for one in came) == 12 - most

        words = parse("a ball --relaxed")
        same = (at_home.studio.submit(anna, PAGE, words, key="k") for _ in range(12))
        (first,) = {job.id for job in await asyncio.gather(*same)}
        assert (await at_home.studio.cancel(anna, first)).state is State.CANCELLED
        await many("a ball --relaxed", RELAXED_WAITING)
        await many("a ball --quote", QUOTED_MOST)
        assert at_home.dispatch.waiting(anna.id) == RELAXED_WAITING


async def test_offers_have_a_limit_and_an_end(tmp_path: Path) -> None:
    late = timedelta()
    async with home(tmp_path, clock=lambda: datetime.now(UTC) + late) as at_home:
        anna = await at_home.account("anna")
        offers = [await quoted(at_home, anna, "a ball --quote") for _ in range(QUOTED_MOST)]
        with pytest.raises(TooMany, match="You have 5 clips that wait for your word"):
            await quoted(at_home, anna, "a ball --quote")
        await at_home.ask(anna, "a ball")
        late = QUOTED_FOR + timedelta(seconds=1)
        await at_home.studio.sweep()
        for offer in offers:
            await at_home.until(offer, State.CANCELLED)
        assert await at_home.store.jobs.quoted() == []
        assert await faults(at_home.store) == []


async def test_an_empty_wallet_opens_the_relaxed_lane(tmp_path: Path) -> None:
    async with home(tmp_path, replace(A_DAY, daily=1)) as at_home:
        anna = await at_home.account("anna")
        with pytest.raises(NotEnoughCredits) as refused:
            await at_home.ask(anna, DEAR)
        assert str(refused.value).startswith(
            "This costs 2 and you have 1. It can run for free in the relaxed lane (about "
        )
        assert str(refused.value).endswith(" with `--relaxed`, or wait for tomorrow's 1.")
        offer = await quoted(at_home, anna, DEAR, consent=Consent.SEEN)
        assert offer.short
        assert at_home.studio.viewed(offer).relaxed is not None
        with pytest.raises(NotEnoughCredits):
            await at_home.studio.accept(anna, offer.id)
        free = await at_home.studio.accept(anna, offer.id, relaxed=True)
        assert (free.lane, free.credits) == (Lane.RELAXED, 0)
        assert await render(at_home) == offer.id
        done = await at_home.until(offer, State.SUCCEEDED)
        assert (done.charged, done.refunded) == (0, False)
        await at_home.ask(anna, "a ball --relaxed")
        await at_home.engine.next()
        for number in range(RELAXED_WAITING):
            await at_home.ask(anna, "a ball --relaxed")
            await at_home.seen(lambda n=number: at_home.dispatch.waiting(anna.id) == n + 1)
        with pytest.raises(TooMany, match="3 clips waiting in the relaxed lane, which is the most"):
            await at_home.ask(anna, "a ball --relaxed")
        with pytest.raises(NotEnoughCredits, match="A shorter or smaller clip costs less; or wait"):
            await at_home.ask(anna, DEAR)
        with pytest.raises(BadPrompt, match="--fast and --relaxed exclude each other"):
            await at_home.ask(anna, "a ball --relaxed --fast")
        assert await at_home.funds(anna) == (1, 0)
        assert await faults(at_home.store) == []


async def test_an_operator_may_have_no_relaxed_lane(tmp_path: Path) -> None:
    async with home(tmp_path, replace(A_DAY, daily=0), terms=Terms(relaxed=0)) as at_home:
        anna = await at_home.account("anna")
        with pytest.raises(Refused, match="There is no relaxed lane here"):
            await at_home.ask(anna, "a ball --relaxed")
        offer = await quoted(at_home, anna, "a ball")
        assert at_home.studio.viewed(offer).relaxed is None
        with pytest.raises(NotEnoughCredits, match="costs less; or ask for a shorter clip"):
            await at_home.ask(anna, "a ball")


async def test_lanes_go_in_their_order_and_recent_use_waits(tmp_path: Path) -> None:
    """And after a restart it is still known who used how much."""
    async with home(tmp_path) as at_home:
        people = {
            name: await at_home.account(name) for name in ("anna", "ben", "eve", "kim", "mia")
        }
        first = await at_home.ask(people["anna"], "a ball --relaxed")
        assert await render(at_home) == first.id
        await at_home.until(first, State.SUCCEEDED)
    async with home(tmp_path) as at_home:
        running = await at_home.ask(people["eve"], "a ball")
        attempt = await at_home.engine.next()
        assert attempt[0] == running.id
        jobs = [
            await at_home.ask(people[name], f"a ball {flag}")
            for name, flag in (
                ("anna", "--relaxed"), ("ben", "--relaxed"), ("mia", ""), ("kim", "--fast"),
            )
        ]  # fmt: skip
        wanted = [jobs[number].id for number in (3, 2, 1, 0)]
        await at_home.seen(lambda: at_home.dispatch.outlook(jobs[0]).position == 5)
        assert [at_home.dispatch.outlook(job).position for job in jobs] == [5, 4, 3, 2]
        at_home.engine.render(*attempt)
        assert [await render(at_home) for _ in jobs] == wanted


async def test_twenty_newcomers_start_within_two_rounds_of_a_greedy_account(
    tmp_path: Path,
) -> None:
    """One account queues 500, twenty queue one each. A round is a turn for everybody who waits."""
    async with home(tmp_path, replace(A_DAY, daily=1000, waiting=500)) as at_home:
        greedy = await at_home.account("greedy")
        one = await at_home.ask(greedy)
        running = await at_home.engine.next()
        for number in range(499):
            job = replace(one, id=f"greedy{number:06}", created_at=datetime.now(UTC))
            await at_home.store.jobs.submit(job, None, "")
        people = [await at_home.account(f"guest {number}") for number in range(20)]
        newcomers = {(await at_home.ask(person)).id for person in people}
        queued = at_home.dispatch.waiting
        await at_home.seen(
            lambda: queued(greedy.id) == 499 and all(queued(person.id) for person in people)
        )
        at_home.engine.render(*running)
        turns = [await render(at_home) for _ in range(2 * (len(people) + 1))]
        assert newcomers <= set(turns)
        assert [turn for turn in turns if turn not in newcomers]  # nor is the greedy one shut out
