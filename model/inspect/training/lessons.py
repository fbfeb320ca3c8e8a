"""What is learned from, how often each is seen, and where the line is drawn."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.inspect.training import fit
from model.inspect.training.fit import Net, Read, Reader
from model.inspect.training.lexicon import sentences
from model.inspect.training.prompts import Prompt, apart, held_back, prompts

OWN = "own"
A_SCENE = 10
SHARES = {
    OWN: 3.0,
    "i2p": 1.5,
    "openai_mod": 1.0,
    "xstest_safe": 0.4,
    "xstest_unsafe": 0.3,
    "vbench": 0.8,
    "vbench2": 0.8,
    "vbench_cn": 0.5,
    "parti": 1.2,
}
"""How often a set is seen, all its prompts together; halved between what is safe and what not."""

LINES = ("vbench", "vbench2")
"""Benign sets in which the line is drawn, each of them."""

FLAGGED = 0.03
"""Of prompts that were not learned from, in the worst of these sets."""

FOLDS = 3


@dataclass(frozen=True, slots=True)
class Book:
    """All labelled prompts, of the sets and of our own."""

    prompts: Sequence[Prompt]
    read: Read
    vectors: np.ndarray
    """(N, 512): of each one's first window."""

    @property
    def sources(self) -> np.ndarray:
        return np.array([one.source for one in self.prompts])

    @property
    def unsafe(self) -> np.ndarray:
        return np.array([one.unsafe is True for one in self.prompts])


def book(folder: Path, reader: Reader, *, seed: int = 0) -> Book:
    own = {one.text: one for one in sentences(seed, A_SCENE)}
    rows = [
        *(one for one in prompts(folder) if one.unsafe is not None),
        *(Prompt(one.text, OWN, one.scene, one.clause is not None, one.clause)
          for one in own.values()),
    ]  # fmt: skip
    read = reader.read([one.text for one in rows])
    return Book(rows, read, read.vectors[:, 0])


@dataclass(frozen=True, slots=True)
class Lesson:
    """learned, held: which of the book's prompts. line: see `Weights`."""

    net: Net
    line: float
    learned: np.ndarray
    held: np.ndarray


def learn(
    book: Book,
    *,
    without: Collection[str] = (),
    seed: int = 0,
    told: Callable[[str], None] = lambda _: None,
) -> Lesson:
    """From all but the sets `without`; nothing that is held back, nor what resembles it.

    Of our own scenes three in ten are held back where `OWN` is among the sets, and none else.
    """
    out = np.isin(book.sources, [name for name in without if name != OWN])
    held = out | np.array(
        [
            (OWN in without and held_back(one.category)) if one.source == OWN
            else held_back(one.text)
            for one in book.prompts
        ]
    )  # fmt: skip
    learned = np.flatnonzero(~held)
    fine = apart(
        [book.prompts[i].text for i in learned.tolist()], book.vectors[learned],
        [book.prompts[i].text for i in np.flatnonzero(held).tolist()], book.vectors[held],
    )  # fmt: skip
    learned = learned[fine]
    line = _line(book, learned, seed)
    told(f"{len(learned)} to learn from, {int((~fine).sum())} too like what is held back")
    net = _fitted(book, learned, seed)
    return Lesson(net, line, learned, np.flatnonzero(held))


def _line(book: Book, learned: np.ndarray, seed: int) -> float:
    """What the head says at most of all but `FLAGGED` of benign prompts, each judged by a head that
    has not learned from it."""
    folds = np.array(
        [zlib.crc32(book.prompts[i].text.encode()) // 7 % FOLDS for i in learned.tolist()]
    )
    said: dict[str, list[np.ndarray]] = {}
    judges = np.isin(book.sources[learned], LINES)
    for fold in range(FOLDS):
        mine = judges & (folds == fold)
        kept, rest = learned[mine], learned[~mine]
        near = apart(
            [book.prompts[i].text for i in rest.tolist()], book.vectors[rest],
            [book.prompts[i].text for i in kept.tolist()], book.vectors[kept],
        )  # fmt: skip
        net = _fitted(book, rest[near], seed)
        for name in LINES:
            some = kept[book.sources[kept] == name]
            said.setdefault(name, []).append(fit.judged(net, book.read.of(some)))
    return max(
        (float(np.quantile(all_, 1 - FLAGGED)) for all_ in map(np.concatenate, said.values())
         if len(all_)), default=0.0,
    )  # fmt: skip


def _fitted(book: Book, chosen: np.ndarray, seed: int) -> Net:
    lessons = [fit.lesson(one.unsafe is True, one.clause) for one in _of(book, chosen)]
    sources, unsafe = book.sources[chosen], book.unsafe[chosen]
    shares = np.zeros(len(chosen))
    for name in np.unique(sources):
        sides = [(sources == name) & side for side in (unsafe, ~unsafe)]
        there = [side for side in sides if side.any()]
        for side in there:
            shares[side] = SHARES.get(name, 1.0) / len(there) / side.sum()
    return fit.fit(book.read.of(chosen), lessons, shares, seed=seed)


def _of(book: Book, chosen: np.ndarray) -> list[Prompt]:
    return [book.prompts[i] for i in chosen.tolist()]
