"""What goes wrong around a clip: each ends in the clip, or in a clear message with a refund."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path

import pytest

from bots.discord import hearing
from bots.discord.client import Client
from core.engine import Spec
from core.job import Job, State
from model import video
from tests.bots.discord.cinema import Cinema, cinema, labels, opened, text, videos
from tests.bots.playhouse import rows
from tests.bots.projector import Projector, Reel
from tests.discord.asked import Asked
from tests.discord.permissions import Permission
from tests.discord.server import Standin
from tests.discord.world import Event, Message

pytestmark = pytest.mark.timeout(300)

MINUTE = 60.0


async def seen_once(here: Cinema, prompt: str) -> None:
    """Each clip of that prompt is in exactly one message, and nothing is held."""
    found = [
        message
        for message in here.discord.world.messages.values()
        if videos(message) and prompt in text(message)
    ]
    assert len(found) == 1
    assert (await here.funds(here.anna))[1] == 0


async def refunded(here: Cinema) -> None:
    assert await here.funds(here.anna) == (1000, 0)


async def direct(here: Cinema, words: str = "") -> None:
    """The clip came to anna's direct messages, once."""
    chat = here.discord.scene.dm(here.anna)

    def found() -> bool:
        return any(videos(message) for message in here.discord.messages(chat))

    await here.discord.world.until(found, "a clip in the direct messages")
    await seen_once(here, words)


async def under_way(
    here: Cinema, engine: Projector
) -> tuple[Asked, Message, tuple[str, int, Spec]]:
    """anna asked for a ball: her command, its card, and the attempt that runs."""
    asked = here.anna.slash("create", here.room, prompt="a ball")
    return asked, await asked.message(), await engine.next()


async def test_the_gateway_drops_and_resumes(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.anna.slash("create", here.room, prompt="first", length=2)
        await asked.acknowledged()
        discord_standin.gateway.drop()
        await discord_standin.world.until(lambda: discord_standin.gateway.connected == 0)
        late = here.anna.slash("create", here.room, prompt="second", length=1)
        assert videos(await here.clip(asked))
        assert videos(await here.clip(late))
        await seen_once(here, "first")
        await seen_once(here, "second")


async def test_a_session_is_resumed_at_the_operators_own_gateway(
    discord_standin: Standin, tmp_path: Path
) -> None:
    """Whatever address READY names, which a proxy's users can't reach."""
    gateway = discord_standin.gateway
    gateway.resume_url = "ws://127.0.0.1:9/"
    async with cinema(discord_standin, tmp_path) as here:
        gateway.drop()
        await discord_standin.world.until(lambda: gateway.connected == 0)
        late = here.anna.slash("create", here.room, prompt="late", length=1)
        assert videos(await here.clip(late))
        assert any(line.startswith("resume ") for line in gateway.log)
        assert sum(line.startswith("identify ") for line in gateway.log) == 1


async def test_the_session_becomes_invalid(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.anna.slash("create", here.room, prompt="first", length=1)
        await asked.acknowledged()
        discord_standin.gateway.invalidate(resumable=False)
        await here.clip(asked)
        await discord_standin.gateway.ready()
        later = here.anna.slash("create", here.room, prompt="second", length=1)
        await here.clip(later)
        await seen_once(here, "first")
        await seen_once(here, "second")


@pytest.mark.parametrize("via", [True, False])
async def test_a_storm_of_429(discord_standin: Standin, tmp_path: Path, via: bool) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        discord_standin.faults.too_many("PATCH *", 4, retry_after=0.3, via=via)
        discord_standin.faults.too_many("POST /channels/*", 2, retry_after=0.3, via=via)
        asked = here.anna.slash("create", here.room, prompt="a ball", length=1)
        assert videos(await here.clip(asked))
        await seen_once(here, "a ball")


async def test_discord_breaks_for_a_while(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        discord_standin.faults.broken("PATCH *", 2)
        asked = here.anna.slash("create", here.room, prompt="a ball", length=1)
        assert videos(await here.clip(asked))
        await seen_once(here, "a ball")


@pytest.mark.parametrize(
    "route",
    ["POST /interactions/*", "PATCH /webhooks/*", "POST /channels/*/messages"],
)
async def test_an_answer_of_discord_is_lost(
    discord_standin: Standin, tmp_path: Path, route: str
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        discord_standin.faults.lose(route, 1)
        asked = here.anna.slash("create", here.room, prompt="a ball", length=1)
        assert videos(await here.clip(asked))
        await seen_once(here, "a ball")


async def test_a_refusal_is_told_though_an_answer_was_lost(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path, daily_credits=1) as here:
        discord_standin.faults.lose("POST /interactions/*", 1)
        asked = here.anna.slash("create", here.room, prompt="x", image=b"no picture at all")
        said = await here.answer(asked, "That is not a picture")
        assert said.audience == here.anna.id
        assert await here.funds(here.anna) == (1, 0)
        assert not [m for m in discord_standin.messages(here.room) if m.audience is None]


async def test_an_answer_that_never_comes_is_waited_for_no_longer(
    discord_standin: Standin,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The library would wait for five minutes, and the end of the program for as long."""
    monkeypatch.setattr(hearing, "ANSWER_SECONDS", 0.5)
    async with cinema(discord_standin, tmp_path) as here:
        answering = discord_standin.faults.hold("PATCH /webhooks/*")
        here.anna.slash("queue", here.room)
        async with asyncio.timeout(60):
            while "an interaction was not answered" not in caplog.text:
                await asyncio.sleep(0.05)
        answering.set()
        await here.answer(here.anna.slash("queue", here.room), "Nothing")


async def test_who_presses_is_answered_in_time_though_the_database_is_slow(
    discord_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What shows a form has to know the clip before Discord hears anything."""
    monkeypatch.setattr(hearing, "LOOKED_SECONDS", 0.2)
    async with cinema(discord_standin, tmp_path, engine=Reel()) as here:
        card = await here.clip(here.anna.slash("create", here.room, prompt="a ball", length=1))
        jobs, slow = here.home.store.jobs, asyncio.Event()
        find = jobs.job

        async def slowly(job_id: str) -> Job | None:
            await slow.wait()
            return await find(job_id)

        monkeypatch.setattr(jobs, "job", slowly)
        for asked in (here.anna.press(card, "Edit"), here.ben.message_command("Remix", card)):
            said = await here.answer(asked, "That can't be done just now")
            assert said.audience == asked.now.user_id
        slow.set()


async def test_the_same_interaction_many_times_is_one_job(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        told: list[Event] = []
        discord_standin.world.listeners.append(told.append)
        asked = here.anna.slash("create", here.room, prompt="a ball", length=1)
        for event in [e for e in told if e.name == "INTERACTION_CREATE"] * 20:
            discord_standin.world.tell(event)
        await here.clip(asked)
        assert len(await here.home.studio.history(await here.account(here.anna))) == 1
        await seen_once(here, "a ball")


async def test_a_job_of_twenty_minutes(discord_standin: Standin, tmp_path: Path) -> None:
    """The token ends after fifteen; the card goes on, edited by the bot itself."""
    engine, clock = Projector(), discord_standin.clock
    async with cinema(discord_standin, tmp_path, engine=engine, clock=clock.date) as here:
        asked, _, running = await under_way(here, engine)
        job_id, attempt, _ = running
        engine.progress(job_id, attempt, 1, 20)
        await asked.message(lambda m: "step 1 of 20" in text(m))
        for minute in (10, 20):
            clock.jump(10 * MINUTE)
            engine.progress(job_id, attempt, minute, 20)
            await asked.message(lambda m, at=minute: f"step {at} of 20" in text(m))
        await engine.finish(*running)
        card = await here.clip(asked)
        assert card.id == asked.now.original_id
        await here.said(here.room, "Your clip is done.")
        await seen_once(here, "a ball")


async def test_a_job_of_twenty_minutes_where_the_bot_is_a_guest(
    discord_standin: Standin, tmp_path: Path
) -> None:
    """With nothing but a token, the card says goodbye in time and the clip comes directly."""
    engine, clock = Projector(), discord_standin.clock
    async with cinema(discord_standin, tmp_path, engine=engine, clock=clock.date) as here:
        zoe = discord_standin.scene.user("zoe", installed=True)
        group = discord_standin.scene.group(zoe, here.ben, here.mia)
        asked = zoe.slash("create", group, prompt="a ball")
        job_id, attempt, spec = await engine.next()
        discord_standin.faults.too_many("PATCH *", 1, retry_after=0.3, via=False)
        clock.jump(13.5 * MINUTE)
        engine.progress(job_id, attempt, 5, 20)
        await asked.message(lambda m: f"/show {job_id}" in text(m))
        clock.jump(10 * MINUTE)
        await engine.finish(job_id, attempt, spec)
        here = replace(here, anna=zoe)
        await direct(here, "a ball")


async def test_the_card_is_deleted(discord_standin: Standin, tmp_path: Path) -> None:
    engine = Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        _, card, running = await under_way(here, engine)
        discord_standin.scene.delete_message(card)
        await engine.finish(*running)
        await direct(here, "a ball")
        chat = discord_standin.scene.dm(here.anna)
        (message,) = discord_standin.messages(chat)
        again = here.anna.press(message, "Again")
        await engine.finish(*await engine.next())
        assert videos(await here.clip(again))


async def test_the_channel_is_deleted(discord_standin: Standin, tmp_path: Path) -> None:
    engine = Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        _, _, running = await under_way(here, engine)
        discord_standin.scene.delete_channel(here.room)
        await engine.finish(*running)
        await direct(here, "a ball")


async def test_a_failed_job_whose_card_is_gone_says_so_directly(
    discord_standin: Standin, tmp_path: Path
) -> None:
    engine = Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        _, _, (job_id, attempt, _) = await under_way(here, engine)
        discord_standin.scene.delete_channel(here.room)
        engine.fail(job_id, attempt)
        said = await here.said(discord_standin.scene.dm(here.anna), "Nothing was charged.")
        assert "It did not fit." in text(said)
        await refunded(here)


async def test_who_may_not_read_may_still_ping(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        discord_standin.scene.deny_app(here.room, Permission.READ_MESSAGE_HISTORY)
        await here.clip(here.anna.slash("create", here.room, prompt="a ball", length=1))
        await here.said(here.room, "Your clip is done.")
        await seen_once(here, "a ball")


async def test_a_card_that_is_refused_is_explained_and_comes_directly(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        discord_standin.faults.broken("PATCH *", 1000, status=400)
        here.anna.slash("create", here.room, prompt="a ball", length=1)
        await direct(here, "a ball")


async def test_a_bot_that_breaks_is_explained_and_comes_back(
    discord_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch, tries = Client.launch_shards, count(1)

    async def broken_at_first(client: Client) -> None:
        if next(tries) == 1:
            raise RuntimeError("what nobody foresaw")
        await launch(client)

    monkeypatch.setattr(Client, "launch_shards", broken_at_first)
    async with cinema(discord_standin, tmp_path) as here:
        assert videos(await here.clip(here.anna.slash("create", here.room, prompt="a", length=1)))


async def test_the_permission_is_lost_midway(discord_standin: Standin, tmp_path: Path) -> None:
    engine, clock = Projector(), discord_standin.clock
    async with cinema(discord_standin, tmp_path, engine=engine, clock=clock.date) as here:
        _, _, running = await under_way(here, engine)
        clock.jump(20 * MINUTE)
        discord_standin.scene.deny_app(here.room, Permission.VIEW_CHANNEL, Permission.ATTACH_FILES)
        await engine.finish(*running)
        await direct(here, "a ball")


async def test_nobody_can_be_reached_and_the_clip_is_kept(
    discord_standin: Standin, tmp_path: Path
) -> None:
    engine = Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        shy = discord_standin.scene.user("shy", dms_open=False)
        discord_standin.scene.join(here.guild, shy)
        asked = shy.slash("create", here.room, prompt="a ball")
        await asked.message()
        job_id, attempt, spec = await engine.next()
        discord_standin.scene.delete_channel(here.room)
        await engine.finish(job_id, attempt, spec)
        other = discord_standin.scene.channel(here.guild, "other")
        await until(lambda: states(tmp_path) == ["kept"])
        job = await here.home.store.jobs.job(job_id)
        assert job is not None
        assert job.state is State.SUCCEEDED
        assert await here.funds(shy) == (1000, 0)
        came = shy.slash("create", other, prompt="a cube")
        said = await here.answer(came, f"`/show {job_id}` (not charged)")
        assert said.audience == shy.id
        await engine.finish(*await engine.next())
        cube = await here.clip(came)
        assert "a cube" in text(cube)
        assert cube.id != said.id
        shown = await here.clip(shy.slash("show", other, clip=job_id))
        assert "a ball" in text(shown)
        assert "not charged" in text(shown)
        here = replace(here, anna=shy)
        await seen_once(here, "a ball")
        once = shy.slash("queue", other)
        await here.answer(once, "starts at once")
        assert once.followups() == []


async def test_what_is_deleted_on_its_way_is_taken_off(
    discord_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The clip waits behind a progress edit while its author deletes it."""
    engine = Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        _, card, (job_id, attempt, spec) = await under_way(here, engine)
        editing = discord_standin.faults.hold("PATCH /webhooks/*")
        engine.progress(job_id, attempt, 1, 2)
        await discord_standin.world.until(
            lambda: not discord_standin.faults.waiting, "the edit under way"
        )
        await engine.finish(job_id, attempt, spec)
        await until(lambda: states(tmp_path) == ["sending"])
        account = await here.account(here.anna)
        await here.home.studio.delete(account, job_id)
        editing.set()
        await discord_standin.world.until(
            lambda: card.id not in discord_standin.world.messages, "the card deleted"
        )
        await until(lambda: states(tmp_path) == ["sent"])
    assert not [line for line in caplog.records if line.levelname == "ERROR"]


def states(folder: Path) -> list[str]:
    """Of the deliveries of the program with its data in `folder`."""
    return [row["state"] for row in rows(folder, "SELECT state FROM delivery ORDER BY id")]


async def until(question: Callable[[], bool]) -> None:
    """Wait for what nobody tells the coming of."""
    async with asyncio.timeout(60):
        while not question():
            await asyncio.sleep(0.01)


async def test_a_missing_permission_is_said_before_anything_is_charged(
    discord_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        discord_standin.scene.deny_app(here.room, Permission.ATTACH_FILES)
        asked = here.anna.slash("create", here.room, prompt="a ball")
        said = await here.answer(asked, "I may not post files in")
        assert "*Attach Files*" in text(said)
        assert "Nothing was charged." in text(said)
        assert said.audience == here.anna.id
        await refunded(here)
        assert not await here.home.studio.history(await here.account(here.anna))


async def test_an_upload_limit_of_ten_mebibytes(discord_standin: Standin, tmp_path: Path) -> None:
    """A clip over the place's limit is encoded again, by size."""
    engine = Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        asked, _, running = await under_way(here, engine)
        job_id = running[0]
        await engine.finish(*running, noise=True, num_frames=241)
        original = asked.now.original_id
        assert original is not None
        card = discord_standin.world.messages[original]
        await discord_standin.world.until(
            lambda: videos(discord_standin.newest(card)), "a clip that fits", seconds=200
        )
        card = discord_standin.newest(card)
        (clip,) = videos(card)
        assert clip.size <= 10 * 1024 * 1024
        assert "Encoded again to fit" in text(card)
        kept = (await here.home.studio.view(await here.account(here.anna), job_id)).job.clip
        assert kept is not None
        assert kept.size > 10 * 1024 * 1024
        path = tmp_path / "fit.mp4"
        path.write_bytes(here.bytes_of(card))
        assert video.probe(path).num_frames == 241


async def test_a_slow_upload_is_not_given_up(discord_standin: Standin, tmp_path: Path) -> None:
    async with cinema(discord_standin, tmp_path) as here:
        asked = here.anna.slash("create", here.room, prompt="a ball", length=1)
        discord_standin.faults.slow("PATCH /webhooks/*", 4_000, 3)
        assert videos(await here.clip(asked))
        await seen_once(here, "a ball")


async def test_closing_brings_home_what_is_on_its_way(
    discord_standin: Standin, tmp_path: Path
) -> None:
    engine = Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        asked, _, running = await under_way(here, engine)
        discord_standin.faults.delay("PATCH /webhooks/*", 1.0, least=60_000)
        await engine.finish(*running, size=80_000)
        await discord_standin.world.until(
            lambda: not discord_standin.faults.waiting, "the upload under way"
        )
    assert videos(await asked.message())
    async with opened(discord_standin, tmp_path, engine=Projector()) as home:
        here = replace(here, home=home)
        await seen_once(here, "a ball")


async def test_many_steps_are_few_edits_and_the_newest_stands(
    discord_standin: Standin, tmp_path: Path
) -> None:
    """Edits are coalesced: many steps are few edits, and the newest is what stands."""
    engine = Projector()
    async with cinema(discord_standin, tmp_path, engine=engine) as here:
        asked, card, running = await under_way(here, engine)
        job_id, attempt, _ = running
        for step in range(1, 200):
            engine.progress(job_id, attempt, step, 200)
            await asyncio.sleep(0)
        card = await asked.message(lambda m: "step 199 of 200" in text(m))
        assert labels(card) == ["Cancel"]
        edits = discord_standin.edits(card)
        gaps = [later - earlier for earlier, later in pairwise(edits)]
        assert all(gap > 2.0 for gap in gaps[1:])
        await engine.finish(*running)
        await here.clip(asked)
