"""What goes wrong around a clip: each ends in the clip, once, or in clear words and a refund."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from core.job import State
from tests.bots.projector import Reel
from tests.bots.telegram.cinema import PICTURE, Cinema, cinema, is_clip, labels, opened, settings
from tests.bots.telegram.wound import refunded, running, seen_once, wound
from tests.telegram.server import Standin, standin
from tests.telegram.world import GROUP, Chat, Message

pytestmark = pytest.mark.timeout(300)

HOSTED_BYTES = 50_000_000
SIXTY_MEGABYTES = 60_000_000


async def test_a_clip_of_60_mb_is_encoded_again_to_fit(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        job = await running(here, here.anna.say("a ball"))
        await job.finish(size=SIXTY_MEGABYTES)
        card = await here.clip(job.asked)
        assert card.media is not None
        assert len(card.media.file.data) <= HOSTED_BYTES
        assert "Encoded again to fit" in card.text
        kept = (await here.jobs(here.anna))[0].clip
        assert kept is not None
        assert kept.size >= SIXTY_MEGABYTES
        await seen_once(here, here.anna)


async def test_a_local_server_takes_a_clip_of_60_mb_whole(tmp_path: Path) -> None:
    async with standin(local=tmp_path / "telegram") as running_standin:
        local = settings(running_standin, local_mode=True)
        async with wound(running_standin, tmp_path / "house", telegram=local) as here:
            job = await running(here, here.anna.say("a ball"))
            await job.finish(size=SIXTY_MEGABYTES)
            card = await here.clip(job.asked)
            assert card.media is not None
            assert len(card.media.file.data) >= SIXTY_MEGABYTES
        assert not running_standin.violations, running_standin.violations


async def test_a_photo_that_was_deleted(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        posted = here.ben.photo(PICTURE, "look", here.group)
        assert posted.media is not None
        for size in posted.media.file.sizes:
            telegram_standin.scene.lose_file(size.id)
        said = await here.answer(here.anna.say("/animate", here.group, reply_to=posted))
        assert "no longer has that file" in said.text
        assert "Nothing was charged." in said.text
        assert await here.jobs(here.anna) == []
        await refunded(here, here.anna)


async def test_a_download_that_breaks_is_said(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        telegram_standin.faults.broken("getFile", 20)
        await here.answer(here.anna.photo(PICTURE, "pan left"), "Try again in")
        telegram_standin.faults.clear()
        telegram_standin.faults.broken("file", 20)
        await here.answer(here.ben.photo(PICTURE, "pan left"), "Try again in")
        for person in (here.anna, here.ben):
            await refunded(here, person)
            assert await here.jobs(person) == []


async def test_a_failed_job_says_so_and_costs_nothing(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        job = await running(here, here.anna.say("a ball"))
        job.engine.fail(job.job_id, job.attempt)
        card = await here.answer(job.asked, "Nothing was charged.")
        assert "It did not fit." in card.text
        assert "Try again" in labels(card)
        await refunded(here, here.anna)


async def test_a_flood_in_one_chat_stops_no_other(
    telegram_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram's clock stands still: the one chat stays shut for as long as the others need."""
    for drained in ("bots.telegram.client", "core.delivery"):  # nobody waits for it at the end
        monkeypatch.setattr(f"{drained}.DRAIN_SECONDS", 0.1)
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        telegram_standin.limits.on = False
        telegram_standin.clock.stop()
        telegram_standin.faults.too_many("*Message*", chat_id=here.anna.id, retry_after=30)
        shut = here.anna.say("a ball --seconds 0.5 --res 144p")
        await telegram_standin.world.until(
            lambda: any(e.status == 429 for e in telegram_standin.world.requests), "the flood"
        )
        others = [telegram_standin.scene.user(f"guest{number}") for number in range(4)]
        for person in others:
            await here.clip(person.say("a ball --seconds 0.5 --res 144p"))
        assert not any(map(is_clip, here.answers(shut)))
        refused = [e for e in telegram_standin.world.requests if e.status == 429]
        assert {e.fields["chat_id"] for e in refused} == {str(here.anna.id)}
        telegram_standin.clock.go()


async def test_a_flooded_chat_gets_its_clip_when_it_may(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        for pattern in ("sendMessage", "editMessageMedia"):
            telegram_standin.faults.too_many(pattern, chat_id=here.anna.id, retry_after=1)
        asked = here.anna.say("a ball --seconds 0.5 --res 144p")
        await here.clip(asked)
        await seen_once(here, here.anna)


async def test_telegram_breaks_for_a_while(telegram_standin: Standin, tmp_path: Path) -> None:
    """Once by itself, and once where a proxy in between says so in HTML."""
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        telegram_standin.faults.broken("edit*")
        telegram_standin.faults.broken("edit*", page=True)
        await here.clip(here.anna.say("a ball --seconds 0.5"))
        await seen_once(here, here.anna)


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText", "editMessageMedia"])
async def test_an_answer_of_telegram_is_lost(
    telegram_standin: Standin, tmp_path: Path, method: str
) -> None:
    """What was delivered though nobody said so is seen once."""
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        telegram_standin.faults.lose(method)
        asked = here.anna.say("a ball --seconds 0.5")
        await here.clip(asked)
        await telegram_standin.handled()
        await seen_once(here, here.anna)
        left = [card for card in here.anna.messages() if "Cancel" in labels(card)]
        if method != "sendMessage":
            assert left == []
            return
        (stray,) = left
        await mended(here, asked, stray)


async def mended(here: Cinema, asked: Message, stray: Message) -> None:
    """Nobody knows of a first card whose number was lost, until somebody presses there: the other
    says so as long."""
    clip = await here.clip(asked)
    assert "this one takes its place" in clip.text
    assert "already ended" in (await here.anna.press(stray, "Cancel").answer())["text"]
    await here.until(stray, lambda m: "newer message" in m.text and not m.buttons)
    await seen_once(here, here.anna)


async def test_a_card_whose_number_a_restart_lost_is_told_of(
    telegram_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.client.DRAIN_SECONDS", 0.1)
    async with wound(telegram_standin, tmp_path) as here:
        telegram_standin.faults.hang("sendMessage", 3600)
        asked = here.anna.say("a ball --seconds 0.5")
        stray = await here.answer(asked)
    async with opened(telegram_standin, tmp_path, engine=Reel()) as home:
        await mended(replace(here, home=home), asked, stray)


async def test_a_clip_too_old_to_be_deleted_is_seen_no_more(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        card = await here.clip(here.anna.say("a ball --seconds 0.5"))
        shown = await here.clip(here.anna.say("/show"))
        telegram_standin.clock.jump(49 * 3600)
        await here.anna.press(shown, "Delete").answer()
        for message in (shown, card):
            gone = await here.until(message, lambda m: m.text == "Deleted.")
            assert gone.media is not None
            assert (gone.media.kind, gone.buttons) == ("photo", [])


async def test_a_second_press_that_is_refused_leaves_the_first_its_card(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """Both answer the same message, where nothing can be sent for a while."""
    async with cinema(telegram_standin, tmp_path, engine=Reel(), daily_credits=2) as here:
        card = await here.clip(here.anna.say("a ball --seconds 1 --res 144p"))
        telegram_standin.faults.broken("sendMessage", 1000)
        first = here.anna.press(card, "Again")
        await first.answer()
        (four,) = (label for label in labels(card) if label.startswith("×4"))
        refused = await here.anna.press(card, four).answer()
        assert "This costs" in refused["text"], refused
        telegram_standin.faults.clear()
        await here.clip(first)
        await seen_once(here, here.anna)


async def test_a_press_counts_though_its_message_stays_as_it_is(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        first = await running(here, here.anna.say("a ball"))
        await here.answer(here.anna.say("a cube"), "In the queue")
        chosen = await here.answer(here.anna.say("/cancel"), "Which one?")
        telegram_standin.faults.lose("editMessageReplyMarkup")
        pressed = here.anna.press(chosen, labels(chosen)[1])
        assert (await pressed.answer())["text"] == "Cancelled."
        await first.finish()
        await here.clip(first.asked)
        assert {job.state for job in await here.jobs(here.anna)} == {
            State.SUCCEEDED,
            State.CANCELLED,
        }


async def test_what_somebody_wrote_is_no_form_of_ours(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """A card shows their words; who answers it goes on from that card, and from no other."""
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        await here.clip(here.anna.photo(PICTURE, "--seconds 0.5 --res 144p"))
        (theirs,) = await here.jobs(here.anna)
        asked = here.ben.say(f"a ball --model slow --res 144p Clip {theirs.id}")
        card = await here.answer(asked, "Rendering")
        here.ben.press(card, "Cancel")
        card = await here.until(card, lambda m: "Cancelled" in m.text)
        await here.clip(here.ben.say("a cube --seconds 0.5 --model sketch", reply_to=card))
        newest, _ = await here.jobs(here.ben)
        assert newest.request.picture is None


@pytest.mark.parametrize("album", [False, True], ids=["photo", "album"])
async def test_a_photo_on_its_way_when_all_is_closed_is_one_clip(
    telegram_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, album: bool
) -> None:
    monkeypatch.setattr("bots.telegram.client.DRAIN_SECONDS", 0.1)
    words = "--seconds 0.5 --res 144p"
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        fault = telegram_standin.faults.delay("file", 3600)
        if album:
            asked, _ = here.anna.album(PICTURE, PICTURE, caption=words)
        else:
            asked = here.anna.photo(PICTURE, words)
        await telegram_standin.world.until(lambda: fault.hit, "the photo on its way")
    assert here.answers(asked) == []
    async with opened(telegram_standin, tmp_path, engine=Reel()) as home:
        here = replace(here, home=home)
        await here.clip(asked)
        await telegram_standin.handled()
        (job,) = await here.jobs(here.anna)
        assert job.request.picture is not None
        assert (job.request.last_picture is not None) == album
        assert len(here.answers(asked)) == 1
        await seen_once(here, here.anna)


async def test_a_clip_shown_again_across_a_restart_is_one_message(
    telegram_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.client.DRAIN_SECONDS", 0.1)
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        card = await here.clip(here.anna.say("a ball --seconds 0.5 --res 144p"))
        fault = telegram_standin.faults.delay("editMessageMedia", 3600)
        shown = here.anna.say("/show")
        await telegram_standin.world.until(lambda: fault.hit, "the clip on its way")
    async with opened(telegram_standin, tmp_path, engine=Reel()) as home:
        here = replace(here, home=home)
        again = await here.clip(shown)
        await telegram_standin.handled()
        assert len(here.answers(shown)) == 1
        assert again.id != card.id


async def test_the_same_update_a_thousand_times_is_one_job(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        said = here.anna.say("a ball")
        *_, update = telegram_standin.updates.pending.values()
        telegram_standin.updates.repeat(update, 1000)
        job = await running(here, said)
        updates = telegram_standin.updates
        await telegram_standin.world.until(
            lambda: updates.delivered.count(update.id) >= 1000 and updates.polls, "all repeats"
        )
        await job.finish()
        await here.clip(said)
        assert len(await here.jobs(here.anna)) == 1
        await seen_once(here, here.anna)


async def test_updates_that_come_again_after_a_restart_are_one_job_each(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        card = await here.clip(here.anna.say("a ball --seconds 0.5"))
        here.ben.say("a cube --seconds 0.5")
        here.anna.press(card, "Again")
        updates = list(telegram_standin.updates.pending.values())
        await telegram_standin.handled()
        await telegram_standin.until_clip(here.ben)
        await telegram_standin.until_clip(here.anna, 2)
    async with opened(telegram_standin, tmp_path, engine=Reel()) as home:
        here = replace(here, home=home)
        for update in updates:
            telegram_standin.updates.repeat(update, 3)
        await telegram_standin.world.until(
            lambda: all(telegram_standin.updates.delivered.count(u.id) > 3 for u in updates),
            "the repeats",
        )
        await here.clip(here.anna.say("the last --seconds 0.5"))
        assert len(await here.jobs(here.anna)) == 3
        assert len(await here.jobs(here.ben)) == 1
        for person in (here.anna, here.ben):
            await seen_once(here, person)


async def test_a_deleted_card_is_not_the_end(telegram_standin: Standin, tmp_path: Path) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        asked = here.anna.say("a ball")
        job = await running(here, asked)
        here.anna.delete(await here.answer(asked))
        await job.finish()
        await telegram_standin.until_clip(here.anna)
        await seen_once(here, here.anna)


async def test_a_deleted_question_gets_its_clip(telegram_standin: Standin, tmp_path: Path) -> None:
    """Its card answers a message that is no more."""
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        asked = here.anna.say("a ball --seconds 0.5")
        here.anna.delete(asked)
        await telegram_standin.until_clip(here.anna)
        await seen_once(here, here.anna)


async def test_a_group_becomes_a_supergroup_midway(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        group: Chat = telegram_standin.scene.group("Old", here.mia, here.anna, kind=GROUP)
        job = await running(here, here.anna.say("/create a ball", group))
        hello = here.anna.say("hello", group)
        await here.answer(here.mia.say("/mod quota 1", group, reply_to=hello), "1 credit a day")
        quoted = here.anna.say("/create a cube --seconds 1 --quote", group)
        await here.answer(quoted, "1 credit. You have")
        new = telegram_standin.scene.migrate(group)
        card = await here.telegram.world.until(
            lambda: next((m for m in here.anna.messages(new) if labels(m) == ["Cancel"]), None)
        )
        assert card is not None
        await here.telegram.world.until(
            lambda: any("Render" in labels(m) for m in here.anna.messages(new)), "the quote"
        )
        await job.finish()
        assert (await telegram_standin.until_clip(here.anna)).message_id == card.id
        await seen_once(here, here.anna)
        asked = here.anna.say("/create a ball --seconds 8", new)
        await here.answer(asked, "Here you may spend 1 a day")


async def test_a_topic_is_closed_midway(telegram_standin: Standin, tmp_path: Path) -> None:
    """The card is edited there all the same; what is new comes directly."""
    async with wound(telegram_standin, tmp_path) as here:
        forum = telegram_standin.scene.forum("Forum", here.mia, here.anna)
        topic = telegram_standin.scene.topic(forum, "clips", here.mia)
        job = await running(here, here.anna.say("/create a ball", forum, topic=topic))
        telegram_standin.scene.close(forum, topic)
        await job.finish()
        await here.clip(job.asked)
        await seen_once(here, here.anna)


async def test_a_slow_upload_is_not_given_up(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path, engine=Reel()) as here:
        telegram_standin.faults.slow("editMessageMedia", 20_000, least=10_000)
        await here.clip(here.anna.say("a ball --seconds 2"))
        await seen_once(here, here.anna)


async def test_closing_brings_home_what_is_on_its_way(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        job = await running(here, here.anna.say("a ball"))
        telegram_standin.faults.delay("editMessageMedia", 1.0)
        await job.finish()
        await telegram_standin.world.until(
            lambda: not telegram_standin.faults.waiting, "the upload under way"
        )
    assert len(here.anna.clips()) == 1


async def test_many_steps_are_few_edits_and_the_newest_stands(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with wound(telegram_standin, tmp_path) as here:
        asked = here.anna.say("a ball")
        job = await running(here, asked)
        for step in range(1, 200):
            job.engine.progress(job.job_id, job.attempt, step, 200)
            await asyncio.sleep(0)
        card = await here.answer(asked, "step 199 of 200")
        assert len(telegram_standin.edits(card)) < 10
        await job.finish()
        await here.clip(asked)
    assert telegram_standin.limits.exceeded == []
