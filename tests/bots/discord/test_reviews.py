"""What is refused, appealed, reported and taken down, as people and moderators meet it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bots import app
from core.inspection import Said
from core.job import State
from core.prompt import parse
from core.safety.gate import Seen
from core.safety.verdict import POLICY, Clause
from tests.bots.discord.cinema import PICTURE, cinema, labels, opened, text, videos
from tests.discord import components
from tests.discord.asked import Asked
from tests.discord.given import Impossible
from tests.discord.server import Standin
from tests.discord.world import Message
from tests.sight import Blind

pytestmark = pytest.mark.timeout(300)

GORE = "a man torn apart, guts and blood everywhere"
REFUSED = ["Edit", "Appeal", "Delete"]


async def refused(asked: Asked) -> Message:
    return await asked.message(lambda m: "I can't make this one" in text(m))


async def test_an_appeal_from_refusal_to_clip(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        before = await here.funds(here.anna)
        asked = here.anna.slash("create", here.room, prompt=GORE, length=1)
        card = await refused(asked)
        assert POLICY[Clause.GORE] in text(card)
        assert "Nothing was charged." in text(card)
        assert f"> ||{GORE}||" in text(card)
        assert labels(card) == REFUSED
        assert await here.funds(here.anna) == before

        said = await here.answer(here.ben.press(card, "Appeal"), "This is Anna's clip.")
        assert said.audience == here.ben.id
        form = here.anna.press(card, "Appeal")
        sent = [await here.anna.submit_modal(form, {"why": "It is a cake."}) for _ in range(2)]
        waits = await asked.message(lambda m: "Waiting for a moderator" in text(m))
        assert labels(waits) == ["Cancel"]
        assert all(not one.followups() for one in sent)
    async with opened(discord_standin, tmp_path) as home:
        here = replace(here, home=home)
        with pytest.raises(Impossible):
            here.anna.slash("mod queue", here.room)
        queue = here.mia.slash("mod queue", here.room)
        listed = await here.answer(queue, "1 clip waits for a moderator")
        assert listed.audience == here.mia.id
        assert GORE not in text(listed)
        here.mia.press(listed, "Look")
        seen = await queue.message(lambda m: "They say" in text(m))
        assert f"Prompt: ||{GORE}||" in text(seen)
        assert "It is a cake." in text(seen)
        here.mia.press(seen, "Approve")
        await queue.message(lambda m: "approved" in text(m))
        clip = await here.clip(asked)
        assert "Your clip is done." in text(await here.said(here.room, "is done"))
        assert (await here.funds(here.anna))[0] < before[0]
        assert videos(clip)
        (row,) = await home.store.moderation.rows(9)
        assert (row.who, row.act) == (f"Mia (discord:{here.mia.id})", "approve")
        here.mia.press(await queue.message(), "All that wait")
        await queue.message(lambda m: "Nothing waits" in text(m))


async def test_a_denial_and_a_deadline(
    discord_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of cards that their author alone sees, too."""
    monkeypatch.setattr(app, "SWEEP_SECONDS", 1)
    clock = discord_standin.clock
    olga = discord_standin.scene.user("olga")
    discord_standin.scene.guild("Office", olga)
    running = cinema(discord_standin, tmp_path, clock=clock.date, operators=f"discord:{olga.id}")
    async with running as here:
        asked = here.anna.slash("create", here.room, prompt=GORE, private=True)
        card = await refused(asked)
        assert card.audience == here.anna.id
        await here.anna.submit_modal(here.anna.press(card, "Appeal"), {})
        await asked.message(lambda m: "Waiting for a moderator" in text(m))
        other = here.anna.slash("create", here.room, prompt=f"{GORE}, again")
        await here.anna.submit_modal(here.anna.press(await refused(other), "Appeal"), {})
        await other.message(lambda m: "Waiting for a moderator" in text(m))
        told = await here.said(discord_standin.scene.dm(olga), "for a moderator")
        assert "/mod queue" in text(told)

        queue = here.mia.slash("mod queue", here.room)
        listed = await here.answer(queue, "2 clips wait for a moderator")
        first = next(c for c in components.walk(listed.components) if c.get("label") == "Look")
        here.mia.press(listed, first["custom_id"])
        seen = await queue.message(lambda m: "Prompt:" in text(m))
        form = here.mia.press(seen, "Deny")
        await here.mia.submit_modal(form, {"why": "Not on this server."})
        await queue.message(lambda m: "is refused: Not on this server." in text(m))
        denied = await asked.message(lambda m: "Not on this server." in text(m))
        assert "Nothing was charged." in text(denied)
        assert labels(denied) == ["Edit", "Delete"]

        clock.jump(timedelta(hours=49).total_seconds())
        late = await other.message(lambda m: "No moderator looked at it in time." in text(m))
        assert labels(late) == ["Edit", "Delete"]


async def test_a_reported_clip_is_taken_down_wherever_it_was_posted(
    discord_standin: Standin, tmp_path: Path
) -> None:
    scene, world = discord_standin.scene, discord_standin.world
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.anna.slash("create", here.room, prompt="a ball", length=1)
        card = await here.clip(asked)
        there = scene.channel(here.guild, "elsewhere")
        copy = await here.clip(here.anna.slash("show", there))
        again = await here.clip(here.anna.press(card, "Extend"))
        await here.answer(here.ben.press(card, "Report"), "Noted")

        reports = here.mia.slash("mod reports", here.room)
        listed = await here.answer(reports, "1 reported clip")
        assert listed.audience == here.mia.id
        here.mia.press(listed, "Look")
        seen = await reports.message(lambda m: "Prompt: ||a ball||" in text(m))
        assert [a.filename for a in seen.attachments] == ["SPOILER_clip.mp4"]
        (item,) = [c for c in components.walk(seen.components) if c["type"] == components.GALLERY]
        assert item["items"][0]["spoiler"]
        here.mia.press(seen, "Take down")
        sure = await reports.message(lambda m: "Nothing is done yet." in text(m))
        assert card.id in world.messages
        here.mia.press(sure, "Do it")
        await reports.message(lambda m: "is taken down" in text(m))
        for gone in (card, copy, again):
            await world.until(lambda gone=gone: gone.id not in world.messages, "a copy deleted")
        assert not await here.home.studio.history(await here.account(here.anna))
        reports = here.mia.slash("mod reports", here.room)
        await here.answer(reports, "Nothing is reported here.")


async def test_a_face_needs_a_word_and_who_is_named_is_asked(
    discord_standin: Standin, tmp_path: Path
) -> None:
    scene, inspector = discord_standin.scene, Blind()
    inspector.pictures = [Seen(faces=1)]
    async with cinema(discord_standin, tmp_path, inspector=inspector) as here:

        def ask(**more: object) -> Asked:
            what = {"prompt": "pan left", "image": PICTURE, "length": 1}
            return here.anna.slash("create", here.room, **what | more)

        # Whoever is named answers in person; the word of who sent it is not enough.
        asked = ask(subject=here.ben)
        await asked.message(lambda m: "Waiting for the person in it" in text(m))
        question = await here.said(scene.dm(here.ben), "would like to make a clip")
        assert [a.filename for a in question.attachments] == ["SPOILER_picture.jpg"]
        assert "||pan left||" in text(question)
        here.ben.press(question, "Don't agree")
        await asked.message(lambda m: "The person in the picture did not agree." in text(m))
        assert not labels(discord_standin.newest(question))
        here.anna.press(await asked.message(), "Delete")
        await discord_standin.world.until(
            lambda: question.id not in discord_standin.world.messages, "the question is deleted"
        )
        asked = ask(subject=here.ben)
        await asked.message(lambda m: "Waiting for the person in it" in text(m))
        question = await here.said(scene.dm(here.ben), "would like to make a clip")
        here.ben.press(question, "Agree")
        assert videos(await here.clip(asked))

        # Who can't be reached can't agree.
        zoe = scene.user("zoe", dms_open=False)
        scene.join(here.guild, zoe)
        asked = ask(subject=zoe)
        await here.answer(asked, "I can't ask Zoe")
        await asked.message(lambda m: "Cancelled" in text(m))
        before = await here.funds(here.anna)
        assert before[1] == 0

        # Nobody named: its sender says so, once for a picture.
        asked = ask()
        face = await asked.message(lambda m: "There is a face in this picture." in text(m))
        assert labels(face) == ["I may use it", "Cancel"]
        await here.answer(here.ben.press(face, "I may use it"), "Anna's clip")
        here.anna.press(face, "I may use it")
        assert videos(await here.clip(asked))
        assert videos(await here.clip(ask()))

        # Nobody waits for a question that a program did not get to ask.
        job = await here.home.studio.submit(
            await here.account(here.anna),
            f"discord:{here.guild.id}/{here.room.id}/1",
            parse("pan right --seconds 1"),
            picture=PICTURE,
            said=Said(subject=await here.account(here.ben)),
        )
        assert job.state is State.HELD
    async with opened(discord_standin, tmp_path, inspector=inspector) as home:
        here = replace(here, home=home)
        question = await here.said(scene.dm(here.ben), "pan right")
        here.ben.press(question, "Don't agree")
        await here.said(scene.dm(here.ben), "No clip is made")
