"""What is refused, appealed, held, reported and taken down on Telegram, as people see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bots.telegram.cinema import Cinema, cinema, labels
from tests.telegram.people import Person
from tests.telegram.server import Standin
from tests.telegram.world import Message

pytestmark = pytest.mark.timeout(300)


async def told(here: Cinema, person: Person, words: str) -> Message:
    """The newest message in somebody's own chat that has these words."""

    def found() -> Message | None:
        return next((m for m in reversed(person.messages()) if words in m.text), None)

    message = await here.telegram.world.until(found, f"{person.user.first_name} told {words!r}")
    assert message is not None
    return message


async def test_a_report_and_what_comes_of_it(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        anna, ben, mia, group = here.anna, here.ben, here.mia, here.group
        telegram_standin.limits.on = False
        clip = await here.clip(anna.say("/create a teal ball --seconds 1", group))
        other = await here.clip(anna.say("/create a red ball --seconds 1", group))
        made = await here.clip(ben.say("the same at night", group, reply_to=clip))
        (job,) = [one for one in await here.jobs(anna) if one.request.prompt == "a teal ball"]
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
        ben.say("/mod reports", group)
        theirs = await told(here, ben, "a teal ball")
        telegram_standin.scene.demote(group, ben)
        late = await ben.press(theirs, "Dismiss").answer()
        assert "Only who leads" in late["text"]
        mia.press(first, "Delete it, and all that was made from it")
        await here.until(first, lambda m: "taken down" in m.text and not labels(m))
        for message in (clip, made, again, covered[0]):
            await here.gone(message)
        assert other in group_of(here)
        await here.answer(mia.say("/mod reports", group), "Nothing is reported")


def group_of(here: Cinema) -> list[Message]:
    return here.mia.messages(here.group)
