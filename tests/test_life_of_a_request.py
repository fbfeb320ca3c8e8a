"""The life of a request, told once from end to end, by the real program over a real socket.

Somebody sends a photograph with "slow zoom in". It is understood, priced, queued, rendered, paid
for and shown; then varied, cancelled, and taken back. Read this first.
"""

from __future__ import annotations

import asyncio
import os
import signal
from io import BytesIO
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from PIL import Image

from model import video
from tests.program import Caller, running


def a_photograph() -> bytes:
    """A bright disc on a dark slope, off the middle, as a phone would send it."""
    down, across = np.mgrid[0:600, 0:800]
    picture = np.stack([across // 8, down // 6, 60 + 0 * down], -1).astype(np.uint8)
    picture[(across - 400) ** 2 + (down - 300) ** 2 < 80**2] = (250, 240, 200)
    data = BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=92)
    return data.getvalue()


@pytest.mark.timeout(240)
async def test_a_photograph_becomes_a_clip(tmp_path: Path) -> None:
    async with running(tmp_path) as program, aiohttp.ClientSession() as session:
        anna = Caller(session, program.url)

        # She has her free credits, and the models say what they take.
        before = await anna.get("/me")
        assert before["balance"] > 0
        assert before["held"] == 0
        names = {model["name"] for model in (await anna.get("/models"))["models"]}
        assert "parallax" in names

        # She sends a picture and a few words; what comes back is a promise with a price. The clip
        # is long enough that its card, which tells the newest state a few times a second, sees it
        # under way on any machine.
        job = await anna.move(a_photograph(), "slow zoom in", seconds=20, res="480p")
        assert job["state"] == "queued"
        assert job["credits"] > 0
        low, high = job["eta_seconds"]
        assert 0 <= low < high
        assert (await anna.get("/me"))["held"] == job["credits"]

        # Her card follows it: the words as they were understood, the way it goes, a preview.
        steps = []
        async for seen in anna.events(job["id"]):
            if seen["state"] == "running" and seen["steps"]:
                steps.append(seen["step"])
        assert steps == sorted(steps)
        assert steps[-1] > 0
        assert (seen["state"], seen["prompt"]) == ("succeeded", "slow zoom in")
        assert any("zoom in" in note for note in seen["notes"])

        # The clip is what was asked for: a playing MP4 in which the disc has come nearer.
        status, data = await anna.video(job["id"])
        assert status == 200
        clip = tmp_path / "clip.mp4"
        clip.write_bytes(data)
        probe = video.probe(clip)
        assert (probe.width, probe.height, probe.num_frames) == (640, 480, 481)
        assert (probe.codec, probe.pixel_format, probe.faststart) == ("h264", "yuv420p", True)
        assert float(probe.frame_rate) == 24
        bright = [int((frame.min(axis=-1) > 170).sum()) for frame in video.read(clip)]
        assert bright[-1] > bright[0] * 1.05

        # It was paid for once.
        after = await anna.get("/me")
        assert after["held"] == 0
        assert after["balance"] == before["balance"] - job["credits"]

        # Once more, with another seed; and she changes her mind.
        again = await anna.post(f"/clips/{job['id']}/again", {})
        await anna.delete(f"/clips/{again['id']}")
        cancelled = await anna.ended(again["id"])
        assert cancelled["state"] == "cancelled"
        now = await anna.get("/me")
        assert (now["balance"], now["held"]) == (after["balance"], 0)

        # The clip survives a restart of everything.
        assert await program.stop() == 0
    async with running(tmp_path) as program, aiohttp.ClientSession() as session:
        anna = Caller(session, program.url)
        history = await anna.get("/clips")
        assert [one["id"] for one in history["clips"]] == [again["id"], job["id"]]
        assert (await anna.video(job["id"]))[1] == data

    # No log line holds her words or her key.
    log = (tmp_path / "log.txt").read_text()
    assert "slow zoom" not in log
    assert "operator's-key" not in log
    assert "/open/" not in log


@pytest.mark.timeout(240)
async def test_words_become_a_clip(tmp_path: Path) -> None:
    async with running(tmp_path) as program, aiohttp.ClientSession() as session:
        anna = Caller(session, program.url)
        job = await anna.draw("a red ball bouncing on a blue background", seed=8, res="240p")
        done = await anna.ended(job["id"])
        assert (done["state"], done["model"]) == ("succeeded", "pocket")
        assert "It understood: red, ball, bouncing, blue background." in done["notes"]
        _, data = await anna.video(job["id"])
        clip = tmp_path / "clip.mp4"
        clip.write_bytes(data)
        probe = video.probe(clip)
        assert (probe.width, probe.height) == (done["width"], done["height"]) == (240, 240)
        assert probe.num_frames == done["num_frames"]
        assert abs(probe.seconds - done["seconds"]) < 0.01

        # A red thing before blue, in every frame; and it does not stay where it is.
        heights = []
        for frame in video.read(clip):
            red, green, blue = np.moveaxis(frame.astype(int), -1, 0)
            assert ((blue > red + 40) & (blue > green + 40)).mean() > 0.5
            thing = (red > blue + 40) & (red > green + 40)
            assert 0.005 < thing.mean() < 0.5
            heights.append(np.nonzero(thing)[0].mean())
        assert max(heights) - min(heights) > 10


@pytest.mark.timeout(240)
async def test_a_killed_runner_is_replaced_and_its_job_finishes(tmp_path: Path) -> None:
    async with running(tmp_path) as program, aiohttp.ClientSession() as session:
        anna = Caller(session, program.url)
        before = await anna.get("/me")
        job = await anna.move(a_photograph(), "pan right", seconds=10, res="720p")
        async for seen in anna.events(job["id"]):
            if seen["state"] == "running" and seen["step"]:
                break
        killed = program.runner_pid()
        os.kill(killed, signal.SIGKILL)
        async with asyncio.timeout(2):
            await anna.until(job["id"], "queued")
        done = await anna.ended(job["id"])
        assert done["state"] == "succeeded"
        assert program.runner_pid() != killed
        after = await anna.get("/me")
        assert (after["balance"], after["held"]) == (before["balance"] - job["credits"], 0)


@pytest.mark.timeout(240)
async def test_a_killed_program_loses_nothing_and_charges_once(tmp_path: Path) -> None:
    async with running(tmp_path) as program, aiohttp.ClientSession() as session:
        anna = Caller(session, program.url)
        before = await anna.get("/me")
        jobs = [await anna.move(a_photograph(), "pan right", seconds=6, res="480p")]
        jobs += [await anna.move(a_photograph(), "tilt up", seconds=1, res="480p")]
        async for seen in anna.events(jobs[0]["id"]):
            if seen["state"] == "running" and seen["step"]:
                break
        runner = program.runner_pid()
        await program.kill()
    async with running(tmp_path) as program, aiohttp.ClientSession() as session:
        anna = Caller(session, program.url)
        for job in jobs:
            assert (await anna.ended(job["id"]))["state"] == "succeeded"
        after = await anna.get("/me")
        spent = sum(job["credits"] for job in jobs)
        assert (after["balance"], after["held"]) == (before["balance"] - spent, 0)
        with pytest.raises(ProcessLookupError):
            os.kill(runner, 0)
