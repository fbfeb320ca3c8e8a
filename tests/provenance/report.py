"""How well the invisible mark holds, what it costs, and how often it errs.

python -m tests.provenance.report [--clips 40] [--strangers 500]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from model import video
from model.family import Frame
from model.provenance import watermark
from tests.provenance.clips import (
    Change,
    cropped,
    drawn,
    encoded_again,
    mirrored,
    noise_ratio,
    scaled,
    textured,
)

TROUBLES: dict[str, tuple[int, Change | None]] = {
    "CRF 18": (18, None),
    "CRF 28": (28, None),
    "CRF 33": (33, None),
    "360 lines, CRF 28": (28, scaled(360)),
    "240 lines, CRF 23": (23, scaled(240)),
    "crop by 10 %, CRF 28": (28, cropped(0.1)),
    "crop by 20 %, CRF 23": (23, cropped(0.2)),
    "mirrored, CRF 28": (28, mirrored),
}
KNOWN = 1_000_000
"""Clips of other jobs that a store may hold."""


def clips(count: int) -> Iterator[tuple[str, list[Frame]]]:
    """Half drawn, half as busy as photographs; wide, square and tall."""
    sides = ((854, 480), (480, 480), (480, 854), (1280, 720))
    for number in range(count):
        width, height = sides[number // 2 % len(sides)]
        make = textured if number % 2 else drawn
        yield make.__name__, make(number, width, height)


def sampled(path: Path) -> list[Frame]:
    return list(video.read(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--strangers", type=int, default=500)
    options = parser.parse_args()
    rng = np.random.default_rng(8)
    known = set(rng.integers(0, 1 << watermark.BITS, KNOWN).tolist())
    found = dict.fromkeys(TROUBLES, 0)
    wrong, ratios, seconds, growth = 0, [], [], []
    with tempfile.TemporaryDirectory() as folder:
        plain, own, again = (Path(folder, f"{name}.mp4") for name in ("plain", "own", "again"))
        for kind, frames in clips(options.clips):
            word = int(rng.integers(0, 1 << watermark.BITS))
            began = time.perf_counter()
            marked = list(watermark.marked(frames, word))
            seconds.append((time.perf_counter() - began) / len(frames))
            ratios.append(noise_ratio(frames, marked))
            height, width = frames[0].shape[:2]
            video.write(plain, frames, 24, width, height)
            video.write(own, marked, 24, width, height)
            growth.append(own.stat().st_size / plain.stat().st_size)
            held = []
            for trouble, (crf, change) in TROUBLES.items():
                words = watermark.read(sampled(encoded_again(own, again, crf, change)))
                found[trouble] += word in words
                wrong += bool(known & set(words))
                held.append("." if word in words else "x")
            print(f"{kind:9} {width}x{height} {ratios[-1]:.1f} dB", "".join(held), flush=True)
    strangers = 0
    for number in range(options.strangers):
        make = textured if number % 2 else drawn
        words = watermark.read(make(1000 + number, 320, 180, 4))
        strangers += bool(known & set(words))
    print()
    for trouble, count in found.items():
        print(f"{trouble:22} {count}/{options.clips}")
    print(f"another job named      {wrong}/{options.clips * len(TROUBLES)}")
    print(f"strangers named        {strangers}/{options.strangers}, of {KNOWN} known")
    print(f"PSNR                   {min(ratios):.1f} to {max(ratios):.1f} dB")
    print(f"cost                   {1000 * np.median(seconds):.0f} ms a frame")
    print(f"size                   x {np.median(growth):.2f}, x {max(growth):.2f} at most")


if __name__ == "__main__":
    main()
