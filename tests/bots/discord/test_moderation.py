"""A moderator's day on Discord, and what another server's can't do."""

from __future__ import annotations

from asyncio import Event, sleep, timeout
from pathlib import Path
from typing import Any

import pytest

from core.job import Identity
from core.moderation import Act, Actor, Fill, Note, Outcome, Rank
from tests.bots.discord.cinema import Cinema, cinema, labels, opened, text, videos
from tests.bots.projector import Projector
from tests.discord.asked import Asked
from tests.discord.given import Impossible
from tests.discord.permissions import EVERYONE, Permission
from tests.discord.server import Standin

pytestmark = pytest.mark.timeout(300)


async def heard(asked: Asked, words: str, here: Cinema) -> str:
    """An answer that nobody else sees."""
    message = await here.answer(asked, words)
    assert message.audience == asked.now.user_id
    return text(message)


async def test_a_moderator_s_day(discord_standin: Standin, tmp_path: Path) -> None:
    scene, engine = discord_standin.scene, Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        anna, mia, room = here.anna, here.mia, here.room
        before = (await here.funds(anna))[0]
        with pytest.raises(Impossible):
            anna.slash("mod grant", room, member=here.ben, credits=20)
        asked = mia.slash("mod grant", room, member=anna, credits=20)
        await heard(asked, "This server has no treasury", here)
        await fill(here, 50)
        asked = mia.slash("mod grant", room, member=anna, credits=20, reason="a prize")
        await heard(asked, "20 credits for anna from the treasury", here)
        assert (await here.funds(anna))[0] == before + 20

        await heard(mia.slash("mod quota", room, member=anna, credits=1), "1 credit a day", here)
        dear = anna.slash("create", room, prompt="a ball", length=8)
        await here.answer(dear, "Here you may spend 1 a day")
        await heard(mia.slash("mod quota", room, member=anna), "has no quota", here)

        await heard(mia.slash("mod pause", room, member=anna, until="1d"), "anna is paused", here)
        await here.answer(anna.slash("create", room, prompt="a ball"), "You are paused here until")
        await heard(mia.slash("mod resume", room, member=anna), "not paused", here)

        card = anna.slash("create", room, prompt="a ball --seconds 1")
        job_id, attempt, _ = await engine.next()
        (offered,) = await mia.autocomplete("mod cancel", room, "clip").choices()
        assert offered["value"] == job_id
        asked = mia.slash("mod cancel", room, clip=job_id)
        await heard(asked, "is cancelled, and cost nothing", here)
        assert await engine.asked_to_stop.get() == (job_id, attempt)
        engine.stop(job_id, attempt)
        await card.message(lambda message: "Cancelled" in text(message))
        assert await here.funds(anna) == (before + 20, 0)

        card = anna.slash("create", room, prompt="a ball --seconds 1")
        job_id, attempt, _ = await engine.next()
        mia.press(await card.message(), "Cancel")
        assert await engine.asked_to_stop.get() == (job_id, attempt)
        engine.stop(job_id, attempt)
        await card.message(lambda message: "Cancelled" in text(message))
        assert await here.funds(anna) == (before + 20, 0)
        (row,) = await here.home.store.moderation.rows(1, newest=True)
        assert (row.act, row.whom) == ("cancel", f"job:{job_id}")

        asked = mia.slash("mod ban", room, member=anna, reason="spam *and* more", until="3d")
        await heard(asked, "Nothing is done yet. This would be: anna is banned", here)
        anna_asks = anna.slash("create", room, prompt="a ball --seconds 1")
        started = await engine.next()
        press = mia.press(await asked.message(), "Do it")
        again = mia.press(await asked.message(), "Do it")
        done = await asked.message(lambda message: not labels(message))
        assert "Clips cancelled: 1" in text(done)
        await press.acknowledged()
        await again.acknowledged()
        engine.stop(*started[:2])
        await anna_asks.message(lambda message: "Cancelled" in text(message))
        refused = anna.slash("create", room, prompt="a ball")
        await here.answer(refused, "You are banned here until")

        elsewhere = scene.channel(scene.guild("Other", here.ben, anna), "general")
        allowed = anna.slash("create", elsewhere, prompt="a ball --seconds 1")
        await engine.finish(*await engine.next())
        assert videos(await here.clip(allowed))

        shown = await heard(mia.slash("mod show", room, member=anna), "Banned on", here)
        assert "credits\n" not in shown.partition("Log")[0]
        log = await heard(mia.slash("mod log", room), "What moderators did", here)
        for act in ("grant", "quota", "pause", "resume", "cancel", "ban"):
            assert f"· {act} ·" in log.replace("\\", "")
        await heard(mia.slash("mod unban", room, member=anna), "not banned", here)
        assert (await here.home.store.moderation.rows(1, newest=True))[0].who.startswith("Mia (dis")

        for number in range(10):
            await noted(here, "*" * 500, f"note-{number}")
        for asked in (mia.slash("mod log", room), mia.slash("mod show", room, member=anna)):
            log = await heard(asked, "· note ·", here)
            assert log.endswith("…")


async def test_a_channel_is_paused_with_its_threads(
    discord_standin: Standin, tmp_path: Path
) -> None:
    engine = Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        thread = discord_standin.scene.thread(here.room, "takes", here.anna)
        first = here.anna.slash("create", thread, prompt="a ball --seconds 1")
        running = await engine.next()
        waits = here.anna.slash("create", thread, prompt="a ball --seconds 1")
        await waits.message(lambda message: "In the queue" in text(message))
        pause = here.mia.slash("mod pause", here.room, channel=here.room, reason="a talk")
        await heard(pause, f"Channel {here.room.id} is paused", here)
        await here.answer(here.anna.slash("create", thread, prompt="a ball"), "channel is paused")
        await engine.finish(*running)
        assert videos(await here.clip(first))
        await waits.message(lambda message: "Paused" in text(message))
        await heard(
            here.mia.slash("mod resume", here.room, channel=here.room), "is not paused", here
        )
        await engine.finish(*await engine.next())
        assert videos(await here.clip(waits))


async def test_all_who_have_a_role(discord_standin: Standin, tmp_path: Path) -> None:
    """Those who asked before; the first look says how many, and a button does it."""
    scene = discord_standin.scene
    async with cinema(discord_standin, tmp_path) as here:
        anna, mia, room = here.anna, here.mia, here.room
        fans = scene.role(here.guild, "Fans", 0, anna, here.ben, mia, scene.user("never here"))
        nobodies = scene.role(here.guild, "Nobody", 0)
        await fill(here, 50)
        before = {person.id: (await here.funds(person))[0] for person in (anna, here.ben, mia)}

        async def grant(says: str, **whom: object) -> Asked:
            asked = mia.slash("mod grant", room, credits=20, reason="a prize", **whom)
            await heard(asked, says, here)
            return asked

        await grant("either a member or a role")
        await grant("either a member or a role", member=anna, role=fans)
        await grant("Nobody who has the role @Nobody", role=nobodies)
        asked = await grant("20 credits each for 2 people with @Fans", role=fans)
        said = text(await asked.message())
        assert "40 in sum; the treasury then has 10 left" in said
        assert "1 who lead this server are left out" in said
        assert (await here.funds(anna))[0] == before[anna.id]
        for _ in range(2):
            mia.press(await asked.message(), "Do it")
        done = await asked.message(lambda message: not labels(message))
        assert "Done for 2 of 2." in text(done)
        for person, more in ((anna, 20), (here.ben, 20), (mia, 0)):
            assert (await here.funds(person))[0] == before[person.id] + more
        rows = await here.home.store.moderation.rows(9)
        assert [row.act for row in rows] == ["fill", "to role", "grant", "grant", "role done"]
        assert rows[1].who == rows[2].who == f"Mia (discord:{mia.id})"
        await grant("you wanted to give 40", role=fans)
        quota = mia.slash("mod quota", room, role=fans, credits=1)
        await heard(quota, "A quota of 1 credit a day", here)
        mia.press(await quota.message(), "Do it")
        await quota.message(lambda message: "Done for 2 of 2." in text(message))
        dear = anna.slash("create", room, prompt="a ball", length=8)
        await here.answer(dear, "Here you may spend 1 a day")


async def test_what_is_for_a_role_can_be_stopped(
    discord_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        fans = discord_standin.scene.role(here.guild, "Fans", 0, here.anna, here.ben)
        for person in (here.anna, here.ben):
            await here.account(person)
        perform, done, goes_on = here.home.store.moderation.perform, Event(), Event()

        async def slowly(act: Act, actor: Actor, key: str, **more: Any) -> Outcome:
            outcome = await perform(act, actor, key, **more)
            if isinstance(act, Note):
                done.set()
                await goes_on.wait()
            return outcome

        monkeypatch.setattr(here.home.store.moderation, "perform", slowly)
        asked = here.mia.slash("mod note", here.room, role=fans, text="were here")
        await heard(asked, "Noted about 2 people with @Fans: were here", here)
        here.mia.press(await asked.message(), "Do it")
        await done.wait()
        shown = await asked.message(lambda message: labels(message) == ["Stop"])
        assert "0 of 2 so far" in text(shown)
        await here.mia.press(shown, "Stop").acknowledged()
        goes_on.set()
        await asked.message(
            lambda message: "Stopped. Done for 1 of 2; 1 person as" in text(message)
        )
        assert [row.act for row in await here.home.store.moderation.rows(9)] == [
            "to role", "note", "role done",
        ]  # fmt: skip


async def test_ranks_and_borders_hold(discord_standin: Standin, tmp_path: Path) -> None:
    """Whom Discord lets through, because a server opened the command to all, Kinora refuses."""
    scene, engine = discord_standin.scene, Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        await fill(here, 50)
        here.anna.slash("create", here.room, prompt="a ball --seconds 1")
        job_id, _, _ = await engine.next()
        elsewhere = scene.channel(scene.guild("Other", here.ben, here.anna), "general")
        theirs = here.ben.slash("mod cancel", elsewhere, clip=job_id)
        await heard(theirs, "There is no such clip", here)
        grant = here.ben.slash("mod grant", elsewhere, member=here.anna, credits=20)
        await heard(grant, "This server has no treasury", here)
        log = await heard(here.ben.slash("mod log", elsewhere), "did anything here yet", here)
        assert "fill" not in log
        scene.role(here.guild, "mods", EVERYONE | Permission.MANAGE_GUILD, here.ben)
        ban = here.mia.slash("mod ban", here.room, member=here.ben, reason="x")
        await heard(ban, "Nobody acts on their own rank", here)
        for words, options in (
            ("mod take", {"member": here.anna, "credits": 5}),
            ("mod plan", {"member": here.anna, "plan": "pro"}),
            ("mod role", {"role": here.guild, "plan": "pro"}),
        ):
            await heard(here.mia.slash(words, here.room, **options), "Only who runs this", here)
        everywhere = here.mia.slash("mod pause", here.room, everywhere=True)
        await heard(everywhere, "on the server that you lead", here)
        for command in discord_standin.world.commands.values():
            command["default_member_permissions"] = None
        for words, options in (
            ("mod grant", {"member": here.anna, "credits": 5}),
            ("mod log", {}),
            ("mod show", {"member": here.anna}),
        ):
            asked = here.anna.slash(words, here.room, **options)
            await heard(asked, "Only who may manage a server", here)
        assert await here.anna.autocomplete("mod cancel", here.room, "clip").choices() == []
        rows = await here.home.store.moderation.rows(9)
        assert [row.act for row in rows] == ["fill"]


async def test_an_operator_acts_everywhere(discord_standin: Standin, tmp_path: Path) -> None:
    mia_id = 0

    async with cinema(discord_standin, tmp_path) as here:
        mia_id = here.mia.id
    async with opened(discord_standin, tmp_path, operators=f"discord:{mia_id}") as home:
        here = Cinema(discord_standin, home, here.guild, here.room, here.anna, here.ben, here.mia)
        before = (await here.funds(here.anna))[0]
        grant = here.mia.slash("mod grant", here.room, member=here.anna, credits=20)
        await heard(grant, f"20 credits for anna, who then has {before + 20}", here)
        take = here.mia.slash("mod take", here.room, member=here.anna, credits=9999)
        await heard(take, "could not be taken", here)
        assert (await here.funds(here.anna))[0] == before + 20
        here.mia.press(await take.message(), "Do it")
        await take.message(lambda message: not labels(message))
        assert (await here.funds(here.anna))[0] == 0
        shown = await heard(here.mia.slash("mod show", here.room, member=here.anna), "Wallet", here)
        assert f"discord:{here.anna.id}" in shown
        fans = discord_standin.scene.role(here.guild, "Fans", 0, here.anna)
        role = here.mia.slash("mod role", here.room, role=fans, plan="pro")
        await heard(role, "Who has the role Fans on", here)
        await heard(here.mia.slash("mod role", here.room), "Fans: pro", here)
        await heard(here.mia.slash("mod role", here.room, role=fans), "Name both", here)
        await heard(here.anna.slash("me", here.room), "Plan: pro", here)
        await heard(here.ben.slash("me", here.room), "Plan: free", here)
        discord_standin.scene.join(here.guild, here.anna)
        await heard(here.anna.slash("me", here.room), "Plan: free", here)
        banned = here.mia.slash("mod ban", here.room, member=here.mia, reason="x")
        await heard(banned, "Nobody acts on their own rank", here)


async def test_what_waits_for_its_button_is_forgotten_and_says_so(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.mia.slash("mod ban", here.room, member=here.anna, reason="spam")
        await heard(asked, "Nothing is done yet", here)
    async with opened(discord_standin, tmp_path) as home:
        press = here.mia.press(await asked.message(), "Do it")
        again = Cinema(discord_standin, home, here.guild, here.room, here.anna, here.ben, here.mia)
        await again.answer(press, "asked too long ago")
        assert await home.store.moderation.rows(9) == []

        asked = here.mia.slash("mod ban", here.room, member=here.anna, reason="spam")
        await heard(asked, "Nothing is done yet", again)
        offer, answering = await asked.message(), discord_standin.faults.hold("PATCH /webhooks/*")
        here.mia.press(offer, "Do it")
        async with timeout(60):
            while not await home.store.moderation.rows(9):
                await sleep(0.02)
        await again.answer(here.mia.press(offer, "Do it"), "That was done already")
        answering.set()


async def noted(here: Cinema, words: str, key: str) -> None:
    """Of Anna, by somebody else who leads the server."""
    server, account = f"discord:{here.guild.id}", await here.account(here.anna)
    act = Note(server=server, account_id=account.id, text=words)
    await here.home.store.moderation.perform(act, Actor("Pia", Rank.MODERATOR, server), key)


async def fill(here: Cinema, credits: int) -> None:
    """As an operator does from the shell."""
    act = Fill(server=f"discord:{here.guild.id}", credits=credits)
    await here.home.store.moderation.perform(act, Actor("the shell", Rank.HOST), "fill")
    assert await here.home.store.moderation.person(Identity("discord:server", str(here.guild.id)))
