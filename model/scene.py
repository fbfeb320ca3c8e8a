"""A picture laid out before a camera, and what the camera sees of it at each moment.

Knows nothing of requests or files. What can be worked out once, is, so that a frame costs a warp
or two and memory stays the same however long the shot is.
"""

from __future__ import annotations

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.family import Frame
from model.layers import Image, Layers, Thing, apart
from model.motion import SAMPLES, Pose, Shot, extent, frame, view

FINE: Final = 2.0
"""Source pixels for each pixel of the screen. Drawn at twice the size, a picture looks equally
sharp wherever its pixels come to lie, and does not shimmer as it drifts."""

CELL: Final = 16
"""Screen pixels between the points for which the view of the sheet is worked out exactly."""

MAX_SOURCE_SIDE: Final = 5120

NO_MAP: Final[Any] = None


class Scene:
    """One shot of one picture on one screen. draft: rougher, and about twice as fast."""

    def __init__(
        self, picture: Image, shot: Shot, width: int, height: int, *, draft: bool = False
    ) -> None:
        self._shot = shot
        self._width, self._height = width, height
        self._span = math.sqrt(width * height)
        cover = max(width / picture.shape[1], height / picture.shape[0])
        sides = picture.shape[1] * cover, picture.shape[0] * cover
        middle = sides[0] / 2, _upper_middle(sides[1], height)
        self._framing = frame(shot, sides, (width, height), middle)
        poses = [self._framing.pose(shot, time) for time in np.linspace(0, 1, SAMPLES)]
        seen = np.array([extent(pose, (width, height)) for pose in poses])
        seen = np.concatenate([seen[:, :2].min(0), seen[:, 2:].max(0)])
        source, self._scale, self._origin = _source(
            picture,
            (seen + np.tile([self._framing.x, self._framing.y], 2)) / cover,
            (1.0 if draft else FINE) * cover,
        )
        self._scale /= cover
        self._origin += self._scale * (self._framing.x, self._framing.y)
        if all(pose.flat for pose in poses):
            self._layers = Layers(_rgba(source), np.zeros((1, 1), np.float32), ())
        else:
            self._layers = apart(source, cut=not draft)
        self._columns = _cells(width)
        self._rows = _cells(height)

    def seen(self, time: float) -> Frame:
        """What the camera sees at `time`, from 0 to 1; a new array each time."""
        pose = self._framing.pose(self._shot, time)
        screen = self._sheet(pose)
        for thing in self._layers.things:
            self._stand(screen, thing, pose)
        return np.ascontiguousarray(cv2.cvtColor(screen, cv2.COLOR_RGBA2RGB))

    def _sheet(self, pose: Pose) -> Any:
        back = self._layers.back
        if pose.flat:
            return cv2.warpAffine(
                back,
                self._matrix(pose, 1.0),
                (self._width, self._height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
        u, v = np.meshgrid(self._columns, self._rows)
        source_x, source_y = u, v
        shrink = np.array(self._layers.nearness.shape[::-1]) / np.array(back.shape[1::-1])
        x, y = self._on_source(u, v)
        for _ in range(4):
            # the nearness of what is seen there decides what is seen there: settles quickly
            nearness = cv2.remap(
                self._layers.nearness,
                ((x + 0.5) * shrink[0] - 0.5).astype(np.float32),
                ((y + 0.5) * shrink[1] - 0.5).astype(np.float32),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            a, b, along, across = view(pose, np.asarray(nearness, np.float64), self._span)
            source_x, source_y = a * u - b * v + along, b * u + a * v + across
            x, y = self._on_source(source_x, source_y)
        coarse = np.dstack([x, y]).astype(np.float32)
        fine = cv2.resize(coarse, (coarse.shape[1] * CELL, coarse.shape[0] * CELL))
        where: Any = fine[CELL : CELL + self._height, CELL : CELL + self._width]
        return cv2.remap(back, where, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def _stand(self, screen: Any, thing: Thing, pose: Pose) -> None:
        """Draw a thing on the screen, in the rectangle that it takes up there."""
        matrix = self._matrix(pose, thing.nearness)
        matrix[:, 2] -= thing.left, thing.top
        height, width = thing.image.shape[:2]
        corners = np.array([[-1, -1], [width, -1], [-1, height], [width, height]], np.float64)
        on_screen = cv2.transform(corners[None], cv2.invertAffineTransform(matrix))[0]
        left, top = np.maximum(np.floor(on_screen.min(0)).astype(int), 0)
        right, bottom = np.ceil(on_screen.max(0)).astype(int) + 1
        right, bottom = min(int(right), self._width), min(int(bottom), self._height)
        if left >= right or top >= bottom:
            return
        matrix[:, 2] += matrix[:, :2] @ (left, top)
        drawn = cv2.warpAffine(
            thing.image,
            matrix,
            (int(right - left), int(bottom - top)),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(0, 0, 0, 0),
        )
        there = screen[top:bottom, left:right]
        through = cv2.merge([cv2.bitwise_not(cv2.extractChannel(drawn, 3))] * 4)
        cv2.add(cv2.multiply(there, through, scale=1 / 255), drawn, dst=there)

    def _matrix(self, pose: Pose, nearness: float) -> NDArray[np.float64]:
        """From a pixel of the screen to the source pixel of that nearness that it shows."""
        a, b, along, across = (float(value) for value in view(pose, nearness, self._span))
        left, top = 0.5 - self._width / 2, 0.5 - self._height / 2
        x, y = self._on_source(a * left - b * top + along, b * left + a * top + across)
        (scale_x, scale_y) = self._scale
        return np.array([[scale_x * a, -scale_x * b, x], [scale_y * b, scale_y * a, y]])

    def _on_source(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Picture points, from the window's middle in screen pixels, as source pixels."""
        return (
            x * self._scale[0] + self._origin[0] - 0.5,
            y * self._scale[1] + self._origin[1] - 0.5,
        )


def _upper_middle(side: float, window: float) -> float:
    """The middle of the window in a picture that is too tall for it: faces are above the middle."""
    return side / 2 - (side - window) * 0.12


def _cells(side: int) -> NDArray[np.float64]:
    """Screen positions, from the middle, of the cells' middles, one cell beyond either end."""
    count = math.ceil(side / CELL) + 2
    return np.asarray((np.arange(count) - 0.5) * CELL - side / 2, np.float64)


def _source(
    picture: Image, seen: NDArray[np.float64], scale: float
) -> tuple[Image, NDArray[np.float64], NDArray[np.float64]]:
    """The part of the picture that is seen, (left, top, right, bottom) in its pixels, scaled, and
    mirrored softly where it goes past the edge.

    Gives back also the exact scales across and down, and where the picture's corner came to lie.
    """
    height, width = picture.shape[:2]
    limits = np.array([width, height])
    low = np.clip(np.floor(seen[:2]).astype(int) - 2, 0, limits - 1)
    high = np.clip(np.ceil(seen[2:]).astype(int) + 2, low + 1, limits)
    scale = min(scale, MAX_SOURCE_SIDE / float((high - low).max()))
    size = np.maximum(np.round((high - low) * scale).astype(int), 1)
    part = picture[low[1] : high[1], low[0] : high[0]]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    source: Any = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=way)
    scales = size / (high - low)
    before = np.ceil(np.maximum(-seen[:2] * scales, 0)).astype(int)
    after = np.ceil(np.maximum((seen[2:] - limits) * scales, 0)).astype(int)
    before, after = (np.minimum(pad + 2 * (pad > 0), size - 1) for pad in (before, after))
    if before.any() or after.any():
        source = _bordered(source, before, after)
    return source, scales, before - low * scales


def _bordered(source: Image, before: NDArray[np.int_], after: NDArray[np.int_]) -> Image:
    """The source with a mirrored border, the softer the further out."""
    (left, top), (right, bottom) = before.tolist(), after.tolist()
    whole = cv2.copyMakeBorder(source, top, bottom, left, right, cv2.BORDER_REFLECT_101)
    turned = whole.swapaxes(0, 1)
    for strip in (whole[:top][::-1], whole[len(whole) - bottom :]):
        _soften(strip)
    for strip in (turned[:left][::-1], turned[len(turned) - right :]):
        _soften(strip)
    return np.ascontiguousarray(whole)


def _soften(strip: Any) -> None:
    """Blur a strip in place, more from its first row to its last."""
    height, width = strip.shape[:2]
    if height == 0:
        return
    small = np.ascontiguousarray(strip[::4, ::4])
    soft = cv2.resize(cv2.GaussianBlur(small, (0, 0), 5), (width, height)).astype(np.float32)
    softness = np.sqrt((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None, None]
    strip[:] = strip * (1 - softness) + soft * softness


def _rgba(source: Image) -> Image:
    """Four channels: OpenCV warps them twice as fast as three."""
    return np.ascontiguousarray(cv2.cvtColor(source, cv2.COLOR_RGB2RGBA))
