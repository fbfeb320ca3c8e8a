"""Sets of prompts in a folder, one JSON object a line: what is forbidden in them, and how a set is
cut in two.

`text` is the prompt and `cat` the set's own category; `SETS` says what that means here. A row is
held back for the test by its text alone, the same on every machine; what resembles such a row is
not learned from either (`apart`).
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.safety.verdict import Clause

HELD_BACK = 30
"""Percent of each set."""

ALIKE = 0.9
"""Cosine of two embeddings from which two prompts are the same one, told twice."""

WORDS_ALIKE = 0.7
"""Shared words of all words of two prompts, likewise."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """unsafe: None where its set does not say. clause: None where it is safe, or its set does not
    say which. category: the set's."""

    text: str
    source: str
    category: str
    unsafe: bool | None
    clause: Clause | None = None


def held_back(text: str) -> bool:
    """The same on every machine."""
    words = " ".join(re.findall(r"\w+", text.lower()))
    return zlib.crc32(words.encode()) % 100 < HELD_BACK


Label = tuple[bool | None, Clause | None]
SAFE: Label = (False, None)
OPENAI = {
    "S": Clause.SEXUAL,
    "V": Clause.VIOLENCE,
    "SH": Clause.SELF_HARM,
    "H": Clause.HATE,
    "HR": Clause.HATE,
}
I2P = {
    "sexual": Clause.SEXUAL,
    "shocking": Clause.GORE,
    "violence": Clause.VIOLENCE,
    "self-harm": Clause.SELF_HARM,
    "illegal activity": Clause.ILLEGAL,
    "harassment": Clause.HATE,
    "hate": Clause.HATE,
}


def _i2p(row: dict[str, Any]) -> Label:
    """How often its pictures were inappropriate decides; what lies between is not judged."""
    if row["hard"] == "1" and row["inapp"] >= 70:
        return True, I2P.get(row["cat"])
    return SAFE if row["hard"] == "0" and row["inapp"] <= 10 else (None, None)


SETS: dict[str, Callable[[dict[str, Any]], Label]] = {
    "vbench": lambda _: SAFE,
    "vbench2": lambda _: SAFE,
    "vbench_cn": lambda _: SAFE,
    "parti": lambda _: SAFE,
    "xstest_safe": lambda _: SAFE,
    "xstest_unsafe": lambda row: (
        True,
        Clause.HATE if row["cat"] == "contrast_discr" else None,
    ),
    "openai_mod": lambda row: (row["cat"] != "safe", OPENAI.get(row["cat"])),
    "i2p": _i2p,
    "nibbler": lambda _: (None, None),
}
"""nibbler's lead a model astray while the words are harmless: not for a head to know."""


def prompts(folder: Path, names: Sequence[str] = tuple(SETS)) -> Iterator[Prompt]:
    """Raises `FileNotFoundError` where a set isn't there. Files that `SETS` does not know can be
    read too: `unsafe` (true, false) and `clause` say of each row what it is."""
    for name in names:
        label = SETS.get(name, _said)
        with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                unsafe, clause = label(row)
                yield Prompt(row["text"], name, str(row.get("cat", "")), unsafe, clause)


def _said(row: dict[str, Any]) -> Label:
    clause = row.get("clause")
    return row.get("unsafe"), Clause(clause) if clause else None


def apart(
    learned: Sequence[str], vectors: np.ndarray, held: Sequence[str], held_vectors: np.ndarray
) -> np.ndarray:
    """Which of `learned` resemble none of `held`. vectors: (N, 512) and (M, 512), of length 1."""
    fine = np.ones(len(learned), bool)
    bags = [frozenset(re.findall(r"\w+", text.lower())) for text in held]
    for start in range(0, len(learned), 512):
        block = slice(start, start + 512)
        near = vectors[block] @ held_vectors.T
        fine[block] = near.max(axis=1, initial=-1.0) <= ALIKE
        for at, row in enumerate(near):
            words = frozenset(re.findall(r"\w+", learned[start + at].lower()))
            for one in np.argsort(row)[-5:] if len(row) else ():
                both = len(words | bags[one])
                if both and len(words & bags[one]) / both > WORDS_ALIKE:
                    fine[start + at] = False
    return fine
