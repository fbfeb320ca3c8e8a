"""Inline mode beyond the story: what is offered, where a clip is uploaded, and where it can't."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.counter import QUOTED_MOST
from tests.bots.projector import Projector
from tests.bots.telegram.cinema import Cinema, cinema, is_clip, labels, settings
from tests.bots.telegram.wound import wound
from tests.telegram.server import Standin
from tests.telegram.world import LEFT, Chat, Message

pytestmark = pytest.mark.timeout(300)


def elsewhere(here: Cinema) -> Chat:
    """A group without the bot."""
    return here.telegram.scene.group("Elsewhere", here.mia, here.anna, bot=LEFT)


def is_picture(message: Message) -> bool:
    return message.media is not None and message.media.kind == "photo"


async def becomes_clip(here: Cinema, chosen: Message) -> Message:
    return await here.until(chosen, is_clip, "the inline message is the clip")


async def test_what_is_offered(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        (result,) = (await here.anna.inline("a <red> ball --seconds 1").answer())["results"]
        assert result["title"] == "Create: a <red> ball"
        assert result["description"].startswith("1 credit · ")
        for words in ("", "a ball --seconds 99", "--model slide a ball"):
            assert (await here.anna.inline(words).answer())["results"] == []
        assert await here.jobs(here.anna) == []


async def test_the_clip_comes_to_its_author_first(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """Its answer got lost: it is edited into the same message once more."""
    async with cinema(telegram_standin, tmp_path) as here:
        telegram_standin.faults.lose("editMessageMedia", chat_id=here.anna.id)
        asked = here.anna.inline("a red ball --seconds 1", elsewhere(here))
        chosen = await here.anna.choose(asked)
        clip = await becomes_clip(here, chosen)
        copies = [m for m in here.anna.messages() if is_clip(m)]
        assert len(copies) == 1
        assert clip.media is not None
        assert copies[0].media is not None
        assert copies[0].media.file.data == clip.media.file.data
        (job,) = await here.jobs(here.anna)
        assert await here.funds(here.anna) == (1000 - job.credits, 0)
        here.anna.press(copies[0], "Delete")
        emptied = await here.until(chosen, is_picture)
        assert (emptied.text, emptied.buttons) == ("Deleted.", [])
        await here.telegram.world.until(lambda: not any(m.media for m in here.anna.messages()))


async def test_a_deleted_clip_that_must_stay_says_so(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """Nothing can be uploaded that could take its place; on a computer, say, they delete it."""
    async with cinema(telegram_standin, tmp_path) as here:
        chosen = await here.anna.choose(here.anna.inline("a ball --seconds 1", elsewhere(here)))
        await becomes_clip(here, chosen)
        (job,) = await here.jobs(here.anna)
        here.anna.block()
        await here.home.studio.delete(await here.account(here.anna), job.id)
        told = await here.until(chosen, lambda m: "Deleted, but" in m.text)
        assert "only who sent it can" in told.text
        assert not told.buttons


async def test_a_store_chat_spares_the_author(telegram_standin: Standin, tmp_path: Path) -> None:
    scene = telegram_standin.scene
    olivia = scene.user("olivia")
    store = scene.group("Store", olivia)
    with_store = settings(telegram_standin, store_chat=store.id)
    async with cinema(telegram_standin, tmp_path, telegram=with_store) as here:

        async def stored(*, nothing: bool) -> None:
            """Wait until the store chat has nothing, or a clip."""
            await telegram_standin.world.until(
                lambda: nothing != any(m.media for m in olivia.messages(store)), "the store chat"
            )

        stranger = scene.user("ida", started=False)
        group = scene.group("Elsewhere", here.mia, stranger, bot=LEFT)
        chosen = await stranger.choose(stranger.inline("a red ball --seconds 1", group))
        await becomes_clip(here, chosen)
        await stored(nothing=False)
        (job,) = await here.jobs(stranger)
        shown = await here.clip(stranger.start(f"show_{job.id}"))
        stranger.press(shown, "Delete")
        await here.until(chosen, is_picture)
        await stored(nothing=True)
        unseen = await stranger.choose(stranger.inline("a blue ball --seconds 1", group))
        await becomes_clip(here, unseen)
        await stored(nothing=False)
        stranger.delete(unseen)
        newest = (await here.jobs(stranger))[0]
        await here.home.studio.delete(await here.account(stranger), newest.id)
        await stored(nothing=True)


async def test_who_never_started_the_bot_is_led_to_start_and_back(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """Before anything is made: else the clip would have nowhere to come from."""
    scene = telegram_standin.scene
    async with cinema(telegram_standin, tmp_path) as here:
        stranger = scene.user("ida", started=False)
        group = scene.group("Elsewhere", here.mia, stranger, bot=LEFT)
        asked = stranger.inline("a red ball --seconds 1", group)
        answer = await asked.answer()
        assert answer["results"] == []
        assert answer["button"]["text"].startswith("Press Start first")
        welcome = await here.answer(await stranger.above(asked), "in any chat")
        again = stranger.back(welcome, "Back to your message", group)
        assert again.now.asked == "a red ball --seconds 1"
        await becomes_clip(here, await stranger.choose(again))

        asked = stranger.inline("a blue ball --seconds 1", group)
        await asked.answer()
        stranger.block()
        told = await here.until(await stranger.choose(asked), lambda m: "Press Start" in m.text)
        assert "Nothing was charged." in told.text
        assert len(await here.jobs(stranger)) == 1
        stranger.unblock()
        await here.answer(stranger.follow(told, "Our own chat"), lambda m: m.buttons)
        empty = await here.answer(here.anna.start("inline"), "in any chat")
        assert here.anna.back(empty, "Back to your message", here.group).now.asked == ""


async def test_who_blocks_the_bot_meanwhile_is_told_where_the_clip_is(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        chosen = await here.anna.choose(here.anna.inline("a ball --seconds 1", elsewhere(here)))
        engine = here.home.engine
        assert isinstance(engine, Projector)
        job_id, attempt, spec = await engine.next()
        here.anna.block()
        await engine.finish(job_id, attempt, spec)
        told = await here.until(chosen, lambda m: "/show" in m.text)
        assert told.text.endswith(f"/show {job_id}.")
        here.anna.unblock()
        kept = f"It is kept: /show {job_id}"
        while not any(kept in message.text for message in here.anna.messages()):
            await here.answer(here.anna.say("/queue"), "Nothing runs")
        await here.clip(here.anna.say(f"/show {job_id}"))
        here.anna.block()
        await here.home.studio.delete(await here.account(here.anna), job_id)
        await here.until(chosen, lambda m: m.text == "Deleted.")


async def test_without_feedback_the_button_says_why_nothing_happens(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    telegram_standin.world.feedback = False
    async with cinema(telegram_standin, tmp_path) as here:
        chosen = await here.anna.choose(here.anna.inline("a red ball", here.group))
        told = await here.anna.press(chosen, "Kinora").answer()
        assert "kinora doctor" in told["text"]


async def test_what_is_wrong_with_what_was_chosen_is_said_in_the_message(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, daily_credits=0) as here:
        for _ in range(QUOTED_MOST):
            chosen = await here.anna.choose(here.anna.inline("a red ball", here.group))
            await here.until(chosen, lambda m: "This costs 2 and you have 0" in m.text)
            assert labels(telegram_standin.newest(chosen)) == ["Relaxed, for free", "Cancel"]
        chosen = await here.anna.choose(here.anna.inline("a red ball", here.group))
        await here.until(chosen, lambda m: "You have 5 clips that wait for your word" in m.text)
        assert not telegram_standin.newest(chosen).buttons
