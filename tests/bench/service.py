"""The running program: who is served when, whether its promises hold, whether it stays awake."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from rich.table import Table

from tests.bench import out
from tests.bots.pictures import photo
from tests.program import Caller, Program, command, running


@asynccontextmanager
async def callers(*names: str) -> AsyncIterator[tuple[Program, dict[str, Caller]]]:
    """The real program in a fresh folder, and an account for each name."""
    with tempfile.TemporaryDirectory() as scratch:
        keys = {}
        for name in names:
            _, said, _ = await command(Path(scratch), "admin", "key", name, "--json")
            keys[name] = json.loads(said)["key"]
        async with running(Path(scratch)) as program, aiohttp.ClientSession() as session:
            yield program, {name: Caller(session, program.url, keys[name]) for name in names}
            await program.stop()


async def bench_queue() -> None:
    """Three accounts ask for 12, 5 and 3 clips of two lengths, the greedy one first."""
    picture = photo(1200, 800)
    lengths = (6, 18)
    async with callers("anna", "ben", "cleo") as (_, people):
        for seconds in lengths * 3:
            job = await people["anna"].move(picture, "zoom in", seconds=seconds, res="480p")
            await people["anna"].ended(job["id"])
        asked = []
        for name, count in (("anna", 12), ("ben", 5), ("cleo", 3)):
            asked += [
                (
                    name,
                    await people[name].move(picture, "zoom in", res="480p", seconds=lengths[n % 2]),
                )
                for n in range(count)
            ]
        looked_at = datetime.now(UTC)
        settled = {job["id"]: await people[name].get(f"/clips/{job['id']}") for name, job in asked}
        done = await asyncio.gather(*(people[name].ended(job["id"]) for name, job in asked))
    table = Table("served", "account", "clip", "waited and ran", "ETA when asked",
                  "ETA when all had asked", title="Twenty jobs of three accounts")  # fmt: skip
    held_asked = held_settled = waiting = 0
    facts = {job["id"]: job for job in done}
    ends = {job["id"]: datetime.fromisoformat(job["ended_at"]) for job in done}
    for turn, (name, job) in enumerate(sorted(asked, key=lambda one: ends[one[1]["id"]]), 1):
        end, later = ends[job["id"]], settled[job["id"]]["eta_seconds"]
        took = (end - datetime.fromisoformat(facts[job["id"]]["created_at"])).total_seconds()
        held_asked += within(took, job["eta_seconds"])
        if later is not None:
            waiting += 1
            held_settled += within((end - looked_at).total_seconds(), later)
        table.add_row(str(turn), name, f"{facts[job['id']]['seconds']:g} s", f"{took:.1f} s",
                      words(job["eta_seconds"]), words(later))  # fmt: skip
    out.print(table)
    out.print(
        f"The ETA held the truth in {held_asked} of {len(asked)} jobs when asked, in "
        f"{held_settled} of the {waiting} that were unfinished once all had asked."
    )


def within(seconds: float, eta: list[float]) -> bool:
    """To the tenth that is shown."""
    return eta[0] - 0.05 <= seconds <= eta[1] + 0.05


def words(eta: list[float] | None) -> str:
    return "running or done" if eta is None else f"{eta[0]:.1f}–{eta[1]:.1f} s"


async def bench_loop() -> None:
    """Clips render while others are asked for, watched and fetched, for as long as it takes."""
    picture = photo()
    async with callers("anna") as (program, people), aiohttp.ClientSession() as session:
        anna = people["anna"]
        first = await anna.move(picture, "zoom in", seconds=2, res="720p")
        await anna.ended(first["id"])
        before = await stalls(session, program.url)
        jobs = [await anna.move(picture, "pan right", seconds=5, res="1080p", ar="16:9")
                for _ in range(6)]  # fmt: skip
        came = 0
        for job in jobs:
            await anna.ended(job["id"])
            fetched = await asyncio.gather(*(anna.video(job["id"]) for _ in range(4)))
            came += sum(len(data) for _, data in fetched)
        after = await stalls(session, program.url)
    out.print(
        f"Event loop while 6 clips of 1080p rendered, 6 pictures of {len(picture) / 1e6:.1f} MB "
        f"went up and {came / 1e6:.0f} MB came down: longest stall since the start "
        f"{after['longest'] * 1000:.1f} ms (it was {before['longest'] * 1000:.1f} ms before); "
        f"{after['over_50ms'] - before['over_50ms']:.0f} of "
        f"{after['beats'] - before['beats']:.0f} beats came over 50 ms late."
    )


async def stalls(session: aiohttp.ClientSession, url: str) -> dict[str, float]:
    async with session.get(f"{url}/metrics") as answer:
        text = await answer.text()

    def value(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        assert found is not None, name
        return float(found[1])

    beats = value("kinora_loop_late_seconds_count")
    return {
        "longest": value("kinora_loop_longest_stall_seconds"),
        "beats": beats,
        "over_50ms": beats - value('kinora_loop_late_seconds_bucket{le="0.05"}'),
    }
