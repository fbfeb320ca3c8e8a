"""A clip longer than its model draws at once: one stream of latents, drawn window by window.

Each window begins with the last latents of the one before, as clean context. Pure arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Window:
    """In latent frames. context: those known at its start. drawn: those behind them, of which the
    first `used` belong to the stream."""

    context: int
    drawn: int
    used: int


def windows(
    wanted: int, known: int, *, longest: int, shortest: int, context: int, ends: bool
) -> list[Window]:
    """The windows that draw `wanted` latent frames behind `known` ones.

    longest, shortest: latent frames of a window. context: how many are carried over.
    ends: the last one is given, so the last window stops there; that it need not be a short one,
    the window before it is used in part.
    """
    planned: list[Window] = []
    left = wanted
    while left:
        carried = min(known, context)
        room, whole = longest - carried, longest - context
        new = left - whole if ends and room < left < room + whole else min(left, room)
        stops = ends and new == left
        planned.append(Window(carried, new if stops else max(new, shortest - carried), new))
        known += new
        left -= new
    return planned


def border(latents: Tensor) -> Tensor:
    """The usual colour, (1, channels, 1, 1, 1), of the outermost cells over all latent frames: the
    median, so that a thing that passes there counts for little."""
    import torch

    sides = (latents[..., 0, :], latents[..., -1, :], latents[..., :, 0], latents[..., :, -1])
    cells = torch.cat([side.flatten(2) for side in sides], dim=2)
    return cells.median(dim=2).values[..., None, None, None]


def hold_colour(latents: Tensor, anchor: Tensor, strength: float) -> Tensor:
    """`latents` whose border is moved towards `anchor`, a `border`, by that share of the way.

    A guard against drift: each window inherits the colours of the last, errors and all.
    """
    return latents + strength * (anchor - border(latents))
