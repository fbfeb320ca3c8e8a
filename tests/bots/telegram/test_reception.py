"""Commands that make nothing: what is said, deep links, /show and /cancel, and /settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.places import Rules
from core.safety.level import Level
from tests.bots.telegram.cinema import cinema, is_clip, labels, opened
from tests.telegram import markup, payloads
from tests.telegram.posts import post
from tests.telegram.refusals import Refused
from tests.telegram.server import Standin
from tests.telegram.world import Message

pytestmark = pytest.mark.timeout(300)

SAID = {
    "/start": "You talk to a machine",
    "/help": "You talk to a machine",
    "/me": "1000 credits",
    "/queue": "Nothing runs and nothing waits",
    "/models": "draws a ball",
    "/privacy": "Clips and the pictures you send: 30 days",
    "/terms": "anybody under 18",
    "/paysupport": "Nothing is sold here",
    "/show": "You have no clip yet",
    "/show zzzzzzzzzzzz": "There is no such clip",
    "/cancel": "Nothing of yours is under way",
    "/start create_a_ball_--warp_9": "Nothing was charged",
}


async def test_everybody_is_told(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        telegram_standin.limits.on = False
        for said, words in SAID.items():
            answer = await here.answer(here.anna.say(said), words)
            assert not answer.buttons
        in_group = await here.answer(here.anna.say("/help@kinora_bot", here.group))
        assert len(in_group.text.splitlines()) == 3
        whole = here.anna.follow(in_group, "All of it, in our own chat")
        await here.answer(whole, SAID["/help"])
        assert await here.jobs(here.anna) == []


async def test_what_is_personal_stays_out_of_groups(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        stranger = telegram_standin.scene.user("ida", started=False)
        telegram_standin.scene.join(here.group, stranger)
        world = telegram_standin.world
        for said, words in (("/me", "1000 credits"), ("/queue", "Nothing runs")):
            asked = here.anna.say(said, here.group)
            await world.until(lambda: asked.key in world.reactions, "a sign")  # noqa: B023
            assert words in here.anna.messages()[-1].text
            assert not here.answers(asked)
        telegram_standin.faults.refuse("setMessageReaction", Refused("REACTION_INVALID"))
        await here.answer(here.anna.say("/me", here.group), "I sent it to you")
        led = await here.answer(stranger.say("/me", here.group), "for you alone")
        await here.answer(stranger.follow(led, "Our own chat"), "1000 credits")
        assert not any("credits" in m.text for m in here.ben.messages(here.group))


async def test_who_hides_behind_their_group_is_nobody_in_particular(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """https://core.telegram.org/bots/api#message"""
    async with cinema(telegram_standin, tmp_path) as here:
        world = telegram_standin.world
        hidden = {
            "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"},
            "sender_chat": payloads.chat(world, here.group),
        }

        def say(words: str) -> Message:
            entities = markup.found(words)
            return post(world, Message(
                here.group.id, world.message_id(here.group.id), here.mia.id, world.clock.now(),
                words, entities, special=hidden,
            ))  # fmt: skip

        for words in ("/show@kinora_bot", "/me@kinora_bot", "/cancel@kinora_bot",
                      "/create@kinora_bot a ball"):  # fmt: skip
            await here.answer(say(words), "ask as yourself")
        await here.answer(say("/help@kinora_bot"), "makes a clip")


async def test_a_deep_link_brings_words_that_are_made_once(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        offered = await here.answer(here.anna.start("create_a_red_ball_--seconds_1"), "Make this")
        assert "a red ball --seconds 1" in offered.text
        assert "1 credit · " in offered.text
        assert await here.jobs(here.anna) == []
        first, second = here.anna.press(offered, "Make it"), here.anna.press(offered, "Make it")
        await first.answer()
        await second.answer()
        made = await telegram_standin.world.until(
            lambda: [m for m in here.anna.messages() if is_clip(m)], "the clip"
        )
        assert made[0].reply_to == offered.id
        (job,) = await here.jobs(here.anna)
        assert job.request.prompt == "a red ball"
        await here.until(offered, lambda m: not m.buttons)
        shown = await here.clip(here.anna.start(f"show_{job.id}"))
        assert labels(shown) == labels(made[0])
        strangers = here.ben.start(f"show_{job.id}")
        await here.answer(strangers, "There is no such clip")


async def test_an_unfinished_card_moves_and_is_cancelled(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        card = await here.answer(here.anna.say("a ball --model slow"), "Rendering")
        await here.answer(here.anna.say("another --model slow"), "In the queue")
        chosen = await here.answer(here.anna.say("/cancel"), "Which one?")
        assert len(chosen.buttons) == 2
        here.anna.press(chosen, "another · 2 s · waiting")
        await telegram_standin.world.until(
            lambda: any("Cancelled" in m.text for m in here.anna.messages()), "it is cancelled"
        )
        (job,) = [job for job in await here.jobs(here.anna) if not job.state.ended]
        newer = await here.answer(here.anna.say(f"/show {job.id}"), "Rendering")
        await here.until(card, lambda m: "goes on in a newer message" in m.text)
        await here.until(newer, lambda m: "▰" in m.text)
        here.anna.say("/cancel", reply_to=newer)
        await here.until(newer, lambda m: "Cancelled" in m.text)
        assert await here.funds(here.anna) == (1000, 0)


async def test_who_leads_a_group_settles_how_it_is_used(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        group = here.group
        await here.answer(here.ben.say("/settings", group), "Only the administrators")
        shown = await here.answer(here.mia.say("/settings", group), "Kinora in this chat")

        async def press(label: str, then: str) -> Message:
            here.mia.press(shown, label)
            return await here.until(shown, lambda m: then in m.text, label)

        await press("Length", "Where nobody says otherwise")
        refused = await here.ben.press(shown, "1 s").answer()
        assert (refused["show_alert"], "Only the administrators" in refused["text"]) == (True, True)
        await press("1 s", "Length: 1 s;")
        await press("Largest", "The most that may be asked for")
        now = await press("144p", "144p at most")
        assert "Topics" not in now.text
        await press("Safety", "How strictly")
        await press("strict", "Safety: strict")
        here.mia.press(shown, "Ping when done")
        await here.until(shown, lambda m: "a short message tells" in m.text)
        asked = here.ben.say("/create a ball", group)
        ping = await here.answer(await here.clip(asked), "Your clip is done")
        assert "Ben" in ping.text
        (job,) = await here.jobs(here.ben)
        assert (job.request.resolution, job.request.seconds) == ("144p", 1)
        await here.answer(here.ben.say("/create a ball --res 240p", group), "up to 144p")
    async with opened(telegram_standin, tmp_path) as home:
        here.mia.press(shown, "Model")
        await here.until(shown, lambda m: "Where nobody names another" in m.text)
        here.mia.press(shown, "slide")
        await here.until(shown, lambda m: "Model: slide" in m.text)
        rules = home.studio._rules(f"telegram:{group.id}")
        assert rules == Rules(
            seconds=1, largest="144p", model="slide", ping=True, level=Level.STRICT
        )
        telegram_standin.scene.demote(group, here.mia)
        late = here.mia.press(shown, "Model")
        assert "Only the administrators" in (await late.answer())["text"]


async def test_ones_own_chat_and_topics_have_settings(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path) as here:
        scene = telegram_standin.scene
        own = await here.answer(here.anna.say("/settings"), "Kinora in this chat")
        assert "Safety" not in labels(own)
        forged = here.anna.press_data(own, "kn-set:level:strict")
        assert "In our own chat" in (await forged.answer())["text"]
        forged = here.anna.press_data(own, "kn-set:largest:9x")
        assert "another version" in (await forged.answer())["text"]
        here.anna.press(own, "Close")
        await here.gone(own)

        forum = scene.forum("Films", here.mia, here.anna)
        clips, chat = (scene.topic(forum, name, here.mia) for name in ("clips", "chat"))
        asked = here.mia.say("/settings", forum, topic=clips)
        shown = await here.answer(asked, "Topics: all")
        assert shown.topic == clips.id
        here.mia.press(shown, "Only in this topic")
        await here.until(shown, lambda m: "only in 1" in m.text)
        elsewhere = here.anna.say("/create a ball", forum, topic=chat)
        await here.answer(elsewhere, "other topics")
        there = await here.clip(here.anna.say("/create a ball --seconds 1", forum, topic=clips))
        assert there.topic == clips.id


async def test_an_answer_that_gets_lost_is_no_trouble(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """A command whose answer can't be sent ends there; a setting holds though it isn't shown."""
    async with cinema(telegram_standin, tmp_path) as here:
        own = await here.answer(here.anna.say("/settings"), "Kinora in this chat")
        telegram_standin.faults.lose("editMessageText")
        assert (await here.anna.press(own, "Ping when done").answer())["text"] == "Set."
        telegram_standin.faults.refuse("sendMessage", Refused("CHAT_WRITE_FORBIDDEN", 403))
        here.anna.say("/help")
        await here.answer(here.anna.say("/settings"), "a short message tells")
