"""kill -9 at random points between a command's acknowledgement and its clip."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path

from rich.table import Table

from tests.bench import out
from tests.bots.discord.kills import Kills
from tests.bots.discord.playhouse import playhouse

SEED = 1896


async def bench_kills(kills: int) -> None:
    """Kill the program so many times, then let everything come to its end, and count. Interrupted,
    it counts what there is."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        async with playhouse(Path(scratch)) as here:
            lives = Kills(here, random.Random(SEED))
            try:
                for number in range(1, kills + 1):
                    await lives.kill_anywhere()
                    if number % 10 == 0:
                        out.print(f"{number} kills, {len(lives.requests)} commands")
            except asyncio.CancelledError:
                task = asyncio.current_task()
                assert task is not None
                task.uncancel()
            ended = await lives.end()
    table = Table("when it was killed", "kills", title="What people saw of the last command")
    for stage, count in ended.stages.most_common():
        table.add_row(stage, str(count))
    out.print(table)
    out.print(
        f"{ended.kills} kills in {(time.monotonic() - began) / 60:.0f} min, {ended.jobs} jobs. "
        f"{ended.forgotten} commands became no job: they cost nothing, {ended.answered} of them "
        f"were told so, and {ended.forgotten - ended.answered} never got as far as “thinking…”."
    )
    out.print(
        "\n".join(ended.faults)
        or "Of every job the clip seen once, credits exact, its card finished; no error in the log."
    )
