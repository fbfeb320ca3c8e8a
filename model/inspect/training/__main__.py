"""Trains the head: `python -m model.inspect.training --prompts DIR --work DIR`.

Writes `head.npz` and `head.json` (what was measured) into the work folder; `--ship` puts the
weights and a card of what was measured beside the code. `--left-out` trains it again without each
set, to measure it on sets that it never saw. One thread: two minutes for the embeddings, which are
kept in the work folder, and two for each head.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from model.inspect.head import Weights
from model.inspect.training import card, fit
from model.inspect.training.lessons import OWN, Book, Lesson, book, learn

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "i2p": ("i2p",),
    "all three": ("i2p", "openai_mod", "xstest_safe", "xstest_unsafe"),
    "own scenes": (OWN,),
    "openai_mod": ("openai_mod",),
    "xstest": ("xstest_safe", "xstest_unsafe"),
}

BENIGN = ("vbench", "vbench2", "vbench_cn", "parti")


def measured(book: Book, lesson: Lesson, sources: Sequence[str] = ()) -> dict[str, float]:
    """Percent that are flagged of what is held back, by set; all sets or these."""
    found = {}
    held = book.sources[lesson.held]
    for name in np.unique(held):
        for unsafe, side in ((False, "safe"), (True, "unsafe")):
            some = lesson.held[(held == name) & (book.unsafe[lesson.held] == unsafe)]
            if len(some) and (not sources or name in sources):
                flagged = fit.judged(lesson.net, book.read.of(some)) > lesson.line
                found[f"{name} {side} ({len(some)})"] = round(100 * float(flagged.mean()), 1)
    return found


def keep(weights: Weights, file: Path) -> None:
    """Halves, which is enough: about 600 kB."""
    arrays = {
        name: getattr(weights, name).astype(np.float16)
        for name in ("dense", "dense_bias", "out", "straight", "bias", "words")
    }
    np.savez_compressed(file, line=np.float32(weights.line), **arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the head of the gate for words.")
    parser.add_argument("--prompts", type=Path, default=os.environ.get("KINORA_TEST_SHARED"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--left-out", action="store_true")
    parser.add_argument("--ship", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.prompts is None:
        parser.error("say --prompts: a folder of JSON lines, see model/inspect/training/prompts.py")
    folder = Path(asked.prompts)
    if (folder / "data" / "prompts").is_dir():
        folder = folder / "data" / "prompts"
    torch.set_num_threads(1)
    asked.work.mkdir(parents=True, exist_ok=True)
    all_ = book(folder, fit.Reader(asked.work / "embedded.npz"), seed=asked.seed)
    ways = {"held back": (), **(LEFT_OUT if asked.left_out else {})}
    report: dict[str, dict[str, float]] = {}
    for name, sets in ways.items():
        lesson = learn(all_, without=sets, seed=asked.seed, told=print)
        report[name] = measured(all_, lesson, (*sets, *BENIGN) if sets else ())
        print(json.dumps({name: report[name]}, indent=1), flush=True)
        (asked.work / "head.json").write_text(json.dumps(report, indent=1))
        if not sets:
            keep(lesson.net.weights(lesson.line), asked.work / "head.npz")
    if asked.ship:
        weights = Path(str(resources.files("model.inspect"))) / "weights"
        (weights / "head.npz").write_bytes((asked.work / "head.npz").read_bytes())
        (weights / "head.md").write_text(card.written(report), encoding="utf-8")


if __name__ == "__main__":
    main()
