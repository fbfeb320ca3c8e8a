"""The whole story on the wire: install, sync, commands, cards, buttons, forms, and a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from model import video
from tests.bots.discord.cinema import PICTURE, cinema, labels, opened, text, videos
from tests.discord.cdn import Upload
from tests.discord.server import Standin

pytestmark = pytest.mark.timeout(300)

FOUR = "×4 · 4 credits"


async def test_words_become_a_clip_and_a_clip_becomes_others(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.anna.slash("create", here.room, prompt="a red ball --seed 7", length=1)
        card = await here.clip(asked)
        assert "a red ball" in text(card)
        assert "seed 7" in text(card)
        assert labels(card) == ["Again", "Edit", "Extend", FOUR, "Delete", "Report"]
        clip = tmp_path / "clip.mp4"
        clip.write_bytes(here.bytes_of(card))
        assert video.probe(clip).num_frames == 9

        # An edit tells nobody: one short message does, and it names its author alone.
        ping = await here.said(here.room, "Your clip is done.")
        assert ping.mentioned == (here.anna.id,)

        # Once more, with another seed; then longer.
        again = await here.clip(here.anna.press(card, "Again"))
        assert again.id != card.id
        assert "a red ball" in text(again)
        assert "seed 7 " not in text(again)
        longer = await here.clip(here.anna.press(again, "Extend"))
        clip.write_bytes(here.bytes_of(longer))
        assert video.probe(clip).num_frames > 9

        # Edit is a filled-in form.
        form = here.anna.press(card, "Edit")
        fields = {
            part["component"]["custom_id"]: part["component"].get("value")
            for part in (await form.modal())["components"]
        }
        assert fields["words"] == "a red ball"
        assert "--seed 7" in str(fields["flags"])
        long = {"Prompt": "ball " * 400, "Flags": "--seed 7"}
        said = await here.answer(await here.anna.submit_modal(form, long), "Take 9 out.")
        assert "Nothing was charged." in text(said)
        form = here.anna.press(card, "Edit")
        edited = await here.clip(await here.anna.submit_modal(form, {"Prompt": "a blue ball"}))
        assert "a blue ball" in text(edited)
        assert "seed 7" in text(edited)

        account = await here.account(here.anna)
        views = await here.home.studio.history(account)
        assert await here.funds(here.anna) == (1000 - sum(v.job.credits for v in views), 0)
        assert len(views) == 4


async def test_a_picture_in_any_message_comes_to_life(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.anna.slash("create", here.room, prompt="pan left", image=PICTURE, length=1)
        card = await here.clip(asked)
        assert "slide" in text(card)
        posted = here.ben.post(here.room, "look at this", [Upload("bay.jpg", PICTURE)])
        animated = await here.clip(here.anna.message_command("Animate this", posted))
        assert "slide" in text(animated)
        words = here.ben.post(here.room, "no picture here")
        await here.answer(
            here.anna.message_command("Animate this", words), "There is no picture in that message"
        )
        animated = await here.clip(here.anna.slash("animate", here.room, image=PICTURE, length=0.5))
        assert videos(animated)


async def test_a_card_can_be_cancelled_and_the_credits_come_back(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.anna.slash("create", here.room, prompt="a red ball", model="slow")
        card = await asked.message(lambda m: "Rendering" in text(m) and "▰" in text(m))
        assert labels(card) == ["Cancel"]
        assert any(a.filename == "preview.jpg" for a in card.attachments)
        here.anna.press(card, "Cancel")
        gone = await asked.message(lambda m: "Cancelled" in text(m))
        assert "came back" in text(gone)
        assert labels(gone) == ["Again", "Edit", "Delete"]
        assert await here.funds(here.anna) == (1000, 0)


async def test_buttons_work_after_a_restart(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        card = await here.clip(here.anna.slash("create", here.room, prompt="a ball", length=1))
        waiting = here.anna.slash("create", here.room, prompt="a slow ball", model="slow")
        await waiting.message(lambda m: "Rendering" in text(m))
        form = here.anna.press(card, "Edit")
        await form.modal()
    async with opened(discord_standin, tmp_path) as home:
        here = replace(here, home=home)
        sent = await here.anna.submit_modal(form, {"Prompt": "a new ball"})
        again = here.anna.press(card, "Again")
        running = await waiting.message(lambda m: "Rendering" in text(m))
        here.anna.press(running, "Cancel")
        await waiting.message(lambda m: "Cancelled" in text(m))
        assert "a new ball" in text(await here.clip(sent))
        assert videos(await here.clip(again))


async def test_four_at_once_share_a_message(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        card = await here.clip(here.anna.slash("create", here.room, prompt="a ball", length=1))
        asked = here.anna.press(card, FOUR)
        sheet = await asked.message(lambda m: len(videos(m)) == 4)
        assert labels(sheet) == ["1", "2", "3", "4", "Delete"]
        uploads: dict[str, set[int]] = {}
        for version in discord_standin.world.history:
            for clip in videos(version.message) if version.message.id == sheet.id else ():
                uploads.setdefault(clip.filename, set()).add(clip.id)
        assert [len(ids) for ids in uploads.values()] == [1, 1, 1, 1]  # each was sent once
        seeds = {
            view.job.request.seed
            for view in await here.home.studio.history(await here.account(here.anna))
        }
        assert len(seeds) == 5
        await here.said(here.room, "Your clips are done.")
        one = await here.clip(here.anna.press(sheet, "3"))
        assert labels(one) == ["Again", "Edit", "Extend", FOUR, "Delete", "Report"]
        await here.answer(here.ben.press(sheet, "2"), "This is Anna's clip.")
        here.anna.press(one, "Delete")
        sheet = await asked.message(lambda m: len(videos(m)) == 3)
        assert labels(sheet) == ["1", "2", "3", "Delete"]
        deleted = here.anna.press(sheet, "Delete")
        await discord_standin.world.until(
            lambda: sheet.id not in discord_standin.world.messages, "the sheet deleted"
        )
        assert deleted.followups() == []
        assert len(await here.home.studio.history(await here.account(here.anna))) == 1


async def test_a_small_clip_is_made_larger(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.anna.slash("create", here.room, prompt="a ball", length=1, resolution="144p")
        card = await here.clip(asked)
        larger = await here.clip(here.anna.press(card, "Upscale to 240p"))
        clip = tmp_path / "clip.mp4"
        clip.write_bytes(here.bytes_of(larger))
        assert video.probe(clip).height == 240
        assert "Upscale" not in " ".join(labels(larger))


async def test_others_may_remix_and_report_but_not_press_what_is_not_theirs(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        card = await here.clip(here.anna.slash("create", here.room, prompt="a ball", length=1))
        for button in ("Again", "Edit", "Extend", FOUR, "Delete"):
            pressed = here.ben.press(card, button)
            says = "a moderator may delete it" if button == "Delete" else "This is Anna's clip."
            said = await here.answer(pressed, says)
            assert said.audience == here.ben.id
            assert said.id == pressed.now.original_id  # at once: nobody saw a "thinking…"
        form = here.ben.message_command("Remix", card)
        remixed = await here.clip(await here.ben.submit_modal(form, {"Prompt": "my ball"}))
        assert "my ball" in text(remixed)
        assert (await here.funds(here.ben))[0] < 1000
        before = await here.funds(here.anna)
        report = here.ben.press(card, "Report")
        assert (await here.answer(report, "Noted")).audience == here.ben.id
        await here.answer(here.ben.press(card, "Report"), "reported this clip already")
        assert await here.funds(here.anna) == before

        # A moderator may take it down.
        here.mia.press(card, "Delete")
        await discord_standin.world.until(
            lambda: card.id not in discord_standin.world.messages, "the card deleted"
        )
        assert not await here.home.studio.history(await here.account(here.anna))
        (row,) = await here.home.store.moderation.rows(9)
        assert (row.who, row.act) == (f"Mia (discord:{here.mia.id})", "delete")


async def test_what_concerns_one_person_is_said_to_them_alone(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        card = await here.clip(here.anna.slash("create", here.room, prompt="a ball", length=1))
        for command, words in (
            ("me", "Your newest clips"),
            ("queue", "Nothing runs and nothing waits"),
            ("models", "sketch"),
            ("help", "You talk to a machine."),
        ):
            answer = await here.answer(here.anna.slash(command, here.room), words)
            assert answer.audience == here.anna.id
        me = await here.answer(here.anna.slash("me", here.room), "Plan")
        here.anna.press(me, "Don't ping me")
        await discord_standin.world.until(
            lambda: labels(discord_standin.newest(me)) == ["Ping me when it's done"], "no ping"
        )
        pings = [m for m in discord_standin.messages(here.room) if "is done" in text(m)]
        shown = await here.clip(here.anna.slash("show", here.room))
        assert text(shown) == text(discord_standin.newest(card))
        again = await here.clip(here.anna.slash("again", here.room))
        await here.clip(here.anna.slash("extend", here.room, seconds=1.0))
        assert videos(again)
        after = [m for m in discord_standin.messages(here.room) if "is done" in text(m)]
        assert after == pings

        typed = here.anna.autocomplete("show", here.room, "clip", clip="a b")
        assert len(await typed.choices()) == 3
        moves = await here.anna.autocomplete("create", here.room, "camera", camera="zoom").choices()
        assert [choice["value"] for choice in moves] == ["zoom in", "zoom out"]
        models = await here.anna.autocomplete("create", here.room, "model", model="sl").choices()
        assert {choice["value"] for choice in models} == {"slide", "slow"}


async def test_bad_input_is_answered_at_once_and_costs_nothing(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path, daily_credits=1) as here:
        for options, says in (
            ({"prompt": "a ball --warp 3"}, "There is no --warp. Did you mean --camera?"),
            ({"prompt": "a ball", "model": "nobody"}, 'There is no model "nobody"'),
            ({}, "Write what you would like to see"),
            ({"prompt": "a ball --fast --relaxed"}, "exclude each other"),
            ({"prompt": "x", "image": b"no picture at all"}, "That is not a picture"),
        ):
            said = await here.answer(here.anna.slash("create", here.room, **options), says)
            assert "Nothing was charged." in text(said)
            assert said.audience == here.anna.id
        assert await here.funds(here.anna) == (1, 0)
        assert [m for m in discord_standin.messages(here.room) if m.audience is None] == []
        assert not list((tmp_path / "data" / "pictures").iterdir())
