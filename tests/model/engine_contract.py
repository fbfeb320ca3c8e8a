"""What every engine must do. A test module subclasses `EngineContract` and gives it an `engine`
whose models are those of `tests.model.standin`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.engine import (
    Engine,
    EngineEvent,
    Failed,
    Lost,
    Progressed,
    Rendered,
    Spec,
    Stage,
    Stopped,
)
from core.errors import Transient
from core.request import Request
from model import video
from tests.model.standin import GREY

PATIENCE_SECONDS = 60
"""How long a test waits for what must come."""


def spec(
    folder: Path,
    model: str = "quick",
    *,
    picture: Path | None = None,
    previous: Path | None = None,
    last_picture: Path | None = None,
    prompt: str = "a red ball",
    num_frames: int = 9,
    steps: int = 4,
    seed: int = 7,
) -> Spec:
    """A clip of 96×64 at 8 frames a second, in a new folder."""
    folder.mkdir(parents=True)
    request = Request(
        model=model,
        prompt=prompt,
        width=96,
        height=64,
        num_frames=num_frames,
        frame_rate=8,
        seed=seed,
        resolution="64p",
        aspect="3:2",
        num_inference_steps=steps,
        guidance_scale=3.0,
        picture="picture" if picture else None,
        last_picture="last" if last_picture else None,
    )
    return Spec(request, folder, picture, previous, last_picture)


async def until_end(events: AsyncIterator[EngineEvent], job_id: str) -> list[EngineEvent]:
    """All that is told of a job, up to how it ended."""
    told: list[EngineEvent] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for event in events:
            if event.job_id == job_id:
                told.append(event)
                if not isinstance(event, Progressed):
                    return told
    raise AssertionError("the events ended before the job")


async def until_step(events: AsyncIterator[EngineEvent], job_id: str) -> Progressed:
    """The first step of a job that is told."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for event in events:
            assert isinstance(event, Progressed), event
            if event.job_id == job_id and event.steps:
                return event
    raise AssertionError("the events ended before the job")


async def until_free(engine: Engine) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not engine.free_slots():
            await asyncio.sleep(0.01)


class EngineContract:
    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    async def test_a_clip_is_rendered(self, engine: Engine, tmp_path: Path) -> None:
        await engine.submit("job", 1, spec(tmp_path / "a"))
        told = await until_end(engine.events(), "job")

        end = told[-1]
        assert isinstance(end, Rendered)
        assert end.attempt == 1
        assert (end.width, end.height, end.num_frames, end.frame_rate) == (96, 64, 9, 8)
        assert end.run_seconds > 0
        probe = video.probe(end.video)
        assert (probe.width, probe.height, probe.num_frames) == (96, 64, 9)
        assert probe.seconds == 1
        assert abs(int(video.first_frame(end.video).mean()) - GREY) < 3
        with Image.open(end.poster) as poster:
            assert poster.size == (96, 64)
        assert {path.parent for path in (end.video, end.poster)} == {tmp_path / "a"}

    async def test_progress_rises_and_shows_a_picture(self, engine: Engine, tmp_path: Path) -> None:
        await engine.submit("job", 1, spec(tmp_path / "a"))
        *told, _end = await until_end(engine.events(), "job")

        progress = [event for event in told if isinstance(event, Progressed)]
        assert [event.stage for event in progress[:2]] == [Stage.LOADING, Stage.RENDERING]
        assert progress[-1].stage is Stage.ENCODING
        sequence = [event.sequence for event in told]
        assert sequence == sorted(set(sequence))
        steps = [event.step for event in progress if event.stage is Stage.RENDERING]
        assert steps == sorted(set(steps))
        assert steps[-1] == 20
        assert len(steps) < 20, "progress is not thinned out"
        previews = [event.preview for event in progress if event.preview]
        with Image.open(BytesIO(previews[0])) as picture:
            assert picture.format == "JPEG"
            assert picture.size == (96, 64)
            assert abs(int(np.asarray(picture).mean()) - GREY) < 3

    async def test_a_picture_is_the_first_frame(self, engine: Engine, tmp_path: Path) -> None:
        picture = tmp_path / "blue.png"
        Image.new("RGB", (96, 64), (20, 40, 180)).save(picture)
        await engine.submit("job", 1, spec(tmp_path / "a", picture=picture))
        end = (await until_end(engine.events(), "job"))[-1]

        assert isinstance(end, Rendered)
        assert np.allclose(video.first_frame(end.video)[0, 0], (20, 40, 180), atol=4)

    async def test_a_last_picture_comes_through(self, engine: Engine, tmp_path: Path) -> None:
        picture = tmp_path / "blue.png"
        Image.new("RGB", (96, 64), (20, 40, 180)).save(picture)
        await engine.submit("job", 1, spec(tmp_path / "a", last_picture=picture))
        end = (await until_end(engine.events(), "job"))[-1]

        assert isinstance(end, Rendered)
        assert np.allclose(video.last_frame(end.video)[0, 0], (20, 40, 180), atol=4)

    async def test_a_clip_is_continued(self, engine: Engine, tmp_path: Path) -> None:
        first = tmp_path / "first.mp4"
        shades = [np.full((64, 96, 3), 20 * n, np.uint8) for n in range(1, 6)]
        video.write(first, shades, frame_rate=8, width=96, height=64)
        await engine.submit("job", 1, spec(tmp_path / "a", previous=first, num_frames=9))
        end = (await until_end(engine.events(), "job"))[-1]

        assert isinstance(end, Rendered)
        assert end.num_frames == 5 + 9 - 1
        assert video.probe(end.video).num_frames == 13
        means = [int(frame.mean()) for frame in video.read(end.video)]
        assert np.allclose(means, [20, 40, 60, 80, 100] + [100] * 8, atol=4)

    async def test_an_attempt_is_made_once(self, engine: Engine, tmp_path: Path) -> None:
        wanted = spec(tmp_path / "a")
        await engine.submit("job", 1, wanted)
        await engine.submit("job", 1, wanted)
        events = engine.events()
        await until_end(events, "job")
        await engine.submit("job", 1, wanted)
        await engine.submit("other", 1, spec(tmp_path / "b"))

        told = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for event in events:
                told.append(event)
                if isinstance(event, Rendered):
                    break
        assert {event.job_id for event in told} == {"other"}

    async def test_no_more_is_taken_than_there_are_slots(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        await until_free(engine)
        slots = engine.free_slots()
        for number in range(slots):
            await engine.submit(f"job{number}", 1, spec(tmp_path / str(number), "endless"))
        assert engine.free_slots() == 0
        with pytest.raises(Transient):
            await engine.submit("one too many", 1, spec(tmp_path / "more"))

    async def test_a_running_attempt_stops_when_asked(self, engine: Engine, tmp_path: Path) -> None:
        events = engine.events()
        await engine.submit("job", 1, spec(tmp_path / "a", "endless"))
        await until_step(events, "job")
        await engine.cancel("job", 2)
        await engine.cancel("another", 1)
        await until_step(events, "job")
        await engine.cancel("job", 1)
        assert isinstance((await until_end(events, "job"))[-1], Stopped)
        assert list((tmp_path / "a").glob("*.mp4")) == []

        await engine.submit("next", 1, spec(tmp_path / "b"))
        assert isinstance((await until_end(events, "next"))[-1], Rendered)

    async def test_a_poison_job_fails_with_a_reference(
        self, engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        events = engine.events()
        await engine.submit("job", 1, spec(tmp_path / "a", "poison", prompt='my "secret" wish'))
        end = (await until_end(events, "job"))[-1]

        assert isinstance(end, Failed)
        assert "secret" not in end.sentence
        assert end.reference
        await engine.submit("next", 1, spec(tmp_path / "b"))
        assert isinstance((await until_end(events, "next"))[-1], Rendered)
        assert end.reference in caplog.text
        assert "cannot digest" in caplog.text
        assert "secret" not in caplog.text

    async def test_a_failure_says_what_is_fit_to_be_shown(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        for model, words in {
            "particular": "That picture is upside down.",
            "hungry": "more memory than there is",
            "short": "went wrong",
            "unheard-of": "went wrong",
        }.items():
            await engine.submit(model, 1, spec(tmp_path / model, model))
            end = (await until_end(engine.events(), model))[-1]
            assert isinstance(end, Failed), model
            assert words in end.sentence
            assert list((tmp_path / model).glob("*.mp4")) == []

    async def test_a_runner_that_dies_loses_its_attempt(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        events = engine.events()
        await engine.submit("job", 1, spec(tmp_path / "a", "crash"))
        end = (await until_end(events, "job"))[-1]
        assert isinstance(end, Lost)
        assert end.sequence > 0

        await engine.submit("job", 2, spec(tmp_path / "b"))
        end = (await until_end(events, "job"))[-1]
        assert isinstance(end, Rendered)
        assert end.attempt == 2
