"""The picture gate against its classifiers and its finder of faces alone, and the clip gate, on one
core. Wall time: on a busy machine the ratio tells more than the milliseconds."""

from __future__ import annotations

import io
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from rich.table import Table

from core.safety.blocklist import MOST, Blocklist
from model import video
from model.inspect.classifiers import Classifiers, Picture
from model.inspect.faces import Faces
from model.inspect.inspector import LocalInspector
from model.inspect.sampling import samples
from model.inspect.sight_child import opened_picture
from tests.bench import out
from tests.bots.pictures import photo

TIMES = 60
WANTED_MS = 300


async def bench_sight() -> None:
    table = Table("", "median", "p99", "beside", title=f"{TIMES} times each")
    cv2.setNumThreads(1)
    classifiers, faces = Classifiers(), Faces()

    async def alone(picture: Picture) -> None:
        classifiers.scores(picture)
        faces.count(picture)

    async with LocalInspector() as inspector:
        for name, sides in (("720p", (1280, 720)), ("12 megapixels", (4000, 3000))):
            jpeg = photo(*sides)
            await inspector.picture(jpeg)
            picture = opened_picture(jpeg)
            bare = await timed(partial(alone, picture))
            whole = await timed(partial(inspector.picture, jpeg))
            ratio = statistics.median(whole) / statistics.median(bare)
            table.add_row(f"models alone, {name}", *_ms(bare), "")
            table.add_row(f"picture, {name}", *_ms(whole), f"{ratio:.2f}× the models")
        with tempfile.TemporaryDirectory() as folder:
            still = np.asarray(Image.open(io.BytesIO(photo(1600, 720))).convert("RGB"))
            for seconds in (2, 10):
                clip = Path(folder, f"{seconds}.mp4")
                moving = (np.ascontiguousarray(still[:, n : n + 1280]) for n in range(seconds * 24))
                video.write(clip, moving, 24, 1280, 720)
                looked = sum(one is not None for one in samples(clip.read_bytes()))
                began = time.perf_counter()
                await inspector.clip(clip)
                took = time.perf_counter() - began
                table.add_row(f"clip of {seconds} s, 720p", f"{took:.2f} s", "", f"{looked} frames")
    draw = random.Random(1)
    blocked = Blocklist(f"{draw.getrandbits(256):064x}" for _ in range(MOST))

    async def look_up() -> object:
        return blocked.match([f"{draw.getrandbits(256):064x}"])

    table.add_row(f"a hash among {MOST}", *_ms(await timed(look_up)), "")
    out.print(table)


async def timed(work: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each of TIMES."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await work()
        took.append(1000 * (time.perf_counter() - began))
    return sorted(took)


def _ms(took: list[float]) -> tuple[str, str]:
    last = took[int(0.99 * (len(took) - 1))]
    over = "" if last <= WANTED_MS else f" (over {WANTED_MS})"
    return f"{statistics.median(took):.0f} ms", f"{last:.0f} ms{over}"
