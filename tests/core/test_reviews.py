"""The gates in the life of a job, and what people decide where the gates do not: over a real store,
with the rules that are shipped, and an inspector that sees what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.engine import Stage
from core.errors import BadPrompt, NotFound, Refused, TooMany, WrongState
from core.inspection import Said
from core.job import Account, Asks, Job, State
from core.moderation import Actor, Approve, Deny, DismissReports, Rank, TakeDown
from core.moderators import Moderators
from core.places import Post, Rules
from core.prompt import parse
from core.reviews import TOO_LATE
from core.safety.gate import Seen
from core.safety.level import Level
from core.safety.verdict import Clause
from tests.core.home import GRANT, Home, home
from tests.storage.books import faults
from tests.storage.samples import SetClock

PAGE = "web:page"
GORY = {Clause.GORE: 0.9}
NAKED = Seen({Clause.SEXUAL: 0.99})
FACE = Seen(faces=1)
MIA = Actor("Mia", Rank.OPERATOR)


class Place:
    """A home whose clock is set by hand, and who decides there."""

    def __init__(self, at_home: Home, clock: SetClock) -> None:
        self.home = at_home
        self.clock = clock
        self.acts = 0
        store, studio = at_home.store, at_home.studio
        self.moderators = Moderators(
            store.moderation, store.accounts, store.jobs, studio.terms.plans, studio.terms.zone,
            clock, frozenset(), studio.cancelled, studio.deleted, studio.means,
        )  # fmt: skip

    async def decide(self, kind: type[Approve | Deny | TakeDown | DismissReports], job: Job) -> str:
        self.acts += 1
        act = kind(account_id=job.account_id, job_id=job.id, reason="because")
        return (await self.moderators.do(MIA, act, f"act {self.acts}")).words

    async def job(self, job: Job) -> Job:
        found = await self.home.store.jobs.job(job.id)
        assert found is not None
        return found

    async def drawn(self, job: Job) -> Job:
        """Rendered, and past the gate or not."""
        job_id, attempt, spec = await self.home.engine.next()
        assert job_id == job.id
        self.home.engine.render(job_id, attempt, spec)
        async with asyncio.timeout(20):
            with self.home.bulletin.job(job.id) as changes:
                while not (found := await self.job(job)).state.ended:
                    await changes.changed(1.0)
        return found


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    clock = SetClock()
    async with home(tmp_path, clock=clock) as at_home:
        at_home.sight.texts = {"wound": GORY}
        yield Place(at_home, clock)
        assert await faults(at_home.store) == []


async def refused(place: Place, anna: Account, key: str | None = None) -> Job:
    place.home.sight.pictures = [NAKED]
    return await place.home.studio.submit(
        anna, PAGE, parse("a statue"), picture=b"a photograph", key=key
    )


async def held(place: Place, anna: Account, line: str = "a wound") -> Job:
    job = await place.home.ask(anna, line)
    assert (job.state, job.clause) == (State.HELD, Clause.GORE)
    return job


async def test_what_is_held_is_approved_paid_drawn_and_then_passes(place: Place) -> None:
    here = place.home
    anna = await here.account("anna")
    job = await held(place, anna)
    assert await here.funds(anna) == (GRANT, 0)
    assert job.decide_by == place.clock() + timedelta(hours=48)
    (waits,) = await here.reviews.pending(None)
    assert (waits.job.id, waits.author.id, waits.appealed) == (job.id, anna.id, False)
    assert [one.clause for one in waits.findings] == [Clause.GORE]
    assert await here.reviews.pending("discord:81") == []

    await place.decide(Approve, job)
    queued = await place.job(job)
    assert (queued.state, queued.cleared, queued.clause) == (State.QUEUED, True, None)
    assert queued.price is not None
    assert queued.credits == queued.price.credits > 0
    with pytest.raises(WrongState):
        await place.decide(Deny, job)
    here.sight.clips = [Seen(GORY)]  # a moderator knew
    done = await place.drawn(job)
    assert done.state is State.SUCCEEDED

    again = await here.studio.again(anna, PAGE, job.id)
    assert (again.state, again.cleared) == (State.QUEUED, True)
    other = await here.account("ben")
    assert (await here.ask(other, "a wound")).state is State.HELD
    await here.studio.cancel(anna, again.id)
    (one,) = await here.reviews.overturned()
    assert (one.text, one.finding.clause, one.level) == ("a wound", Clause.GORE, "standard")


async def test_who_can_t_pay_what_was_approved_is_asked_to(place: Place) -> None:
    here = place.home
    anna = await here.account("anna")
    job = await held(place, anna)
    while (await here.funds(anna))[0] >= (job.price.credits if job.price else 0):
        await here.ask(anna)
    await place.decide(Approve, job)
    offered = await place.job(job)
    assert (offered.state, offered.short, offered.credits) == (State.QUOTED, True, 0)
    taken = await here.studio.accept(anna, job.id, relaxed=True)
    assert (taken.state, taken.cleared) == (State.QUEUED, True)


async def test_what_was_only_to_be_quoted_is_quoted_once_it_is_approved(place: Place) -> None:
    here = place.home
    anna = await here.account("anna")
    job = await held(place, anna, "a wound --quote")
    await place.decide(Approve, job)
    offered = await place.job(job)
    assert (offered.state, offered.short, offered.cleared) == (State.QUOTED, False, True)
    assert await here.funds(anna) == (GRANT, 0)
    taken = await here.studio.accept(anna, job.id)
    assert (taken.state, taken.purse) == (State.QUEUED, None)


async def test_a_denial_says_why_and_is_final(place: Place) -> None:
    here = place.home
    anna, ben = await here.account("anna"), await here.account("ben")
    job = await held(place, anna)
    act = Deny(account_id=anna.id, job_id=job.id)
    with pytest.raises(BadPrompt, match="Say why"):
        await place.moderators.do(MIA, act, "no reason")
    await place.decide(Deny, job)
    denied = await place.job(job)
    assert (denied.state, denied.failure) == (State.REFUSED, "because")
    with pytest.raises(WrongState, match="final"):
        await here.reviews.appeal(anna, job.id)
    late = await held(place, anna)
    place.clock.forward(hours=49)
    await here.reviews.sweep()
    over = await place.job(late)
    assert (over.state, over.failure) == (State.REFUSED, TOO_LATE)
    with pytest.raises(NotFound):
        await here.reviews.appeal(ben, late.id)
    assert (await here.funds(anna))[1] == 0


async def test_a_clip_that_does_not_pass_is_nobody_s_until_an_appeal(place: Place) -> None:
    here = place.home
    anna = await here.account("anna")
    here.sight.clips = [Seen(GORY, at=2.4)]
    job = await here.ask(anna)
    stopped = await place.drawn(job)
    assert (stopped.state, stopped.clause, stopped.clip) == (State.REFUSED, Clause.GORE, None)
    assert stopped.findings[0].where == "clip at 2.4 s"
    assert await here.funds(anna) == (GRANT, 0)
    assert not any(here.store.files.clips.iterdir())  # type: ignore[attr-defined]
    assert (await here.reviews.strikes(anna.id)).strikes == []

    appealed = await here.reviews.appeal(anna, job.id, "it is ketchup")
    assert await here.reviews.appeal(anna, job.id) == appealed
    (waits,) = await here.reviews.pending(None)
    assert (waits.appealed, waits.words) == (True, "it is ketchup")
    await place.decide(Approve, job)
    assert (await place.drawn(job)).state is State.SUCCEEDED
    available, waiting = await here.funds(anna)
    assert (available, waiting) == (GRANT - job.credits, 0)
    here.sight.clips = [OSError("killed")]
    unseen = await place.drawn(await here.studio.again(anna, PAGE, job.id))
    assert (unseen.cleared, unseen.state, unseen.clause) == (
        True, State.REFUSED, Clause.UNCHECKED
    )  # fmt: skip


@pytest.mark.parametrize("broken", [OSError("killed"), TimeoutError(), MemoryError()])
async def test_where_nobody_can_look_nothing_is_made(place: Place, broken: Exception) -> None:
    here = place.home
    anna = await here.account("anna")
    here.sight.clips = [broken]
    ended = await place.drawn(await here.ask(anna))
    assert (ended.state, ended.clause) == (State.REFUSED, Clause.UNCHECKED)
    here.sight.pictures = [broken]
    job = await here.studio.submit(anna, PAGE, parse("a ball"), picture=b"a photograph")
    assert (job.state, job.clause, job.request.picture) == (State.REFUSED, Clause.UNCHECKED, None)
    assert await here.funds(anna) == (GRANT, 0)
    assert (await here.reviews.strikes(anna.id)).strikes == []
    assert not job.appealable


async def test_strikes_lead_to_a_cool_down_and_fade(place: Place) -> None:
    here = place.home
    anna = await here.account("anna")
    first = await refused(place, anna, "key")
    assert (first.state, first.clause, first.credits) == (State.REFUSED, Clause.SEXUAL, 0)
    assert first.request.picture is None
    assert not any(here.store.files.pictures.iterdir())  # type: ignore[attr-defined]
    assert not first.appealable  # nobody kept what could be looked at
    assert (await refused(place, anna, "key")).id == first.id
    assert len((await here.reviews.strikes(anna.id)).strikes) == 1
    warnings = [first.warning] + [(await refused(place, anna)).warning for _ in range(2)]
    assert warnings[:2] == ["", "One more today, and nothing is taken from you for an hour."]
    assert warnings[2].startswith("Nothing is taken from you until ")
    standing = await here.reviews.strikes(anna.id)
    assert standing.until == place.clock() + timedelta(hours=1)
    with pytest.raises(Refused, match=r"3 of your asks were refused within a day.*appeal them"):
        await here.ask(anna)
    place.clock.forward(hours=2)
    assert (await here.ask(anna)).state is State.QUEUED
    place.clock.forward(days=31)
    assert (await here.reviews.strikes(anna.id)).strikes == []


async def test_a_strike_doesn_t_count_while_a_moderator_is_asked(place: Place) -> None:
    here = place.home
    anna = await here.account("anna")
    jobs = [await here.ask(anna, "a severed head in a pool of blood") for _ in range(3)]
    assert {job.state for job in jobs} == {State.REFUSED}
    for decision, job in ((Approve, jobs[0]), (Deny, jobs[1])):
        before = await here.reviews.strikes(anna.id)
        await here.reviews.appeal(anna, job.id)
        asked = await here.reviews.strikes(anna.id)
        assert (len(asked.strikes), asked.until) == (len(before.strikes) - 1, None)
        await place.decide(decision, job)
    assert len((await here.reviews.strikes(anna.id)).strikes) == 2


async def test_what_a_moderator_let_pass_passes_wherever_its_words_come_from(place: Place) -> None:
    here = place.home
    anna, ben = await here.account("anna"), await here.account("ben")
    line = "a severed head in a pool of blood"
    job = await here.ask(anna, line)
    await here.reviews.appeal(anna, job.id)
    await place.decide(Approve, job)
    again = await here.ask(anna, f"{line} --seed {job.request.seed}")
    assert (again.state, again.cleared) == (State.QUEUED, True)
    elsewhere = await here.studio.submit(anna, "discord:81/9/1", parse(line))
    others = [await here.ask(ben, line), await here.ask(anna, f"{line}, smiling"), elsewhere]
    here.sight.pictures = [Seen()]
    others.append(await here.studio.submit(anna, PAGE, parse(line), picture=b"a photograph"))
    assert {one.state for one in others} == {State.REFUSED}


async def test_a_face_needs_its_sender_s_word_once(place: Place) -> None:
    here = place.home
    anna, ben = await here.account("anna"), await here.account("ben")
    here.sight.pictures = [FACE]
    asked = await here.studio.submit(anna, PAGE, parse("a ball"), picture=b"anna")
    assert (asked.state, asked.clause, asked.asks) == (State.QUOTED, Clause.CONSENT, Asks.SENDER)
    with pytest.raises(WrongState, match="face"):
        await here.studio.accept(anna, asked.id)
    taken = await here.studio.accept(anna, asked.id, attest=True)
    assert (taken.state, taken.clause, taken.asks) == (State.QUEUED, None, None)
    for account, expected in ((anna, State.QUEUED), (ben, State.QUOTED)):
        job = await here.studio.submit(account, PAGE, parse("a ball"), picture=b"anna")
        assert job.state is expected
    said = Said(attest=True)
    job = await here.studio.submit(ben, PAGE, parse("a ball"), picture=b"ben", said=said)
    assert job.state is State.QUEUED


async def test_a_picture_that_nobody_looked_at_is_looked_at_later(place: Place) -> None:
    here = place.home
    anna, ben = await here.account("anna"), await here.account("ben")
    here.sight.pictures = [FACE]
    said = Said(attest=True)
    his = await here.studio.submit(ben, PAGE, parse("a ball"), picture=b"ben", said=said)
    here.sight.texts["a hat"] = OSError("killed")
    lost = await here.studio.submit(anna, PAGE, parse("a hat"), variant_of=his.id, remix=True)
    assert (lost.state, lost.clause) == (State.REFUSED, Clause.UNCHECKED)
    edited = await here.studio.submit(anna, PAGE, parse("a cap"), variant_of=lost.id)
    assert (edited.state, edited.asks) == (State.QUOTED, Asks.SENDER)


async def test_whom_a_picture_shows_decides(place: Place) -> None:
    here = place.home
    anna, ben = await here.account("anna"), await here.account("ben")
    shows = Said(subject=ben)
    with pytest.raises(BadPrompt, match="picture"):
        await here.studio.submit(anna, PAGE, parse("a ball"), said=shows)
    jobs = [
        await here.studio.submit(anna, PAGE, parse(line), picture=b"ben", said=shows)
        for line in ("a ball", "a wound", "a hat")
    ]
    assert {(job.state, job.clause, job.asks) for job in jobs} == {
        (State.HELD, Clause.CONSENT, Asks.SUBJECT)
    }
    assert await here.reviews.pending(None) == []
    assert [job.id for job in await here.reviews.asked(ben)] == [job.id for job in jobs]
    names = [(await here.store.moderation.identities(one.id))[0] for one in (anna, ben)]
    with pytest.raises(NotFound):
        await here.reviews.consent(names[0], jobs[0].id, True)
    with pytest.raises(WrongState):
        await place.decide(Approve, jobs[0])
    ball = await here.reviews.consent(names[1], jobs[0].id, True)
    assert (ball.state, ball.clause, ball.cleared) == (State.QUEUED, None, False)
    wound = await here.reviews.consent(names[1], jobs[1].id, True)
    assert (wound.state, wound.clause) == (State.HELD, Clause.GORE)
    assert [one.job.id for one in await here.reviews.pending(None)] == [wound.id]
    for agreed in (False, True):
        hat = await here.reviews.consent(names[1], jobs[2].id, agreed)
        assert (hat.state, hat.clause) == (State.REFUSED, Clause.CONSENT)
    for said in (Said(attest=True), Said(subject=anna)):  # nobody says yes in their place
        once_more = await here.studio.submit(
            anna, PAGE, parse("a cap"), variant_of=hat.id, said=said
        )
        assert (once_more.state, once_more.asks) == (State.HELD, Asks.SUBJECT)
    assert (await here.reviews.strikes(anna.id)).strikes == []


async def test_what_is_reported_is_dismissed_or_taken_down_with_what_was_made_of_it(
    place: Place,
) -> None:
    here = place.home
    anna, ben = await here.account("anna"), await here.account("ben")
    here.sight.clips = [Seen(hashes=("0" * 64,))]
    clip = await place.drawn(await here.ask(anna))
    child = await here.studio.submit(ben, PAGE, parse("a hat"), variant_of=clip.id, remix=True)
    await here.store.places.report(clip.id, ben.id, PAGE, place.clock())
    (one,) = await here.reviews.reports(None)
    assert (one.job.id, one.by) == (clip.id, 1)
    await place.decide(DismissReports, clip)
    assert await here.reviews.reports(None) == []
    with pytest.raises(WrongState):
        await place.decide(DismissReports, clip)

    assert "1 clip made from it" in await place.decide(TakeDown, clip)
    for job in (clip, child):
        assert (await place.job(job)).deleted
    assert not any(here.store.files.clips.iterdir())  # type: ignore[attr-defined]
    assert list(await here.store.blocked.hashes()) == ["0" * 64]
    assert await here.funds(ben) == (GRANT, 0)


async def test_a_clip_that_ends_while_it_is_taken_down_leaves_no_file(place: Place) -> None:
    here = place.home
    anna = await here.account("anna")
    job = await here.ask(anna)
    store = here.store
    whole = store.jobs.lineage

    async def lineage(job_id: str) -> Sequence[Job]:
        before = await whole(job_id)
        assert (await place.drawn(job)).clip is not None
        return before

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.jobs, "lineage", lineage)
        await place.decide(TakeDown, job)
    assert (await place.job(job)).deleted
    assert not any(store.files.clips.iterdir())  # type: ignore[attr-defined]


async def test_a_clip_can_be_stopped_while_it_is_looked_at(place: Place) -> None:
    here = place.home
    anna = await here.account("anna")
    looking, over = asyncio.Event(), asyncio.Event()

    async def slowly(video: Path) -> Seen:
        looking.set()
        await over.wait()
        return Seen()

    here.sight.clip = slowly  # type: ignore[method-assign]
    job = await here.ask(anna)
    other = await here.ask(await here.account("ben"))
    job_id, attempt, spec = await here.engine.next()
    here.engine.render(job_id, attempt, spec)
    await looking.wait()
    seen = (await here.studio.view(anna, job.id)).outlook
    assert seen is not None
    assert seen.stage == Stage.CHECKING
    assert (await here.engine.next())[0] == other.id  # which need not wait for that
    await here.studio.cancel(anna, job.id)
    ended = await here.until(job, State.CANCELLED)
    assert (ended.clip, ended.charged) == (None, job.credits)


async def test_a_stricter_place_and_too_much_that_waits(place: Place) -> None:
    here = place.home
    anna = await here.account("anna")
    here.sight.texts = {"scratch": {Clause.GORE: 0.4}}
    assert (await here.ask(anna, "a scratch")).state is State.QUEUED
    lobby = here.lobby
    await lobby.set_rules("discord:81", Rules(level=Level.STRICT))
    strict = [
        await here.studio.submit(anna, "discord:81/9/1", parse("a scratch")) for _ in range(5)
    ]
    assert {(job.state, job.level) for job in strict} == {(State.HELD, Level.STRICT)}
    with pytest.raises(TooMany, match="somebody to decide"):
        await here.studio.submit(anna, "discord:81/9/1", parse("a scratch"))
    loose = await here.ask(anna, "a scratch")
    cleared = replace(strict[0], cleared=True)
    for job, server, shown in (
        (loose, 81, False), (loose, 82, True), (cleared, 81, True), (cleared, 82, False)
    ):  # fmt: skip
        post = Post(f"discord:{server}/9/1", "anna", 1, member=True)
        with nullcontext() if shown else pytest.raises(Refused, match="more is allowed"):
            lobby.check_shown(job, post)
    assert len(await here.reviews.pending("discord:81")) == 5
    assert len(await here.reviews.pending("discord:81", after=strict[1].id)) == 3
