"""`kinora render` against real time, and against encoding the same frames alone."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from rich.table import Table

from model import video
from tests.bench import out
from tests.bots.pictures import photo
from tests.program import KINORA, family


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
