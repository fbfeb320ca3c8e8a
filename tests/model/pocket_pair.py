"""Trains the tiniest pocket, every stage of it, as one of the processes that torchrun has started.

A stage ends when its minutes are spent; here each look at the clock is worth some, not the same in
every process. A chunk appears while the denoiser trains, and all but process 0 are slow to see it.
What a process had at the end of each stage, what it read and what it wrote goes to OUT/RANK.json.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from model.pocket import (
    autoencoder_training,
    denoiser_training,
    distil,
    hardware,
    latents,
    parallel,
    train,
)
from model.pocket.denoiser import Size
from model.pocket.latents import Library
from model.pocket.progress import Progress

SHARES = {(32, 32): 0.7, (64, 32): 0.3}
CLIPS = {(32, 32): 14, (64, 32): 6}
TINY = Size(width=48, layers=2, heads=2, feed_forward=96, text_width=32, text_layers=1)
LOOKS = 6
"""At the clock, of each stage."""
LATE = "32x32-00100.pt"


def main(out: Path) -> None:
    torch.set_num_threads(1)
    latents.CHUNK = 2
    autoencoder_training.PIXELS_A_STEP = 5 * 32 * 32
    denoiser_training.TOKENS_A_STEP = distil.TOKENS = 10
    denoiser_training.NEW_CLIPS_EVERY_S = 0
    noted: dict[str, Any] = {"weights": {}, "read": [], "written": []}
    looks: Counter[str] = Counter()
    save, until, read_new, glob = torch.save, Progress.until, Library.read_new, Path.glob

    def fraction(progress: Progress) -> float:
        name = progress.path.name
        looks[name] += 1
        if name == "dit.pt" and looks[name] == 3 and parallel.rank() == 0:
            shutil.copy(out / "latents" / "32x32-00000.pt", out / "latents" / LATE)
        return min(looks[name] * (1 + parallel.rank() / 2) / LOOKS, 1.0)

    def seen(folder: Path, pattern: str) -> Iterator[Path]:
        return (p for p in glob(folder, pattern) if parallel.rank() == 0 or p.name != LATE)

    def saving(state: object, path: Path) -> None:
        noted["written"].append(path.stem)
        save(state, path)

    def ending(
        progress: Progress, share: float, kept: Callable[[], Mapping[str, Any]]
    ) -> Iterator[float]:
        yield from until(progress, share, kept)
        noted["weights"][f"{progress.path.stem} {share}"] = digest(kept())

    def reading(library: Library) -> int:
        noted["read"].append(read_new(library))
        return int(noted["read"][-1])

    Progress.fraction = property(fraction)  # type: ignore[assignment, method-assign]
    Progress.until, Library.read_new = ending, reading  # type: ignore[method-assign]
    Path.glob = seen  # type: ignore[method-assign]
    torch.save = saving  # type: ignore[assignment]
    with parallel.joined(hardware.PROCESSOR):
        minutes = dict.fromkeys(train.STAGES, 1.0)
        train.train(out, minutes, CLIPS, shares=SHARES, size=TINY)
        (out / f"{parallel.rank()}.json").write_text(json.dumps(noted))


def digest(state: Mapping[str, Any]) -> str:
    """Of every number in it."""
    found = hashlib.sha256()

    def add(value: object) -> None:
        if isinstance(value, torch.Tensor):
            found.update(value.detach().flatten().view(torch.uint8).numpy().tobytes())
        elif isinstance(value, Mapping):
            for part in value.values():
                add(part)
        elif isinstance(value, list | tuple):
            for part in value:
                add(part)

    add(state)
    return found.hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
