"""`make bench`: this machine's figures, from the real program run as a user runs it.

    python -m tests.bench [render] [pocket] [queue] [loop]

render: `kinora render` against real time and against encoding the same frames alone.
pocket: words to MP4 with the model in memory, part by part, and against diffusers' own pipeline.
queue: twenty jobs of three accounts: who is served when, and how often an ETA held.
loop: the event loop's longest stall while clips render, pictures go up and clips come down.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import aiohttp
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from core.request import Request
from model import video
from model.families import pocket, wan
from model.family import NOTHING_GIVEN, Frame
from tests.program import KINORA, Caller, Program, command, family, running

out = Console()


def photo(width: int = 2400, height: int = 1600) -> bytes:
    """A picture with structure at every scale, as a JPEG."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    noise = np.random.default_rng(3)
    picture = np.stack([across / width, down / height, 1 - across / width], -1) * 180
    for scale in (400, 120, 40, 12):
        grain = noise.normal(0, 12, (height // scale + 2, width // scale + 2, 3))
        grown = np.kron(grain, np.ones((scale, scale, 1)))[:height, :width]
        picture += grown
    data = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(data, "JPEG", quality=92)
    return data.getvalue()


# render


@dataclass(frozen=True, slots=True)
class Run:
    """A command's wall seconds, and the peak resident bytes of it and all its children."""

    seconds: float
    peak_bytes: int


def measured(command: list[str], **environment: str) -> Run:
    began = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)  # fmt: skip
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(resident_bytes, family(process.pid))))
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Run(time.perf_counter() - began, peak)


def resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def encode_alone(width: int, height: int, frames: int, path: Path) -> float:
    """Seconds to encode as many frames of the size with nothing drawn: the floor."""
    still = np.random.default_rng(1).integers(0, 255, (height + frames, width, 3), dtype=np.uint8)
    still = np.asarray(Image.fromarray(still).resize((width, height + frames)))
    began = time.perf_counter()
    moving = (np.ascontiguousarray(still[n : n + height]) for n in range(frames))
    video.write(path, moving, 24, width, height)
    return time.perf_counter() - began


def bench_render() -> None:
    table = Table("clip", "wall", "real time", "peak of all processes", title="kinora render")
    with tempfile.TemporaryDirectory() as scratch:
        picture = Path(scratch, "photo.jpg")
        picture.write_bytes(photo())
        clip = Path(scratch, "out.mp4")
        for seconds, size in ((5, "720p"), (5, "1080p"), (60, "1080p")):
            run = measured(
                [*KINORA, "render", "the bay", "--image", str(picture), "--camera", "pan right",
                 "--seconds", str(seconds), "--res", size, "--ar", "16:9", "-o", str(clip)],
                KINORA_DATA_DIR=scratch,
            )  # fmt: skip
            probe = video.probe(clip)
            assert abs(probe.seconds - seconds) < 0.05, probe
            table.add_row(
                f"parallax {seconds} s {probe.width}×{probe.height}",
                f"{run.seconds:.1f} s",
                f"{seconds / run.seconds:.1f}×",
                f"{run.peak_bytes / 2**20:.0f} MiB",
            )
            if seconds == 5:
                alone = encode_alone(probe.width, probe.height, probe.num_frames, clip)
                table.add_row("  encoding noise alone", f"{alone:.1f} s", f"{5 / alone:.1f}×", "")
    out.print(table)


# pocket


def bench_pocket() -> None:
    """In this process, as the runner does it: the model is in memory and the words are read."""
    import torch
    from diffusers import WanPipeline

    table = Table("clip", "text", "denoise", "decode", "to 720p", "encode", "words to MP4",
                  "words to 720p MP4", "diffusers", title="pocket in 4 steps")  # fmt: skip
    for side, frames in ((128, 17), (256, 33)):
        request = Request(
            model="pocket", prompt="a red ball bouncing on a blue background", width=side,
            height=side, num_frames=frames, frame_rate=8, seed=1, resolution=f"{side}p",
            aspect="1:1", num_inference_steps=4,
        )  # fmt: skip
        shape = ((side, side),)
        drawn = wan.load(
            replace(pocket.checkpoint(), sizes=shape, num_frames=frames, shortest=frames)
        )
        assert isinstance(drawn, wan.Streamed)
        parts = pocket_parts(drawn, request)
        small = fastest(partial(write_clip, drawn, request))
        large = fastest(partial(write_clip, drawn, replace(request, width=720, height=720)))
        stock = WanPipeline.from_pretrained(pocket.WEIGHTS)
        stock.set_progress_bar_config(disable=True)
        theirs = fastest(
            partial(stock, request.prompt, width=side, height=side, num_frames=frames), times=1
        )
        seconds = [f"{part:.3f} s" for part in (*parts, small, large)]
        ratio = f"{theirs:.1f} s, {theirs / small:.0f}×"
        table.add_row(f"{side}×{side}×{frames}", *seconds, ratio)
    out.print(table)
    out.print(
        f"{torch.get_num_threads()} threads. diffusers: its pipeline at its own 50 steps with "
        "guidance, to frames in memory."
    )


def pocket_parts(drawn: wan.Streamed, request: Request) -> list[float]:
    """Seconds for reading the words, denoising, decoding, enlarging to 720p and encoding."""
    import torch

    from model.wan.flow import Asked, Flow
    from model.wan.latents import Codec

    pipeline = drawn.pipeline
    flow, codec = Flow(pipeline, 32), Codec(pipeline.vae)
    count, side = (request.num_frames + 3) // 4, request.width // 16
    noise, free = torch.randn(1, 48, count, side, side), torch.ones(count, dtype=torch.bool)
    asked = Asked(request.prompt, "", request.num_inference_steps, 1.0)

    def denoise() -> torch.Tensor:
        return flow.draw(asked, noise, noise, free, lambda *_: None)

    def decode() -> list[Frame]:
        decoder = codec.decoder()
        return [f for n in range(count) for f in decoder.frames(latents[:, :, n : n + 1])]

    latents = denoise()
    frames = decode()
    large = [wan.fill(frame, 720, 720) for frame in frames]
    with tempfile.TemporaryDirectory() as scratch:
        clip = Path(scratch, "clip.mp4")
        return [
            fastest(lambda: Flow(pipeline, 32).read(request.prompt)),
            fastest(denoise),
            fastest(decode),
            fastest(lambda: [wan.fill(frame, 720, 720) for frame in frames]),
            fastest(lambda: video.write(clip, large, 8, 720, 720)),
        ]


def write_clip(drawn: wan.Streamed, request: Request) -> None:
    frames = drawn.frames(request, NOTHING_GIVEN, lambda *_: None)
    with tempfile.TemporaryDirectory() as scratch:
        video.write(Path(scratch, "clip.mp4"), frames, 8, request.width, request.height)


def fastest(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of the fastest of some runs."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


# serve


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


def main() -> None:
    chosen = sys.argv[1:] or ["render", "pocket", "queue", "loop"]
    out.print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
    if "render" in chosen:
        bench_render()
    if "pocket" in chosen:
        bench_pocket()
    if "queue" in chosen:
        asyncio.run(bench_queue())
    if "loop" in chosen:
        asyncio.run(bench_loop())


if __name__ == "__main__":
    main()
