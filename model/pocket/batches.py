"""What one step of training sees: clips of one size and kind, their captions, and what is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from model.pocket import scenes
from model.pocket.latents import LATENT_FRAMES, Kind, Library, Size

SIZE_SHARES: Final[Mapping[Size, float]] = {(96, 96): 0.78, (160, 96): 0.12, (96, 160): 0.1}
KIND_SHARES: Final = {Kind.OPENING: 0.72, Kind.GOING_ON: 0.2, Kind.ENDING: 0.08}
TOKEN_PIXELS: Final = 32
"""Side of what one token of the transformer shows."""


@dataclass(frozen=True, slots=True)
class Batch:
    """raw: (clips, channels, frames, height, width) float32, as the encoder gives them.
    given: (frames,) bool, the latent frames that are handed over clean."""

    kind: Kind
    raw: Tensor
    captions: tuple[str, ...]
    given: Tensor


def draw(
    library: Library,
    plan: np.random.Generator,
    own: np.random.Generator,
    *,
    tokens: int,
    silent: float,
    alone: float = 0.0,
    shares: Mapping[Size, float] = SIZE_SHARES,
) -> Batch:
    """As many clips as `tokens` allows. `plan` decides what sort they are, `own` which.

    silent: how many go without a caption. alone: how many of the openings are first frames only.
    Raises LookupError where the library has none of these sizes.
    """
    size, kind = _sort(plan, library, shares)
    frames = 1 if kind is Kind.OPENING and plan.random() < alone else LATENT_FRAMES
    each = (size[0] // TOKEN_PIXELS) * (size[1] // TOKEN_PIXELS) * frames
    raw, shown = library.batch(own, size, kind, max(1, tokens // each))
    captions = ("" if own.random() < silent else scenes.caption(scene, own) for scene in shown)
    return Batch(kind, raw[:, :, :frames], tuple(captions), _given(plan, kind, frames))


def _sort(
    rng: np.random.Generator, library: Library, shares: Mapping[Size, float]
) -> tuple[Size, Kind]:
    """A size and a kind that the library has."""
    there = [(s, k) for s in shares for k in KIND_SHARES if library.shelves[s][k]]
    if not there:
        raise LookupError(f"no clips of {', '.join(map(str, shares))} in {library.folder}")
    odds = np.array([shares[size] * KIND_SHARES[kind] for size, kind in there])
    return there[int(rng.choice(len(there), p=odds / odds.sum()))]


def _given(rng: np.random.Generator, kind: Kind, frames: int) -> Tensor:
    given = torch.zeros(frames, dtype=torch.bool)
    if frames == 1:
        return given
    match kind:
        case Kind.OPENING:
            given[0] = rng.random() < 0.2
        case Kind.GOING_ON:
            given[: 1 if rng.random() < 0.15 else 2] = True
        case Kind.ENDING:
            given[0], given[-1] = rng.random() < 0.8, True
    return given
