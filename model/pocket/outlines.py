"""Names silhouettes: which shape an outline is, and how far it turns from frame to frame.

The shapes are polygons of its own, in units of a circle's radius; it knows nothing of how the
training scenes are drawn. A silhouette is moved to its centroid and scaled to one spread before it
is compared, so place and size don't matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]
"""(height, width)."""

RASTER: Final = 48
"""Side in pixels of the raster on which silhouettes are compared."""
ANGLE_STEP: Final = 10
ROUNDED: Final = 0.18
"""Blur, as a share of the radius, of the templates for soft drawings, whose corners are lost."""
TURNED_PENALTY: Final = 0.05
"""How much better a turned template must overlap than an upright one."""
LARGEST_TURN: Final = math.radians(36)
"""From one frame to the next; half the symmetry of a star."""
CLEAR_TURN: Final = 0.12
"""How strong an angular harmonic must be (0…1), for a turn to be seen: a wobbly ball has less."""


def name_shape(masks: Sequence[Mask], *, turning: bool = False) -> str:
    """The shape whose templates overlap a thing's silhouettes best, summed over the frames."""
    overlap = np.stack([_overlaps(normalise(mask)) for mask in masks])
    upright = overlap[:, :, :, 0].max(axis=2)
    turned = overlap.max(axis=(2, 3)) - (0.0 if turning else TURNED_PENALTY)
    fit = np.maximum(upright, turned).mean(axis=0)
    return list(_outlines())[int(fit.argmax())]


def turn_between(first: Mask, second: Mask) -> float:
    """Radians, clockwise, by which the second silhouette is turned against the first.

    From the phases of the angular harmonics of the silhouettes' mass about their centroids; 0
    where they are too round to tell.
    """
    before, after = _harmonics(first), _harmonics(second)
    orders = np.arange(1, len(before) + 1)
    together = after * np.conj(before)
    if math.sqrt(np.abs(together).max()) < CLEAR_TURN:
        return 0.0
    angles = np.linspace(-LARGEST_TURN, LARGEST_TURN, 145)
    match = (together[None] * np.exp(-1j * orders * angles[:, None])).real.sum(axis=1)
    return float(angles[match.argmax()])


def normalise(mask: Mask) -> Mask:
    """The silhouette moved to its centroid and scaled to one spread, on a small raster."""
    rows, columns = np.nonzero(mask)
    x, y = columns.mean(), rows.mean()
    spread = math.sqrt(float(columns.var() + rows.var())) + 1e-6
    scale = RASTER * 0.24 / spread
    middle = (RASTER - 1) / 2
    matrix = np.array([[scale, 0, middle - scale * x], [0, scale, middle - scale * y]], np.float32)
    moved = cv2.warpAffine(mask.astype(np.float32), matrix, (RASTER, RASTER))
    return np.asarray(moved > 0.5, np.bool_)


def _harmonics(mask: Mask) -> NDArray[np.complex128]:
    """Angular harmonics 1 to 6, each weighted by the distance from the centroid."""
    rows, columns = np.nonzero(mask)
    across, down = columns - columns.mean(), rows - rows.mean()
    distance, angle = np.hypot(across, down), np.arctan2(down, across)
    weight = distance**2 / max(float((distance**2).sum()), 1e-6)
    orders = np.arange(1, 7)
    return np.asarray((weight * np.exp(1j * orders[:, None] * angle)).sum(axis=1), np.complex128)


def _overlaps(silhouette: Mask) -> NDArray[np.float32]:
    """Intersection over union with every template, (shapes, sharp or rounded, angles)."""
    templates, areas = _templates()
    both = templates @ silhouette.reshape(-1).astype(np.float32)
    return np.asarray(both / (areas + float(silhouette.sum()) - both), np.float32)


@cache
def _templates() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(shapes, sharp or rounded, angles, pixels) and their areas."""
    stack = []
    for outline in _outlines().values():
        rounded = cv2.GaussianBlur(outline.astype(np.float32), (0, 0), ROUNDED * 80)
        stack.append([_turned(outline), _turned((rounded > 0.5).astype(np.uint8))])
    templates = np.asarray(stack, np.float32)
    return templates, templates.sum(axis=3)


def _turned(outline: NDArray[np.uint8]) -> list[NDArray[np.bool_]]:
    turned = []
    for angle in range(0, 360, ANGLE_STEP):
        turn = cv2.getRotationMatrix2D((127.5, 127.5), angle, 1)
        mask = cv2.warpAffine(outline, turn, (256, 256)).astype(np.bool_)
        turned.append(normalise(mask).reshape(-1))
    return turned


def _polygon(points: Sequence[tuple[float, float]]) -> NDArray[np.uint8]:
    canvas = np.zeros((256, 256), np.uint8)
    corners = np.array([(128 + 80 * x, 128 - 80 * y) for x, y in points], np.int32)
    cv2.fillPoly(canvas, [corners], 1)
    return canvas


def _circle(radius: float, x: float = 0.0, y: float = 0.0) -> NDArray[np.uint8]:
    canvas = np.zeros((256, 256), np.uint8)
    cv2.circle(canvas, (round(128 + 80 * x), round(128 - 80 * y)), round(80 * radius), 1, -1)
    return canvas


@cache
def _outlines() -> dict[str, NDArray[np.uint8]]:
    radii = (1.0, 0.45) * 5
    pentagram = [
        (radius * math.sin(k * math.pi / 5), radius * math.cos(k * math.pi / 5))
        for k, radius in enumerate(radii)
    ]
    t = np.linspace(0, 2 * math.pi, 60)
    curve = 0.06 * np.stack(
        [16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t)], axis=1
    )
    arm = 0.33
    plus = [
        (-arm, 1), (arm, 1), (arm, arm), (1, arm), (1, -arm), (arm, -arm),
        (arm, -1), (-arm, -1), (-arm, -arm), (-1, -arm), (-1, arm), (-arm, arm),
    ]  # fmt: skip
    return {
        "ball": _circle(1),
        "square": _polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)]),
        "triangle": _polygon([(0, 1), (0.97, -0.62), (-0.97, -0.62)]),
        "diamond": _polygon([(0, 1), (0.7, 0), (0, -1), (-0.7, 0)]),
        "star": _polygon(pentagram),
        "heart": _polygon(curve.tolist()),
        "ring": _circle(1) - _circle(0.42),
        "moon": _circle(1) * (1 - _circle(0.8, 0.5, 0.1)),
        "cross": _polygon(plus),
    }
