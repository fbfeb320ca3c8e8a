"""kill -9 at random points between a request and its clip."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench import out
from tests.bots import kills
from tests.bots.discord.kills import Kills as DiscordKills
from tests.bots.discord.playhouse import playhouse as discord
from tests.bots.telegram.kills import Kills as TelegramKills
from tests.bots.telegram.playhouse import playhouse as telegram

SEED = 1896

Lives = kills.Kills[Any, Any]


@asynccontextmanager
async def _on_discord(folder: Path, chance: random.Random) -> AsyncIterator[Lives]:
    async with discord(folder) as here:
        yield DiscordKills(here, chance)


@asynccontextmanager
async def _on_telegram(folder: Path, chance: random.Random) -> AsyncIterator[Lives]:
    async with telegram(folder) as here:
        yield TelegramKills(here, chance)


PLATFORMS: dict[str, Callable[[Path, random.Random], AbstractAsyncContextManager[Lives]]] = {
    "discord": _on_discord,
    "telegram": _on_telegram,
}


async def bench_kills(count: int, platform: str) -> None:
    """Kill the program so many times, with its room on a platform, then let everything come to its
    end, and count. Interrupted, it counts what there is."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        async with PLATFORMS[platform](Path(scratch), random.Random(SEED)) as lives:
            try:
                for number in range(1, count + 1):
                    await lives.kill_anywhere()
                    if number % 10 == 0:
                        out.print(f"{number} kills, {len(lives.requests)} requests")
            except asyncio.CancelledError:
                task = asyncio.current_task()
                assert task is not None
                task.uncancel()
            ended = await lives.end()
    table = Table(
        "when it was killed", "kills", title=f"What people on {platform} saw of the last request"
    )
    for stage, count in ended.stages.most_common():
        table.add_row(stage, str(count))
    out.print(table)
    out.print(
        f"{ended.kills} kills in {(time.monotonic() - began) / 60:.0f} min, {ended.jobs} jobs. "
        f"{ended.forgotten} requests became no job: they cost nothing, {ended.answered} of them "
        f"were told so, and {ended.forgotten - ended.answered} never saw that they were heard."
    )
    out.print(
        "\n".join(ended.faults)
        or "Of every job the clip seen once, credits exact, its card finished; no error in the log."
    )
