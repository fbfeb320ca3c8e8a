"""The Telegram room under load: how long people wait until their photo is answered."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from tests.bench import out
from tests.bench.load import share_of
from tests.bots.pictures import photo
from tests.bots.telegram.playhouse import Playhouse, playhouse
from tests.program import Program
from tests.telegram.world import Message, World

PHOTOS, SECONDS, PEOPLE = 200, 10.0, 50
GOAL_MS = 500
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Measured:
    """Seconds from each photo, where it came so far: signs: until the bot was seen to be typing,
    once for each photo; cards: until a card answered it. refused: by Telegram, for their rate.
    bot_ms, standin_ms: of a processor, for each photo. asked: requests of the bot, by method."""

    signs: list[float]
    cards: list[float]
    lost: int
    doubled: int
    refused: int
    bot_ms: float
    standin_ms: float
    asked: Counter[str]


async def bench_telegram() -> None:
    """200 photos in 10 s from 50 private chats, at random moments, while a clip of a minute
    renders: in peace, and with another chat shut for 30 s."""
    title = f"{PHOTOS} photos in {SECONDS:g} s until answered"
    table = Table("", "typing p50", "p99", "card p50", "p99", "lost", "doubled", "429", title=title)
    found = []
    for name, flood in (("while a clip renders", False), ("and one chat is shut for 30 s", True)):
        with tempfile.TemporaryDirectory() as scratch:
            async with playhouse(Path(scratch), PEOPLE + 1, 0) as here, here.open() as program:
                one = await _measured(here, program, flood)
                assert not here.violations(), here.violations()
                judged = here.telegram.judged
        found.append(one)
        shares = (
            f"{share_of(waits, share) * 1000:.0f} ms"
            for waits in (one.signs, one.cards)
            for share in (0.5, 0.99)
        )
        table.add_row(name, *shares, *map(str, (one.lost, one.doubled, one.refused)))
    out.print(table)
    most = max(found, key=lambda one: one.bot_ms)
    requests = ", ".join(f"{count / PHOTOS:.1f} {name}" for name, count in most.asked.most_common())
    out.print(
        f"Goal: p99 up to {GOAL_MS} ms to the first answer, none lost or doubled. From the moment "
        "when somebody sends a photo to a sign of its own, one for each photo; a card comes once "
        f"it was fetched and decoded. For each photo the bot takes {most.bot_ms:.0f} ms of a "
        f"processor, and asks Telegram for {requests}; the stand-in, in this process, takes "
        f"{max(one.standin_ms for one in found):.0f} ms"
        f"{', judging each request by the description' if judged else ''}; "
        f"load {os.getloadavg()[0]:.1f} at the end."
    )


async def _measured(here: Playhouse, program: Program, flood: bool) -> Measured:
    world, picture = here.telegram.world, photo(1200, 800)
    busy = here.people[-1]
    first = busy.photo(photo(), "pan right --seconds 60 --res 1080p")
    await busy.answer(first, lambda card: "Rendering" in card.text)
    if flood:
        here.telegram.faults.too_many("*", chat_id=busy.id, retry_after=30)
        busy.say("/me")
    before = len(here.telegram.limits.exceeded)
    told = len(world.requests)
    bot, spent = program.processor_seconds(), time.process_time()
    asked = await _flood(here, picture)
    await _until_answered(world, asked)
    bot, spent = program.processor_seconds() - bot, time.process_time() - spent
    answered = _answers(world)
    keys = [
        row["request_key"]
        for row in here.rows("SELECT request_key FROM job")
        if row["request_key"] != _key(first)
    ]
    theirs = set(map(_key, asked))
    return Measured(
        signs=_signs(world, asked),
        cards=[answered[one.key] - one.date for one in asked if one.key in answered],
        lost=len(theirs - set(keys)),
        doubled=len(keys) - len(set(keys)),
        refused=len(here.telegram.limits.exceeded) - before,
        bot_ms=bot * 1000 / PHOTOS,
        standin_ms=spent * 1000 / PHOTOS,
        asked=Counter(entry.method for entry in world.requests[told:]),
    )


async def _flood(here: Playhouse, picture: bytes) -> list[Message]:
    """Send the photos."""
    chance = random.Random(5)
    moments = sorted(chance.uniform(0, SECONDS) for _ in range(PHOTOS))
    loop = asyncio.get_running_loop()
    began = loop.time()
    asked: list[Message] = []
    for number, moment in enumerate(moments):
        await asyncio.sleep(began + moment - loop.time())
        asked.append(here.people[number % PEOPLE].photo(picture, f"pan right {number}"))
    return asked


async def _until_answered(world: World, asked: list[Message]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        answered = _answers(world)
        if all(one.key in answered for one in asked):
            return
        await asyncio.sleep(0.5)


def _signs(world: World, asked: list[Message]) -> list[float]:
    """Seconds from each photo until the bot was seen to be typing where it came from: in each chat
    the first sign is the first photo's, and none is of two."""
    waits = []
    typing = [action for action in world.actions if action.action == "typing"]
    for one in asked:
        mine = (a for a in typing if a.chat_id == one.chat_id and a.at >= one.date)
        sign = next(mine, None)
        if sign is not None:
            typing.remove(sign)
            waits.append(sign.at - one.date)
    return waits


def _answers(world: World) -> dict[tuple[int, int | None], float]:
    """When each message was first answered."""
    found: dict[tuple[int, int | None], float] = {}
    for version in world.history:
        said = version.message
        if said.author_id == world.bot.id and said.reply_to:
            found.setdefault((said.chat_id, said.reply_to), version.at)
    return found


def _key(message: Message) -> str:
    return f"telegram:{message.chat_id}/{message.id}"
