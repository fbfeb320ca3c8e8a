"""Jobs on their way through the dispatcher, over a real store, with an engine that obeys."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.engine import Stage
from core.errors import NotEnoughCredits, NotFound, TooMany, Transient, UserError, WrongState
from core.job import Clip, Job, State
from core.plans import FREE, Plan
from core.ports import Jobs, Moderation
from core.prompt import parse
from core.restraints import Restraint
from core.sources import CLIP_GONE, PICTURE_GONE
from tests.core.home import GRANT, Home, home


async def test_a_clip_is_held_captured_and_delivered_once(at_home: Home) -> None:
    anna = await at_home.account("anna")
    job = await at_home.ask(anna)
    assert await at_home.funds(anna) == (GRANT - job.credits, job.credits)
    job_id, attempt, spec = await at_home.engine.next()
    assert (job_id, attempt, spec.request) == (job.id, 1, job.request)
    at_home.engine.render(job_id, attempt, spec)
    done = await at_home.until(job, State.SUCCEEDED)
    assert await at_home.funds(anna) == (GRANT - job.credits, 0)
    assert done.clip is not None
    assert done.clip.video.read_bytes() == b"a clip"
    due = await at_home.store.outbox.lease(datetime.now(UTC), 60, 10)
    assert [delivery.job_id for delivery in due] == [job.id]


async def test_the_loading_of_a_model_takes_nothing_off_a_clips_own_time(at_home: Home) -> None:
    job = await at_home.ask(await at_home.account("anna"))
    whole = at_home.studio.viewed(job).outlook
    assert whole is not None
    job_id, attempt, spec = await at_home.engine.next()
    for stage in (Stage.LOADING, Stage.RENDERING):
        with at_home.bulletin.job(job.id) as subscription:
            at_home.engine.enter(job_id, attempt, stage)
            async with asyncio.timeout(20):
                while (seen := at_home.dispatch.outlook(job)).stage != stage:
                    await subscription.changed(1.0)
        if stage is Stage.LOADING:
            assert at_home.dispatch.outlook(job).left == seen.left == whole.left
    at_home.engine.render(job_id, attempt, spec)
    await at_home.until(job, State.SUCCEEDED)


async def test_a_lost_attempt_is_queued_again_and_its_zombie_changes_nothing(
    at_home: Home,
) -> None:
    anna = await at_home.account("anna")
    job = await at_home.ask(anna)
    job_id, first, old = await at_home.engine.next()
    at_home.engine.lose(job_id, first)
    _, second, spec = await at_home.engine.next()
    assert second == first + 1
    old.folder.mkdir(exist_ok=True)
    at_home.engine.render(job_id, first, old)
    at_home.engine.progress(job_id, second, 5, 10)
    with at_home.bulletin.job(job.id) as subscription:
        await subscription.changed(5.0)
    assert (await at_home.studio.view(anna, job.id)).job.state is State.RUNNING
    at_home.engine.render(job_id, second, spec)
    done = await at_home.until(job, State.SUCCEEDED)
    assert (done.attempt, done.losses) == (second, 1)
    assert await at_home.funds(anna) == (GRANT - job.credits, 0)


async def test_three_losses_end_in_failure_and_a_refund(at_home: Home) -> None:
    anna = await at_home.account("anna")
    job = await at_home.ask(anna)
    for _ in range(3):
        job_id, attempt, _ = await at_home.engine.next()
        at_home.engine.lose(job_id, attempt)
    failed = await at_home.until(job, State.FAILED)
    assert failed.failure == "The renderer gave up on this clip 3 times."
    assert failed.reference
    assert await at_home.funds(anna) == (GRANT, 0)


async def test_a_failure_keeps_its_sentence_and_the_next_job_goes_on(at_home: Home) -> None:
    anna = await at_home.account("anna")
    poison, good = await at_home.ask(anna), await at_home.ask(anna)
    job_id, attempt, _ = await at_home.engine.next()
    at_home.engine.fail(job_id, attempt)
    failed = await at_home.until(poison, State.FAILED)
    assert (failed.failure, failed.reference) == ("It did not fit.", "ref12345")
    job_id, attempt, spec = await at_home.engine.next()
    assert job_id == good.id
    at_home.engine.render(job_id, attempt, spec)
    await at_home.until(good, State.SUCCEEDED)
    assert await at_home.funds(anna) == (GRANT - good.credits, 0)


async def test_cancelling_refunds_once_wherever_the_job_is(at_home: Home) -> None:
    anna = await at_home.account("anna")
    running, waiting = await at_home.ask(anna), await at_home.ask(anna)
    job_id, attempt, _ = await at_home.engine.next()
    cancelled = await at_home.studio.cancel(anna, waiting.id)
    assert cancelled.state is State.CANCELLED
    await at_home.studio.cancel(anna, running.id)
    async with asyncio.timeout(10):
        assert await at_home.engine.asked_to_stop.get() == (job_id, attempt)
    at_home.engine.stop(job_id, attempt)
    await at_home.until(running, State.CANCELLED)
    assert await at_home.funds(anna) == (GRANT, 0)
    with pytest.raises(WrongState, match="already ended: it was cancelled"):
        await at_home.studio.cancel(anna, running.id)
    assert await at_home.funds(anna) == (GRANT, 0)


async def test_a_clip_that_comes_after_its_cancel_is_not_paid_for(at_home: Home) -> None:
    anna = await at_home.account("anna")
    job = await at_home.ask(anna)
    job_id, attempt, spec = await at_home.engine.next()
    await at_home.studio.cancel(anna, job.id)
    at_home.engine.render(job_id, attempt, spec)
    await at_home.until(job, State.CANCELLED)
    assert await at_home.funds(anna) == (GRANT, 0)
    assert not spec.folder.exists()


async def test_a_restart_takes_up_what_was_running(tmp_path: Path) -> None:
    async with home(tmp_path) as before:
        anna = await before.account("anna")
        job, stopped = await before.ask(anna), await before.ask(anna)
        job_id, attempt, _ = await before.engine.next()
        assert job_id == job.id
        await before.until(job, State.RUNNING)
    async with home(tmp_path) as after:
        job_id, attempt, spec = await after.engine.next()
        assert (job_id, attempt) == (job.id, 2)
        after.engine.render(job_id, attempt, spec)
        done = await after.until(job, State.SUCCEEDED)
        assert done.losses == 0
        await after.engine.next()
        await after.studio.cancel(anna, stopped.id)
    async with home(tmp_path) as again:
        await again.until(stopped, State.CANCELLED)
        assert await again.funds(anna) == (GRANT - job.credits, 0)


async def test_accounts_take_turns(at_home: Home) -> None:
    names = ("anna", "ben", "cleo")
    accounts = {name: await at_home.account(name) for name in names}
    blocker = await at_home.ask(accounts["anna"])
    job_id, attempt, spec = await at_home.engine.next()
    asked = [("anna", await at_home.ask(accounts["anna"])) for _ in range(6)]
    asked += [(name, await at_home.ask(accounts[name])) for name in ("ben", "cleo")]
    owner = {job.id: name for name, job in asked}
    at_home.engine.render(job_id, attempt, spec)
    await at_home.until(blocker, State.SUCCEEDED)
    served = []
    for _ in asked:
        job_id, attempt, spec = await at_home.engine.next()
        served.append(owner[job_id])
        at_home.engine.render(job_id, attempt, spec)
    assert set(served[:2]) == {"ben", "cleo"}
    assert served.count("anna") == 6


async def test_a_position_counts_who_is_ahead_and_moves(at_home: Home) -> None:
    anna, ben = await at_home.account("anna"), await at_home.account("ben")
    first = await at_home.ask(anna)
    job_id, attempt, spec = await at_home.engine.next()
    second, third = await at_home.ask(anna), await at_home.ask(ben)
    with at_home.bulletin.job(third.id) as subscription:
        await subscription.changed(5.0)
    seen = await at_home.studio.view(ben, third.id)
    assert seen.outlook is not None
    assert (seen.outlook.position, seen.outlook.ahead) == (2, 1)
    assert 0 < seen.outlook.left.low < seen.outlook.left.high
    at_home.engine.render(job_id, attempt, spec)
    await at_home.until(first, State.SUCCEEDED)
    running = await at_home.until(third, State.RUNNING)
    at_home.engine.progress(running.id, running.attempt, 3, 10)
    with at_home.bulletin.job(third.id) as subscription:
        await subscription.changed(5.0)
    outlook = (await at_home.studio.view(ben, third.id)).outlook
    assert outlook is not None
    assert (outlook.position, outlook.step, outlook.steps) == (0, 3, 10)
    outlook = (await at_home.studio.view(anna, second.id)).outlook
    assert outlook is not None
    assert outlook.position == 2


async def test_what_cannot_be_paid_or_queued_leaves_no_trace(tmp_path: Path) -> None:
    async with home(tmp_path, Plan(FREE, daily=GRANT, waiting=3)) as at_home:
        anna = await at_home.account("anna")
        with pytest.raises(NotEnoughCredits, match="costs 24 and you have 20"):
            await at_home.studio.submit(
                anna, "web:page", parse("zoom in --seconds 60 --res 1080p"), picture=b"photo"
            )
        assert list((tmp_path / "pictures").iterdir()) == []
        await at_home.ask(anna)
        await at_home.engine.next()
        asked = [await at_home.ask(anna) for _ in range(3)]
        with at_home.bulletin.account(anna.id) as subscription, suppress(TimeoutError):
            async with asyncio.timeout(5):
                while True:
                    outlook = (await at_home.studio.view(anna, asked[-1].id)).outlook
                    assert outlook is not None
                    if outlook.position == 4:
                        break
                    await subscription.changed(1.0)
        with pytest.raises(TooMany, match="3 clips waiting, which is the most"):
            await at_home.ask(anna)
        assert len(await at_home.studio.history(anna, limit=50)) == 4


async def test_a_key_makes_one_job_of_many_tries(at_home: Home) -> None:
    anna = await at_home.account("anna")

    async def ask(line: str) -> Job:
        return await at_home.studio.submit(
            anna, "web:page", parse(line), picture=b"photo", key="once"
        )

    jobs = await asyncio.gather(*(ask("zoom in") for _ in range(20)))
    assert len({job.id for job in jobs}) == 1
    with pytest.raises(WrongState, match="another request"):
        await ask("zoom out")
    assert (await at_home.funds(anna))[1] == jobs[0].credits


async def test_variants_that_outbid_each_other_are_all_accounted_for(at_home: Home) -> None:
    """Whoever is told that it can't be done has nothing queued and nothing held."""
    anna = await at_home.account("anna")
    job = await at_home.ask(anna)
    at_home.engine.render(*await at_home.engine.next())
    await at_home.until(job, State.SUCCEEDED)
    answers = await asyncio.gather(
        *(at_home.studio.variants(anna, f"odd:{n}", job.id, 4) for n in range(5)),
        return_exceptions=True,
    )
    for number, answer in enumerate(answers):
        there = await at_home.store.jobs.at(f"odd:{number}")
        if isinstance(answer, BaseException):
            assert isinstance(answer, NotEnoughCredits)
            assert not there
        else:
            assert {one.id for one in there} == {one.id for one in answer}
    assert any(isinstance(answer, NotEnoughCredits) or len(answer) < 4 for answer in answers)


async def test_varying_extending_and_deleting(at_home: Home) -> None:
    anna, ben = await at_home.account("anna"), await at_home.account("ben")
    job = await at_home.studio.submit(
        anna, "web:page", parse("zoom in --seconds 2 --seed 5"), picture=b"photo"
    )
    job_id, attempt, spec = await at_home.engine.next()
    with pytest.raises(WrongState, match="still being made"):
        await at_home.studio.delete(anna, job.id)
    at_home.engine.render(job_id, attempt, spec)
    await at_home.until(job, State.SUCCEEDED)
    for theirs in (at_home.studio.delete, at_home.studio.view, at_home.studio.cancel):
        with pytest.raises(NotFound):
            await theirs(ben, job.id)

    again = await at_home.studio.again(anna, "web:page", job.id)
    assert again.request.seed != 5
    assert (again.parent, again.request.picture) == (job.id, job.request.picture)
    job_id, attempt, spec = await at_home.engine.next()
    at_home.engine.fail(job_id, attempt)
    await at_home.until(again, State.FAILED)

    longer = await at_home.studio.extend(anna, "web:page", job.id, 3.0)
    _, attempt, spec = await at_home.engine.next()
    assert spec.previous is not None
    assert spec.previous.read_bytes() == b"a clip"
    at_home.engine.fail(longer.id, attempt)
    await at_home.until(longer, State.FAILED)

    picture = await at_home.store.files.picture(job.request.picture or "")
    assert picture is not None
    for one in (again, longer, job):
        await at_home.studio.delete(anna, one.id)
    assert not picture.exists()
    assert not spec.previous.exists()
    assert await at_home.studio.history(anna, limit=10) == []


async def test_bad_words_cost_nothing(at_home: Home) -> None:
    anna = await at_home.account("anna")
    for line in ("", "x --seconds 99", "x --model nobody", "x --camera static"):
        with pytest.raises(UserError):
            await at_home.ask(anna, line)
    assert await at_home.funds(anna) == (GRANT, 0)
    assert await at_home.studio.history(anna, limit=10) == []


class Forgetful:
    """Jobs whose first finished clip is written down, but not acknowledged."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._forgot = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._jobs, name)

    async def finish(
        self,
        job_id: str,
        attempt: int,
        clip: Clip,
        run_seconds: float,
        now: datetime,
        hashes: Sequence[str] = (),
    ) -> Job | None:
        done = await self._jobs.finish(job_id, attempt, clip, run_seconds, now, hashes)
        if not self._forgot:
            self._forgot = True
            raise Transient("the connection broke", 0.1)
        return done


async def test_a_clip_survives_a_lost_acknowledgement(tmp_path: Path) -> None:
    async with home(tmp_path, jobs_as=Forgetful) as at_home:  # type: ignore[arg-type]
        anna = await at_home.account("anna")
        job, after = await at_home.ask(anna), await at_home.ask(anna)
        at_home.engine.render(*await at_home.engine.next())
        assert (await at_home.engine.next())[0] == after.id
        done = await at_home.until(job, State.SUCCEEDED)
        assert done.clip is not None
        assert done.clip.video.read_bytes() == b"a clip"
        assert await at_home.funds(anna) == (GRANT - job.credits - after.credits, after.credits)


class Thoughtful:
    """Moderation that takes its time to say what is paused: until `says` is set."""

    def __init__(self, moderation: Moderation) -> None:
        self._moderation = moderation
        self.says = asyncio.Event()
        self.says.set()
        self.asked: set[int] = set()

    def __getattr__(self, name: str) -> object:
        return getattr(self._moderation, name)

    async def restraints(self, account_ids: Collection[int], now: datetime) -> Sequence[Restraint]:
        self.asked = set(account_ids)
        await self.says.wait()
        return await self._moderation.restraints(account_ids, now)


async def test_an_outlook_stands_while_the_queue_is_looked_at_again(tmp_path: Path) -> None:
    """Whoever was ahead is gone already, and the queue is not ordered yet."""
    thoughtful: list[Thoughtful] = []

    def moderation_as(moderation: Moderation) -> Moderation:
        thoughtful.append(Thoughtful(moderation))
        return thoughtful[0]  # type: ignore[return-value]

    async with home(tmp_path, moderation_as=moderation_as) as at_home:
        (slow,) = thoughtful
        anna, ben, cleo = [await at_home.account(name) for name in ("anna", "ben", "cleo")]
        await at_home.ask(anna)
        await at_home.engine.next()
        ahead, last = await at_home.ask(ben), await at_home.ask(cleo)
        async with asyncio.timeout(20):
            while at_home.dispatch.waiting(cleo.id) == 0:
                await asyncio.sleep(0)
            slow.says.clear()
            await at_home.studio.cancel(ben, ahead.id)
            while slow.asked != {cleo.id}:
                await asyncio.sleep(0)
            assert (await at_home.studio.view(cleo, last.id)).outlook is not None
            slow.says.set()
            while (outlook := at_home.studio.viewed(last).outlook) is None or outlook.position > 2:
                await asyncio.sleep(0)


async def test_a_clip_past_its_time_goes_and_its_job_stays(tmp_path: Path) -> None:
    async with home(tmp_path, keep=timedelta(0)) as at_home:
        anna = await at_home.account("anna")
        job = await at_home.ask(anna)
        at_home.engine.render(*await at_home.engine.next())
        done = await at_home.until(job, State.SUCCEEDED)
        assert done.clip is not None
        assert done.clip.video.exists()
        await at_home.studio.sweep()
        seen = (await at_home.studio.view(anna, job.id)).job
        assert (seen.state, seen.clip) == (State.SUCCEEDED, None)
        assert not done.clip.video.exists()
        assert not done.clip.poster.exists()


async def test_an_attempt_that_cannot_start_is_refunded_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    """The folder for an attempt can't be made, three times."""
    async with home(tmp_path) as at_home:
        anna = await at_home.account("anna")
        work = tmp_path / "work"
        work.rmdir()
        work.write_text("in the way")
        job = await at_home.ask(anna)
        failed = await at_home.until(job, State.FAILED)
        assert failed.failure == "The renderer gave up on this clip 3 times."
        assert await at_home.funds(anna) == (GRANT, 0)
        work.unlink()
        work.mkdir()
        after = await at_home.ask(anna)
        at_home.engine.render(*await at_home.engine.next())
        await at_home.until(after, State.SUCCEEDED)


async def test_what_a_clip_begins_with_may_be_gone_when_its_turn_comes(at_home: Home) -> None:
    """It fails with a sentence, and costs nothing; the queue goes on."""
    anna, store = await at_home.account("anna"), at_home.store
    moves = parse("zoom in --seconds 1 --res 480p")
    first = await at_home.studio.submit(anna, "web:page", moves, picture=b"a beach")
    at_home.engine.render(*await at_home.engine.next())
    done = await at_home.until(first, State.SUCCEEDED)
    before = await at_home.funds(anna)
    ahead = await at_home.ask(await at_home.account("ben"))
    running = await at_home.engine.next()
    drawn = await at_home.studio.submit(anna, "web:page", moves, picture=b"a photograph")
    longer = await at_home.studio.extend(anna, "web:page", done.id, 1.0)
    for picture in drawn.request.pictures:
        await store.files.drop_picture(picture)
    await at_home.studio.delete(anna, done.id)
    at_home.engine.render(*running)
    await at_home.until(ahead, State.SUCCEEDED)
    for job, gone in ((drawn, PICTURE_GONE), (longer, CLIP_GONE)):
        failed = await at_home.until(job, State.FAILED)
        assert failed.failure == gone
    assert await at_home.funds(anna) == before
    await at_home.ask(anna)
    assert (await at_home.engine.next())[1] == 1
