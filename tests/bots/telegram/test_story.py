"""The whole story on the wire: private chats, groups, topics, inline; cards, buttons, a restart.

Every clip that anybody saw is opened at the end of each test, by `cinema`. The first three have a
runner of their own; the others have clips that are as real, and quicker.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.job import State
from tests.bots.pictures import jpeg, landscape, png
from tests.bots.projector import Reel
from tests.bots.telegram.cinema import PICTURE, Cinema, cinema, data_of, is_clip, labels, opened
from tests.telegram.people import Person
from tests.telegram.server import Standin
from tests.telegram.world import Message

pytestmark = pytest.mark.timeout(300)

USUAL = ["Again", "Edit", "Extend", "×4", "Delete", "Report"]


def usual(card: Message) -> list[str]:
    """Its buttons, without the price that one of them says."""
    return [label.partition(" · ")[0] for label in labels(card)]


OTHER = jpeg(landscape(180, 320))


async def charged(here: Cinema, person: Person) -> None:
    """What their clips cost is gone, and nothing is held."""
    spent = sum(job.credits for job in await here.jobs(person) if job.state is State.SUCCEEDED)
    assert await here.funds(person) == (1000 - spent, 0)


def seconds_of(message: Message) -> int:
    assert message.media is not None
    return message.media.file.duration


async def test_a_photo_with_words_becomes_a_clip(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        asked = here.anna.photo(PICTURE, "pan left --seconds 1 --seed 7")
        card = await here.clip(asked)
        assert card.reply_to == asked.id
        assert "pan left" in card.text
        assert "seed 7" in card.text
        assert usual(card) == [label for label in USUAL if label != "Extend"]
        first, *later = here.edits(card)
        assert not first.media
        assert labels(first) == ["Cancel"]
        assert any(is_clip(version) for version in later)
        assert "upload_video" in [a.action for a in telegram_standin.world.actions]
        assert len(here.anna.clips()) == 1
        assert [ping.id for ping in here.anna.pings()] == [card.id], "an edit tells nobody"
        await charged(here, here.anna)


async def test_words_become_a_clip_and_a_clip_becomes_others(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        card = await here.clip(here.anna.say("a red ball --seconds 1 --seed 7"))
        assert usual(card) == USUAL
        again = here.anna.press(card, "Again")
        second = await here.clip(again)
        assert second.id != card.id
        assert "seed 7 " not in second.text
        longer = await here.clip(here.anna.press(card, "Extend"))
        assert seconds_of(longer) > seconds_of(card)

        # Edit asks for words; the app opens an answer to it.
        question = await here.answer(here.anna.press(card, "Edit"), lambda m: m.asks)
        edited = await here.clip(here.anna.say("a blue ball --seconds 1", reply_to=question))
        assert "a blue ball" in edited.text
        assert question.text.startswith("Answer with the line")
        await here.gone(question)
        assert telegram_standin.unanswered() == 0
        await charged(here, here.anna)


async def test_an_answer_to_a_clip_edits_or_extends_it(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        card = await here.clip(here.ben.say("a red ball --seconds 1 --res 144p"))
        night = await here.clip(here.ben.say("again, but at night", reply_to=card))
        assert "night" in night.text
        assert "144p" in night.text, "the settings stay"
        longer = await here.clip(here.ben.say("/extend", reply_to=night))
        assert seconds_of(longer) > seconds_of(night)
        await charged(here, here.ben)


async def test_an_album_of_two_is_first_and_last_frame(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        first, _ = here.anna.album(PICTURE, OTHER, caption="pan left --seconds 1")
        await here.clip(first)
        (job,) = await here.jobs(here.anna)
        assert job.request.picture is not None
        assert job.request.last_picture is not None
        many = here.ben.album(PICTURE, OTHER, PICTURE, caption="pan left")
        said = await here.answer(many[0], "two")
        assert not is_clip(said)
        assert await here.jobs(here.ben) == []
        await charged(here, here.anna)


async def test_pictures_come_in_many_forms(telegram_standin: Standin, tmp_path: Path) -> None:
    """As a file, as a sticker; and a clip of somebody's is its first frame."""
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        file = await here.clip(here.anna.document(png(landscape(320, 180)), "--seconds 1"))
        sticker = await here.clip(here.ben.sticker(PICTURE))
        film = data_of(file)
        frame = await here.clip(here.mia.video(film, "--seconds 1", width=320, height=180))
        assert len({file.chat_id, sticker.chat_id, frame.chat_id}) == 3
        for person in (here.anna, here.ben, here.mia):
            (job,) = await here.jobs(person)
            assert job.request.picture is not None


async def test_four_at_once_are_four_cards(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        card = await here.clip(here.anna.say("a ball --seconds 0.5 --res 144p"))
        had, (four,) = await here.funds(here.anna), [one for one in labels(card) if "×4" in one]
        pressed = here.anna.press(card, four)
        await telegram_standin.world.until(
            lambda: len([m for m in here.answers(pressed) if is_clip(m)]) == 4, "four clips"
        )
        jobs = await here.jobs(here.anna)
        assert len({job.place for job in jobs}) == len({job.request.seed for job in jobs}) == 5
        await charged(here, here.anna)
        cost = had[0] - (await here.funds(here.anna))[0]
        assert four == f"×4 · {cost} credits"


async def test_a_card_can_be_cancelled_and_the_credits_come_back(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        asked = here.anna.say("a red ball --model slow")
        card = await here.answer(asked, lambda m: "Rendering" in m.text and "▰" in m.text)
        pressed = here.anna.press(card, "Cancel")
        gone = await here.until(card, lambda m: "Cancelled" in m.text)
        await pressed.answer()
        assert "came back" in gone.text
        assert "Again" in labels(gone)
        here.ben.say("a red ball --model slow")
        here.ben.say("/cancel")
        await telegram_standin.world.until(
            lambda: any("Cancelled" in m.text for m in here.ben.messages()), "ben's cancelled"
        )
        for person in (here.anna, here.ben):
            assert await here.funds(person) == (1000, 0)


async def test_buttons_work_after_a_restart(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        card = await here.clip(here.anna.say("a ball --seconds 1"))
        waiting = here.ben.say("a slow ball --model slow")
        running = await here.answer(waiting, "Rendering")
        question = await here.answer(here.anna.press(card, "Edit"), lambda m: m.asks)
    pressed = here.anna.press(card, "Again")
    async with opened(telegram_standin, tmp_path, engine=Reel()) as home:
        here = replace(here, home=home)
        edited = here.anna.say("a new ball --seconds 1", reply_to=question)
        running = await here.until(running, lambda m: "Rendering" in m.text)
        here.ben.press(running, "Cancel")
        await here.until(running, lambda m: "Cancelled" in m.text)
        assert "a new ball" in (await here.clip(edited)).text
        await telegram_standin.until_clip(here.anna, 3)  # what was pressed meanwhile, too
        assert (await pressed.answer())["text"] == ""


async def test_a_group_where_privacy_is_on(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        group = here.group
        card = await here.clip(here.anna.say("/create@kinora_bot a ball --seconds 1", group))
        assert card.chat_id == group.id
        posted = here.ben.photo(PICTURE, "look at this", group)
        animated = await here.clip(here.anna.say("/animate --seconds 1", group, reply_to=posted))
        (newest, _) = await here.jobs(here.anna)
        assert newest.request.picture is not None
        follow = here.anna.say("but at night", group, reply_to=card)
        assert "night" in (await here.clip(follow)).text
        own = here.mia.photo(PICTURE, "/animate@kinora_bot pan left --seconds 1", group)
        await here.clip(own)
        assert animated.reply_to != own.id
        assert await here.jobs(here.ben) == [], "a photo for people is for people"


async def test_a_mention_is_heard_where_the_bot_is_an_administrator(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        telegram_standin.scene.promote(here.group, telegram_standin.world.bot)
        here.ben.say("what a day", here.group)
        asked = here.anna.say("@kinora_bot a ball --seconds 1", here.group)
        card = await here.clip(asked)
        assert "kinora_bot" not in card.text
        await telegram_standin.handled()
        assert await here.jobs(here.ben) == []


async def test_answers_stay_in_their_topic(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        scene = telegram_standin.scene
        forum = scene.forum("Forum", here.mia, here.anna)
        topic = scene.topic(forum, "clips", here.mia)
        asked = here.anna.say("/create a ball --seconds 1", forum, topic=topic)
        card = await here.clip(asked)
        again = await here.clip(here.anna.press(card, "Again"))
        general = await here.clip(here.anna.say("/create a ball --seconds 1", forum))
        assert (card.topic, again.topic, general.topic) == (topic.id, topic.id, 0)


async def test_inline_the_message_becomes_the_clip(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """In a chat where the bot is not: its clip comes by file_id, from the author's own chat."""
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        elsewhere = telegram_standin.scene.group("Elsewhere", here.ben, here.anna, bot="left")
        asked = here.anna.inline("a red ball --seconds 1", elsewhere)
        chosen = await here.anna.choose(asked)
        shown = await here.until(chosen, is_clip)
        assert "a red ball" in shown.text
        assert [sight.message_id for sight in here.ben.clips()] == [chosen.id]
        (job,) = await here.jobs(here.anna)
        assert job.place.endswith(str(chosen.inline_id))
        await charged(here, here.anna)


async def test_inline_in_ones_own_chat_is_one_job(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """There the bot is told of the message itself too; it is no second prompt."""
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        chosen = await here.anna.choose(here.anna.inline("a red ball --seconds 1"))
        await here.until(chosen, is_clip)
        await telegram_standin.handled()
        assert len(await here.jobs(here.anna)) == 1


async def test_others_may_report_but_not_press_what_is_not_theirs(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        card = await here.clip(here.anna.say("/create a ball --seconds 1", here.group))
        for button in labels(card)[:5]:
            answer = await here.ben.press(card, button).answer()
            assert "Anna" in answer["text"], (button, answer)
        before = await here.funds(here.anna)
        assert "Noted" in (await here.ben.press(card, "Report").answer())["text"]
        assert (await here.ben.press(card, "Report").answer())["text"]
        assert await here.funds(here.anna) == before
        assert await here.jobs(here.ben) == []

        # Whoever leads the group may take it down.
        await here.mia.press(card, "Delete").answer()
        await here.gone(card)
        assert await here.jobs(here.anna) == []
        (row,) = await here.home.store.moderation.rows(9)
        assert (row.who, row.act) == (f"Mia (telegram:{here.mia.id})", "delete")


async def test_a_ping_comes_only_where_it_was_asked_for(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        quiet = await here.clip(here.anna.say("/create a ball --seconds 1", here.group))
        assert [m.id for m in here.anna.pings() if m.chat_id == here.group.id] == [quiet.id]


async def test_bad_input_is_answered_at_once_and_costs_nothing(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel(), daily_credits=1) as here:
        people = [telegram_standin.scene.user(f"guest{number}") for number in range(8)]
        large = bytes(21 * 1024 * 1024)
        for person, asked, says in (
            (people[0], people[0].say("a ball --warp 3"), "There is no --warp."),
            (people[1], people[1].say("a ball --model nobody"), 'There is no model "nobody"'),
            (people[2], people[2].say("a ball --fast --relaxed"), "exclude each other"),
            (people[3], people[3].document(b"no picture at all", "pan left"), "not a picture"),
            (people[4], people[4].video(large, "its first frame"), "20 MB"),
            (people[5], people[5].say("/create"), "Write what you would like to see"),
            (people[6], people[6].say("/animate"), "Send a picture with /animate"),
            (
                people[7],
                people[7].document(
                    b"milk, bread", "a red ball", name="notes.txt", mime="text/plain"
                ),
                "I can't make a clip of that",
            ),
        ):
            said = await here.answer(asked, says)
            assert not said.buttons
            assert await here.funds(person) == (1, 0)
            assert await here.jobs(person) == []
        assert not list((tmp_path / "data" / "pictures").iterdir())
