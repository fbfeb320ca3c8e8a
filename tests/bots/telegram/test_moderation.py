"""A moderator's day on Telegram, and what another chat's can't do."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.moderation import Actor, Fill, Note, Rank
from tests.bots.projector import Projector
from tests.bots.telegram.cinema import Cinema, cinema, labels
from tests.telegram.people import Person
from tests.telegram.server import Standin
from tests.telegram.world import Chat, Message

pytestmark = pytest.mark.timeout(300)


async def test_a_moderator_s_day(telegram_standin: Standin, tmp_path: Path) -> None:
    engine = Projector()
    async with cinema(telegram_standin, tmp_path, engine=engine) as here:
        anna, mia, group = here.anna, here.mia, here.group
        hello = anna.say("good morning", group)

        async def mod(
            words: str, says: str, by: Person = mia, to: Message | None = hello
        ) -> Message:
            return await here.answer(by.say(f"/mod {words}".strip(), group, reply_to=to), says)

        before = (await here.funds(anna))[0]
        await mod("", "In reply to somebody's message")
        await mod("grant 20", "Only the administrators", by=here.ben)
        await mod("grant 20", "Answer a message of theirs", to=None)
        await mod("grant many", "Say how many credits")
        await mod("grant 20", "This server has no treasury")
        await fill(here, group, 50)
        await mod("grant 20 a prize", "20 credits for Anna from the treasury")
        assert (await here.funds(anna))[0] == before + 20
        by_link = mia.say("/mod grant 🎬 Anna 5", group, about=anna)
        await here.answer(by_link, "Say how many credits")
        by_link = mia.say("/mod grant Anna 5 for Anna", group, about=anna)
        await here.answer(by_link, "5 credits for Anna from the treasury")
        await mod("take 5", "Only who runs this Kinora")
        by_name = mia.say("/mod note @annabel asked for it", group)
        await here.answer(by_name, "I have not met @annabel yet")
        await here.answer(mia.say("/mod note @Anna asked for it", group), "Noted about Anna: asked")
        theirs = here.ben.say("good night", group)
        await mod("note was rude, says @anna", "Noted about Ben: was rude, says @anna", to=theirs)

        await mod("quota 1", "may spend 1 credit a day")
        dear = anna.say("/create a ball --seconds 8", group)
        await here.answer(dear, "Here you may spend 1 a day")
        await mod("quota none", "has no quota")

        await mod("pause 1d a talk", "Anna is paused on")
        await here.answer(anna.say("/create a ball", group), "You are paused here until")
        await mod("resume", "is not paused")

        asked = anna.say("/create a ball --seconds 1", group)
        job_id, attempt, _ = await engine.next()
        card = await here.answer(asked, "a ball")
        await mod("cancel not today", "is cancelled, and cost nothing", to=card)
        assert await engine.asked_to_stop.get() == (job_id, attempt)
        engine.stop(job_id, attempt)
        await here.until(card, lambda message: "Cancelled" in message.text)
        assert await here.funds(anna) == (before + 25, 0)

        (row,) = await here.home.store.moderation.rows(1, newest=True)
        assert (row.who, row.act) == (f"Mia (telegram:{mia.id})", "cancel")


async def test_who_is_banned_is_told_so_there_alone(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    scene, engine = telegram_standin.scene, Projector()
    async with cinema(telegram_standin, tmp_path, engine=engine) as here:
        anna, mia, group = here.anna, here.mia, here.group
        hello = anna.say("good morning", group)

        async def mod(words: str, says: str, to: Message | None = hello) -> Message:
            return await here.answer(mia.say(f"/mod {words}", group, reply_to=to), says)

        asked = anna.say("/create a ball --seconds 1", group)
        started = await engine.next()
        card = await here.answer(asked, "a ball")
        dry = await mod("ban 3d spam & more", "Nothing is done yet", to=card)
        theirs = here.ben.press(dry, "Do it")
        assert "Only who asked" in (await theirs.answer())["text"]
        press, again = mia.press(dry, "Do it"), mia.press(dry, "Do it")
        done = await here.until(dry, lambda message: not labels(message))
        assert "Clips cancelled: 1" in done.text
        await press.answer()
        await again.answer()
        engine.stop(*started[:2])
        await here.until(card, lambda message: "Cancelled" in message.text)
        await here.answer(anna.say("/create a ball", group), "You are banned here until")

        elsewhere = scene.group("Other", here.ben, anna)
        other = anna.say("/create a ball --seconds 1", elsewhere)
        await engine.finish(*await engine.next())
        await here.clip(other)

        await mod("note said sorry", "Noted about Anna")
        await mod("show", "our own chat")
        assert "Banned on" in mia.messages()[-1].text
        assert "held" not in mia.messages()[-1].text
        await mod("log", "our own chat", to=None)
        for act in ("ban", "note"):
            assert f"· {act} ·" in mia.messages()[-1].text
        await mod("unban", "is not banned")
        await mod("unban", "They are not banned")
        (row,) = await here.home.store.moderation.rows(1, newest=True)
        assert (row.who, row.act) == (f"Mia (telegram:{mia.id})", "unban")
        assert [row.act for row in await here.home.store.moderation.rows(9)] == [
            "ban", "note", "unban",
        ]  # fmt: skip

        server, account = f"telegram:{group.id}", await here.account(anna)
        for number in range(10):
            act = Note(server=server, account_id=account.id, text="&" * 500)
            mia_leads = Actor("Mia", Rank.MODERATOR, server)
            await here.home.store.moderation.perform(act, mia_leads, f"note-{number}")
        for words in ("log", "show"):
            await mod(words, "our own chat")
            assert "· note ·" in mia.messages()[-1].text
            assert mia.messages()[-1].text.endswith("…")


async def test_ranks_and_borders_hold(telegram_standin: Standin, tmp_path: Path) -> None:
    scene, engine = telegram_standin.scene, Projector()
    async with cinema(telegram_standin, tmp_path, engine=engine) as here:
        anna, ben, mia = here.anna, here.ben, here.mia
        await fill(here, here.group, 50)
        asked = anna.say("/create a ball --seconds 1", here.group)
        job_id, _, _ = await engine.next()
        await here.answer(asked, "a ball")
        other = scene.group("Other", ben, anna)
        hello = anna.say("hello", other)
        for words, says in (
            (f"cancel {job_id}", "There is no such clip"),
            ("grant 20", "This server has no treasury"),
            ("take 20", "Only who runs this Kinora"),
            ("plan pro", "Only who runs this Kinora"),
            ("ban everywhere spam", "on the server that you lead"),
            ("pause queue", "on the server that you lead"),
        ):
            await here.answer(ben.say(f"/mod {words}", other, reply_to=hello), says)
        await here.answer(ben.say("/mod log", other), "our own chat")
        assert "did anything here yet" in ben.messages()[-1].text
        scene.promote(here.group, ben)
        theirs = ben.say("hello", here.group)
        ban = mia.say("/mod ban spam", here.group, reply_to=theirs)
        await here.answer(ban, "Nobody acts on their own rank")
        own = anna.say("/mod pause all", None)
        await here.answer(own, "Only the administrators")
        assert [row.act for row in await here.home.store.moderation.rows(9)] == ["fill"]


async def test_a_topic_is_a_channel(telegram_standin: Standin, tmp_path: Path) -> None:
    scene = telegram_standin.scene
    async with cinema(telegram_standin, tmp_path) as here:
        forum = scene.forum("Forum", here.mia, here.anna)
        takes, talks = (scene.topic(forum, name, here.mia) for name in ("takes", "talks"))
        pause = here.mia.say("/mod pause topic 2h a talk", forum, topic=talks)
        await here.answer(pause, f"Channel {talks.id} is paused")
        refused = here.anna.say("/create a ball", forum, topic=talks)
        await here.answer(refused, "This channel is paused until")
        await here.clip(here.anna.say("/create a ball --seconds 0.5", forum, topic=takes))
        await here.answer(here.mia.say("/mod resume topic", forum, topic=talks), "is not paused")


async def test_an_operator_acts_everywhere(telegram_standin: Standin, tmp_path: Path) -> None:
    mia_s = 1003  # the third person of the stand-in
    async with cinema(telegram_standin, tmp_path, operators=f"telegram:{mia_s}") as here:
        mia = here.mia
        assert mia.id == mia_s
        hello = here.anna.say("hello", here.group)
        before = (await here.funds(here.anna))[0]
        take = mia.say("/mod take 9999", here.group, reply_to=hello)
        dry = await here.answer(take, "Nothing is done yet")
        assert (await here.funds(here.anna))[0] == before
        mia.press(dry, "Do it")
        await here.until(dry, lambda message: not labels(message))
        assert (await here.funds(here.anna))[0] == 0
        await here.answer(mia.say("/mod grant 7", here.group, reply_to=hello), "who then has 7")
        await here.answer(mia.say("/mod pause queue"), "The whole queue is paused")
        await here.answer(
            here.anna.say("a ball --seconds 1"), lambda message: "Paused" in message.text
        )
        await here.answer(mia.say("/mod resume queue"), "The whole queue is not paused")
        shown = mia.say("/mod show", here.group, reply_to=hello)
        await here.answer(shown, "our own chat")
        assert f"telegram:{here.anna.id}" in mia.messages()[-1].text


async def fill(here: Cinema, chat: Chat, credits: int) -> None:
    """As an operator does from the shell."""
    act = Fill(server=f"telegram:{chat.id}", credits=credits)
    await here.home.store.moderation.perform(act, Actor("the shell", Rank.HOST), "fill")
