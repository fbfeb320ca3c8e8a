"""Children that look: killed, hung, out of memory, and left alone; all of them real."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from model.inspect.process import CouldNotLook, Process

LOOKER = "tests.model.inspect.looker"
MEMORY = 400 << 20


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    async with Process(LOOKER, memory_bytes=MEMORY, answer_seconds=60) as process:
        yield process


async def test_asks_are_answered_by_one_limited_child(
    process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINORA_DISCORD__TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    told = await process.ask({"do": "environment"})
    assert "secret" not in told.values()
    assert told["OMP_NUM_THREADS"] == "1"

    film = tmp_path / "film"
    film.write_bytes(b"\1" * 3_000_000)
    answers = await asyncio.gather(
        process.ask({"do": "count"}, b"\2" * 10),
        process.ask({"do": "count"}, film),
        process.ask({"do": "count"}),
    )
    assert [answer["sum"] for answer in answers] == [20, 3_000_000, 0]

    me = await process.ask({"do": "tell"})
    assert me["pid"] == process.pid != os.getpid()
    assert me["niceness"] >= 5
    for attempt in ({"do": "open", "path": str(film)}, {"do": "connect"}):
        with pytest.raises(CouldNotLook, match="OSError"):
            await process.ask(attempt)
    assert (await process.ask({"do": "tell"}))["pid"] == me["pid"]


async def test_an_error_says_nothing_of_what_was_asked(process: Process) -> None:
    with pytest.raises(CouldNotLook) as raised:
        await process.ask({"do": "break"}, b"words of somebody")
    assert "ValueError in looker.py" in str(raised.value)
    assert "words" not in str(raised.value)
    assert "private" not in str(raised.value)


@pytest.mark.parametrize(
    "fate",
    [
        {"do": "die", "signal": signal.SIGKILL},
        {"do": "die", "signal": signal.SIGSEGV},
        {"do": "eat"},
    ],
    ids=["killed", "crashed", "out of memory"],
)
async def test_one_that_dies_fails_its_ask_and_the_next_has_a_fresh_one(
    process: Process, fate: dict[str, Any]
) -> None:
    before = (await process.ask({"do": "tell"}))["pid"]
    doomed = asyncio.create_task(process.ask(fate))
    behind = asyncio.create_task(process.ask({"do": "tell"}))
    with pytest.raises(CouldNotLook):
        await doomed
    assert (await behind)["pid"] != before
    assert gone(before)


async def test_one_that_hangs_is_killed() -> None:
    async with Process(LOOKER, memory_bytes=MEMORY, answer_seconds=0.2) as process:
        before = (await process.ask({"do": "tell"}))["pid"]
        with pytest.raises(CouldNotLook, match="in time"):
            await process.ask({"do": "hang"})
        assert gone(before)


async def test_who_stops_waiting_ends_it_and_one_killed_while_idle_is_replaced(
    process: Process,
) -> None:
    before = (await process.ask({"do": "tell"}))["pid"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await process.ask({"do": "hang"})
    assert gone(before)
    second = (await process.ask({"do": "tell"}))["pid"]
    os.kill(second, signal.SIGKILL)
    while process.pid is not None:
        await asyncio.sleep(0.01)
    assert (await process.ask({"do": "tell"}))["pid"] not in (before, second)


async def test_one_that_can_not_start_fails_every_ask(caplog: pytest.LogCaptureFixture) -> None:
    async with Process("tests.no_such_module", memory_bytes=MEMORY, answer_seconds=9) as process:
        for _ in range(2):
            with pytest.raises(CouldNotLook, match="did not start"):
                await process.ask({"do": "tell"})
    assert "ModuleNotFoundError" in caplog.text
    with pytest.raises(CouldNotLook, match="closed"):
        await process.ask({"do": "tell"})


def test_it_ends_with_its_parent_even_while_it_hangs() -> None:
    parent = (
        "import asyncio, os, sys\n"
        "from model.inspect.process import Process\n"
        "async def main():\n"
        f"    process = Process({LOOKER!r}, memory_bytes={MEMORY}, answer_seconds=3600)\n"
        "    print((await process.ask({'do': 'tell'}))['pid'], flush=True)\n"
        "    await process.ask({'do': 'hang'})\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        child = int(running.stdout.readline())
        handle = os.pidfd_open(child)
        running.kill()
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    assert poll.poll(30_000)
    os.close(handle)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
