"""What is refused, appealed, held, reported and taken down on Telegram, as people see it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from bots.thumb import SIDES as NOTHING_THERE
from core.safety.gate import Seen
from core.safety.level import Level
from core.safety.verdict import Clause
from storage.tables import JOB
from tests.bots.projector import Projector
from tests.bots.telegram.cinema import PICTURE, Cinema, cinema, is_clip, labels, opened
from tests.sight import Blind
from tests.telegram.people import Person
from tests.telegram.server import Standin
from tests.telegram.world import Message

pytestmark = pytest.mark.timeout(300)

GORY = "a beheaded knight, red sky"
HELD = "a knight, bleeding"


def kinds(message: Message) -> set[str]:
    """What stands on its words."""
    return {entity["type"] for entity in message.entities}


async def told(here: Cinema, person: Person, words: str) -> Message:
    """The newest message in somebody's own chat that has these words."""

    def found() -> Message | None:
        return next((m for m in reversed(person.messages()) if words in m.text), None)

    message = await here.telegram.world.until(found, f"{person.user.first_name} told {words!r}")
    assert message is not None
    return message


async def test_an_appeal_from_a_refused_prompt_to_a_clip(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    scene = telegram_standin.scene
    async with cinema(telegram_standin, tmp_path) as here:
        anna, ben, mia, group = here.anna, here.ben, here.mia, here.group
        before = await here.funds(anna)
        card = await here.answer(anna.say(f"/create {GORY} --seconds 1", group), "can't make this")
        assert "No gore" in card.text
        assert "Nothing was charged" in card.text
        assert "spoiler" in kinds(card)
        assert labels(card) == ["Edit", "Appeal", "Delete"]
        assert "Anna's clip" in (await ben.press(card, "Appeal").answer())["text"]
        first, second = anna.press(card, "Appeal"), anna.press(card, "Appeal")
        for press in (first, second):
            assert "A moderator decides by" in (await press.answer())["text"]
        await here.until(card, lambda m: "Waiting for a moderator" in m.text)
        (why,) = [m for m in here.answers(card) if m.asks]
        assert why.text.startswith("Anna: Why may it be made?")
        theirs = ben.say("I like it", group, reply_to=why)
        await here.answer(theirs, "There is no such clip")
        await here.answer(anna.say("It is a puppet play", group, reply_to=why), "Noted")
        await here.gone(why)
        assert await here.funds(anna) == before
        await here.answer(ben.say("/mod queue", group), "Only the administrators")
    async with opened(telegram_standin, tmp_path) as home:
        await here.answer(mia.say("/mod queue", group), "our own chat")
        waiting = await told(here, mia, "It is a puppet play")
        assert (GORY in waiting.text, "spoiler" in kinds(waiting)) == (True, True)
        scene.promote(group, ben)
        ben.say("/mod queue", group)
        late = await told(here, ben, "It is a puppet play")
        mia.press(waiting, "Approve")
        await here.until(waiting, lambda m: "is approved" in m.text and not labels(m))
        await here.until(card, is_clip)
        assert "waits for no moderator" in (await ben.press(late, "Deny").answer())["text"]
        (job,) = await replace(here, home=home).jobs(anna)
        assert (job.cleared, job.charged) == (True, 1)
        (row,) = await home.store.moderation.rows(1, newest=True)
        assert (row.who, row.act) == (f"Mia (telegram:{mia.id})", "approve")


async def test_what_is_held_is_denied_with_a_reason_or_cancelled(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    mia_s = 1003  # the third person of the stand-in
    async with cinema(telegram_standin, tmp_path, operators=f"telegram:{mia_s}") as here:
        anna, ben, mia = here.anna, here.ben, here.mia
        card = await here.answer(anna.say(HELD), "Waiting for a moderator")
        assert labels(card) == ["Cancel"]
        photo = anna.photo(PICTURE, "a carnage")
        other = await here.answer(photo, "Waiting for a moderator")
        await here.answer(mia.say("/mod queue", here.group), "Nothing waits")
        mia.say("/mod queue")
        second = await told(here, mia, "a carnage")
        covered = next(m for m in mia.messages() if m.id == second.reply_to)
        assert covered.media is not None
        assert covered.media.covered
        first = await told(here, mia, HELD)
        assert first.reply_to is None

        mia.press(first, "Deny")
        why = await told(here, mia, "Why not?")
        assert why.asks
        mia.say("Not in front of the children", reply_to=why)
        await here.until(first, lambda m: "is refused" in m.text and not labels(m))
        await here.gone(why)
        denied = await here.until(card, lambda m: "Not in front of the children" in m.text)
        assert labels(denied) == ["Edit", "Delete"]
        again = anna.press_data(denied, f"kn:appeal:{(await here.jobs(anna))[1].id}")
        assert "that is final" in (await again.answer())["text"]

        anna.press(other, "Cancel")
        await here.until(other, lambda m: "Cancelled" in m.text)
        assert "waits for no" in (await mia.press(second, "Approve").answer())["text"]
        assert await here.funds(anna) == (1000, 0)
        hers = await here.answer(ben.say(HELD), "Waiting for a moderator")
        assert hers.chat_id == ben.id


async def test_a_clip_that_shows_what_may_not_be_reaches_nobody(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    eyes, engine = Blind(), Projector()
    async with cinema(telegram_standin, tmp_path, inspector=eyes, engine=engine) as here:
        anna, group = here.anna, here.group
        card = await here.answer(anna.say("/create a knight --seconds 1", group), "a knight")
        job_id, attempt, spec = await engine.next()
        eyes.clips = [Seen(scores={Clause.GORE: 0.99})]
        engine.show(job_id, attempt, 3, 8, PICTURE)
        await here.until(card, lambda m: m.media is not None)
        await engine.finish(job_id, attempt, spec)
        refused = await here.until(card, lambda m: "can't make this one" in m.text)
        assert refused.media is not None
        assert (refused.media.file.width, refused.media.file.height) == NOTHING_THERE
        assert not any(is_clip(one) for one in here.edits(card))
        assert await here.funds(anna) == (1000, 0)
        anna.press(refused, "Edit")
        line = await here.answer(refused, "a knight")
        assert ("spoiler" in kinds(line), "code" in kinds(line)) == (True, False)

        asked = anna.inline(GORY, group)
        chosen = await anna.choose(asked)
        refused = await here.until(chosen, lambda m: "can't make this one" in m.text)
        assert labels(refused) == ["Appeal"]
        anna.press(refused, "Appeal")
        await here.until(chosen, lambda m: "Waiting for a moderator" in m.text)


async def test_whom_a_picture_shows_is_asked(telegram_standin: Standin, tmp_path: Path) -> None:
    eyes = Blind()
    async with cinema(telegram_standin, tmp_path, inspector=eyes) as here:
        anna, ben, group = here.anna, here.ben, here.group
        stranger = telegram_standin.scene.user("idabel", started=False)
        telegram_standin.scene.join(group, stranger)
        await here.answer(stranger.say("/create@kinora_bot a ball --seconds 1", group), is_clip)

        async def asks(caption: str, says: str) -> Message:
            said = f"/animate@kinora_bot {caption} --seconds 1"
            return await here.answer(ben.photo(PICTURE, said, group), says)

        await asks("smiles --subject anna", "Say whom the picture shows")
        await asks("smiles --subject @nobody_known", "I have not met @nobody_known")
        await asks("smiles --subject @idabel", "press Start")
        await here.answer(anna.say("/me"), "credits")
        nothing = ben.say("/create a ball --subject @anna", group)
        await here.answer(nothing, "only where there is a picture")
        assert await here.jobs(ben) == []

        telegram_standin.faults.broken("sendPhoto")
        sent = ben.photo(PICTURE, "/animate@kinora_bot bows --subject @anna", group)
        await here.answer(sent, "can't ask them just now")
        await here.answer(sent, "Cancelled")
        card = await asks("smiles --subject @anna", "Waiting for the person in it")
        question = await told(here, anna, "shows you. May they?")
        covered = next(m for m in anna.messages() if m.id == question.reply_to)
        assert covered.media is not None
        assert covered.media.covered
        job, _ = await here.jobs(ben)
        assert job.request.prompt == "smiles"
        theirs = await here.answer(ben.say("/me"), "credits")
        forged = ben.press_data(theirs, f"kn-con:yes:{job.id}")
        assert "There is no such clip" in (await forged.answer())["text"]
        forged = anna.press_data(card, f"kn-con:yes:{job.id}")
        assert "too old" in (await forged.answer())["text"]
        anna.press(question, "Don't agree")
        await here.until(question, lambda m: "No clip is made" in m.text and not labels(m))
        denied = await here.until(card, lambda m: "did not agree" in m.text)

        again = ben.say("/again", group, reply_to=card)
        card = await here.answer(again, "Waiting for the person in it")
        question = await told(here, anna, "shows you. May they?")
        anna.press(question, "Agree")
        await here.until(question, lambda m: "Noted: you agree." in m.text)
        await here.until(card, is_clip)
        ben.press(denied, "Delete")
        await here.gone(covered)

        eyes.pictures = [Seen(faces=1)]
        face = ben.photo(PICTURE, "turns --seconds 1")
        card = await here.answer(face, "Do you have the right to use it?")
        assert labels(card) == ["I may use it", "Cancel"]
        ben.press(card, "I may use it")
        await here.until(card, is_clip)
        await here.clip(ben.photo(PICTURE, "nods --seconds 1"))


async def test_a_report_and_what_comes_of_it(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        anna, ben, mia, group = here.anna, here.ben, here.mia, here.group
        telegram_standin.limits.on = False
        clip = await here.clip(anna.say("/create a teal ball --seconds 1", group))
        other = await here.clip(anna.say("/create a red ball --seconds 1", group))
        made = await here.clip(ben.say("the same at night", group, reply_to=clip))
        (job,) = [one for one in await here.jobs(anna) if one.request.prompt == "a teal ball"]
        async with here.home.store.database.changing() as session:
            await session.execute(update(JOB).where(JOB.c.id == job.id).values(level=Level.ADULT))
        await here.answer(anna.say(f"/show {job.id}", group), "in a channel for adults")
        again = await here.clip(anna.say(f"/show {job.id}"))
        assert await here.answer(mia.say("/mod reports", group), "Nothing is reported")

        for one in (clip, other):
            assert "Noted" in (await ben.press(one, "Report").answer())["text"]
        await here.answer(ben.say("/mod reports", group), "Only the administrators")
        await here.answer(mia.say("/mod reports", group), "our own chat")
        first = await told(here, mia, "a teal ball")
        second = await told(here, mia, "a red ball")
        covered = [m for m in mia.messages() if m.media and m.media.covered]
        assert [m.id for m in covered] == [first.reply_to, second.reply_to]

        mia.press(second, "Dismiss")
        await here.until(second, lambda m: "dismissed" in m.text and not labels(m))
        await here.gone(covered[1])
        mia.press(first, "Take down")
        await here.until(first, lambda m: "Back" in labels(m))
        telegram_standin.scene.promote(group, ben)
        forged = ben.press_data(clip, f"kn-rev:dismiss:{job.id}:{other.id}")
        assert "too old" in (await forged.answer())["text"]
        ben.say("/mod reports", group)
        theirs = await told(here, ben, "a teal ball")
        (hidden,) = [m for m in ben.messages() if m.id == theirs.reply_to]
        telegram_standin.scene.demote(group, ben)
        late = await ben.press(theirs, "Dismiss").answer()
        assert "Only who leads" in late["text"]
        mia.press(first, "Delete it, and all that was made from it")
        await here.until(first, lambda m: "taken down" in m.text and not labels(m))
        for message in (clip, made, again, covered[0], hidden):
            await here.gone(message)
        assert other in mia.messages(group)
        await here.answer(mia.say("/mod reports", group), "Nothing is reported")
