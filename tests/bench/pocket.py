"""The built-in model, from words to MP4."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.table import Table

from core.request import Request
from model import video
from model.families import pocket, wan
from model.family import NOTHING_GIVEN, Frame
from tests.bench import out


def bench_pocket() -> None:
    """In this process, as the runner does it: the model is in memory; every prompt is a new one."""
    import torch
    from diffusers import WanPipeline

    columns = []
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
        columns.append((f"{side}×{side}×{frames}", *seconds, ratio))
    clips, *rows = zip(*columns, strict=True)
    table = Table("", *clips, title="pocket in 4 steps")
    names = ("text", "denoise", "decode", "enlarge to 720p", "encode at 720p", "words to MP4",
             "words to MP4 at 720p", "diffusers")  # fmt: skip
    for name, row in zip(names, rows, strict=True):
        table.add_row(name, *row)
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
    """With words that were not read yet: what was once read is remembered."""
    new = replace(request, prompt=f"{request.prompt} {time.monotonic_ns()}")
    frames = drawn.frames(new, NOTHING_GIVEN, lambda *_: None)
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
