"""The local engine: the contract, and what becomes of its child process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.camera import CameraMove
from core.engine import Failed, Lost, Progressed, Rendered, Stage, Stopped
from model import video
from model.engines.local import LocalEngine
from tests.model.engine_contract import (
    PATIENCE_SECONDS,
    EngineContract,
    spec,
    until_end,
    until_free,
    until_step,
)

FAMILIES = "tests.model.standin:FAMILIES"


class TestLocalEngine(EngineContract):
    @pytest.fixture
    async def engine(self) -> AsyncIterator[LocalEngine]:
        async with LocalEngine(families=FAMILIES, threads=1) as engine:
            yield engine


async def test_one_process_does_all_the_work(tmp_path: Path) -> None:
    async with LocalEngine(families=FAMILIES) as engine:
        events = engine.events()
        await until_free(engine)
        pid = engine.runner_pid
        await engine.submit("stopped", 1, spec(tmp_path / "a", "endless"))
        await until_step(events, "stopped")
        await engine.cancel("stopped", 1)
        assert isinstance((await until_end(events, "stopped"))[-1], Stopped)
        await engine.submit("poison", 1, spec(tmp_path / "b", "poison"))
        assert isinstance((await until_end(events, "poison"))[-1], Failed)
        await engine.submit("next", 1, spec(tmp_path / "c"))
        assert isinstance((await until_end(events, "next"))[-1], Rendered)
        assert engine.runner_pid == pid
        alive = engine.alive
    assert gone(pid)
    assert (alive, engine.alive) == (True, False)
    assert [event async for event in engine.events()] == []


async def test_a_model_that_is_there_is_not_loaded(tmp_path: Path) -> None:
    async with LocalEngine(families=FAMILIES, threads=1) as engine:
        events = engine.events()
        for name, loads in (("first", True), ("second", False)):
            await engine.submit(name, 1, spec(tmp_path / name))
            told = [
                event for event in await until_end(events, name) if isinstance(event, Progressed)
            ]
            assert (Stage.LOADING in [event.stage for event in told]) == loads
            assert (told[0].steps, told[int(loads)].stage) == (0, Stage.RENDERING)


async def test_a_runner_that_cannot_load_ahead_of_time_still_works(tmp_path: Path) -> None:
    async with LocalEngine(families=FAMILIES, warm="unheard-of") as engine:
        await engine.submit("job", 1, spec(tmp_path / "a"))
        assert isinstance((await until_end(engine.events(), "job"))[-1], Rendered)


async def test_a_killed_runner_is_replaced(tmp_path: Path) -> None:
    async with LocalEngine(families=FAMILIES) as engine:
        events = engine.events()
        for attempt in (1, 2):
            await engine.submit("job", attempt, spec(tmp_path / str(attempt), "endless"))
            await until_step(events, "job")
            pid = engine.runner_pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            end = (await until_end(events, "job"))[-1]
            assert isinstance(end, Lost)
            assert end.attempt == attempt
            assert "SIGKILL" in end.why
            assert engine.runner_pid != pid
        await engine.submit("job", 3, spec(tmp_path / "3"))
        assert isinstance((await until_end(events, "job"))[-1], Rendered)


async def test_a_silent_runner_is_replaced(tmp_path: Path) -> None:
    async with LocalEngine(families=FAMILIES, silence_seconds=5) as engine:
        events = engine.events()
        await engine.submit("job", 1, spec(tmp_path / "1", "endless"))
        await until_step(events, "job")
        pid = engine.runner_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        end = (await until_end(events, "job"))[-1]
        assert isinstance(end, Lost)
        assert "silent" in end.why
        assert gone(pid)
        for attempt in count(2):  # on a busy machine the next one, too, may be silent for so long
            await engine.submit("job", attempt, spec(tmp_path / str(attempt)))
            end = (await until_end(events, "job"))[-1]
            if not isinstance(end, Lost):
                break
        assert isinstance(end, Rendered)


async def test_a_runner_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    async with LocalEngine(families=FAMILIES, cancel_seconds=0.2) as engine:
        events = engine.events()
        await engine.submit("job", 1, spec(tmp_path / "1", "deaf"))
        await until_step(events, "job")
        pid = engine.runner_pid
        await engine.cancel("job", 1)
        assert isinstance((await until_end(events, "job"))[-1], Stopped)
        assert gone(pid)


async def test_an_attempt_that_takes_too_long_fails(tmp_path: Path) -> None:
    async with LocalEngine(families=FAMILIES, limit_seconds=lambda _request: 2) as engine:
        events = engine.events()
        await engine.submit("job", 1, spec(tmp_path / "1", "endless"))
        end = (await until_end(events, "job"))[-1]
        assert isinstance(end, Failed)
        assert "too long" in end.sentence
        assert end.reference


async def test_an_attempt_can_be_cancelled_while_there_is_no_runner(tmp_path: Path) -> None:
    async with LocalEngine(families="tests.model.nowhere") as engine:
        await engine.submit("job", 1, spec(tmp_path / "1"))
        end = (await until_end(engine.events(), "job"))[-1]
        assert isinstance(end, Lost)
        assert "status 1" in end.why
        await engine.submit("job", 2, spec(tmp_path / "2"))
        await engine.cancel("job", 2)
        assert isinstance((await until_end(engine.events(), "job"))[-1], Stopped | Lost)


async def test_a_runner_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINORA_DISCORD__TOKEN", "hush")
    async with LocalEngine(families=FAMILIES) as engine:
        await until_free(engine)
        assert b"hush" not in environment(engine.runner_pid)


async def test_the_runner_does_not_outlive_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", PARENT, str(tmp_path / "a")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert parent.stdout is not None
    pid = int(await asyncio.to_thread(parent.stdout.readline))
    assert not gone(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not gone(pid):
            await asyncio.sleep(0.01)


async def test_a_camera_moves_over_a_picture(tmp_path: Path) -> None:
    halves = np.zeros((240, 360, 3), np.uint8)
    halves[:, :180], halves[:, 180:] = (220, 40, 40), (40, 40, 220)
    Image.fromarray(halves).save(tmp_path / "halves.png")
    wanted = spec(tmp_path / "a", "parallax", picture=tmp_path / "halves.png", num_frames=17)
    request = replace(wanted.request, camera=(CameraMove("pan", "right", 8.0),))
    async with LocalEngine() as engine:
        await engine.submit("job", 1, replace(wanted, request=request))
        end = (await until_end(engine.events(), "job"))[-1]
    assert isinstance(end, Rendered)
    assert video.probe(end.video).num_frames == 17
    red = [int((frame[..., 0] > 128).mean() * 100) for frame in video.read(end.video)]
    assert red[-1] < red[0] - 5, red


async def test_a_wan_checkpoint_is_rendered(tmp_path: Path) -> None:
    async with LocalEngine(families=FAMILIES, threads=1) as engine:
        await engine.submit("job", 1, spec(tmp_path / "a", "tiny-wan"))
        told = await until_end(engine.events(), "job")
    end = told[-1]
    assert isinstance(end, Rendered)
    probe = video.probe(end.video)
    assert (probe.width, probe.height, probe.num_frames) == (96, 64, 9)


def environment(pid: int | None) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def gone(pid: int | None) -> bool:
    """Whether there is no such process any more, or only its shell."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


PARENT = """
import asyncio, sys
from pathlib import Path
from model.engines.local import LocalEngine
from tests.model.engine_contract import spec, until_step

async def main():
    async with LocalEngine(families="tests.model.standin:FAMILIES") as engine:
        await engine.submit("job", 1, spec(Path(sys.argv[1]), "endless"))
        await until_step(engine.events(), "job")
        print(engine.runner_pid, flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""
