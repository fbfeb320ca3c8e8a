"""Names movements: what the camera does, seen from the background; what a thing does, from where
its silhouette is in every frame.

Lengths are fractions of the picture's shorter side, from the picture's middle, to the right and
down; angles are radians, clockwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from model.pocket import outlines
from model.pocket.outlines import Mask

Array: TypeAlias = NDArray[np.floating[Any]]

CAMERA_SHIFT: Final = 0.1
CAMERA_ZOOM: Final = 0.13
"""In powers of e."""
CAMERA_ROLL: Final = math.radians(12)
"""A camera that does less over a clip is at rest."""

STEPS: Final = 6
OUTLYING: Final = 24
"""Difference of a channel at which a pixel counts half: a thing that passes is no background."""
RESTING: Final = 40
"""Pull towards no movement, for each pixel."""

MOVED: Final = 0.12
GROWN: Final = 0.45
"""Change of the area, in powers of e."""
TURNED: Final = math.radians(50)
ROLLED: Final = math.radians(25)
"""The same for what moves along; a big thing needs no more to cross the picture."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Where the background of the first frame has gone, (frames,) each."""

    x: Array
    y: Array
    zoom: Array
    """Magnification in powers of e."""
    roll: Array

    def undo(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Where points would be, had the camera been at rest; each (frames,)."""
        cos, sin, scale = np.cos(self.roll), np.sin(self.roll), np.exp(-self.zoom)
        dx, dy = x - self.x, y - self.y
        return scale * (cos * dx + sin * dy), scale * (cos * dy - sin * dx)


def background_drift(frames: NDArray[np.uint8], behind: Sequence[Mask]) -> Drift:
    """Follows what is `behind` (masks of the background) from frame to frame.

    A similarity transform (shift, zoom, roll) is fitted to the pixels by Gauss-Newton with weights
    against outliers (Baker and Matthews, "Lucas-Kanade 20 years on"), and summed up over the clip.
    """
    short = min(frames.shape[1:3])
    blur = short / 60
    soft = [cv2.GaussianBlur(frame.astype(np.float32), (0, 0), blur) for frame in frames]
    total = np.eye(3)
    steps = [total]
    for index in range(1, len(frames)):
        total = _step(soft[index - 1], soft[index], behind[index - 1] & behind[index]) @ total
        steps.append(total)
    places = np.stack(steps)
    return Drift(
        x=places[:, 0, 2],
        y=places[:, 1, 2],
        zoom=np.log(np.hypot(places[:, 0, 0], places[:, 1, 0])),
        roll=np.unwrap(np.arctan2(places[:, 1, 0], places[:, 0, 0])),
    )


def _step(first: Array, second: Array, where: Mask) -> Array:
    """The similarity, (3, 3), that carries what is `where` in the first picture to the second."""
    height, width, _ = first.shape
    short = min(height, width)
    columns, rows = np.meshgrid(
        (np.arange(width) - (width - 1) / 2) / short, (np.arange(height) - (height - 1) / 2) / short
    )
    along = np.gradient(first, 1 / short, axis=1), np.gradient(first, 1 / short, axis=0)
    grow = along[0] * columns[..., None] + along[1] * rows[..., None]
    turn = along[1] * columns[..., None] - along[0] * rows[..., None]
    slopes = np.stack([*along, grow, turn], axis=-1).astype(np.float32)
    margin = max(short // 24, 2)
    inner = np.zeros_like(where)
    inner[margin:-margin, margin:-margin] = where[margin:-margin, margin:-margin]
    target = first[inner]
    if len(target) < 50:
        return np.eye(3)
    slopes = slopes[inner].reshape(-1, 4)
    tx = ty = grown = turned = 0.0
    for _ in range(STEPS):
        to_x = columns + tx + grown * columns - turned * rows
        to_y = rows + ty + grown * rows + turned * columns
        moved = cv2.remap(
            second,
            (to_x * short + (width - 1) / 2).astype(np.float32),
            (to_y * short + (height - 1) / 2).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        wrong = (target - moved[inner]).reshape(-1)
        trusted = slopes / (1 + (wrong[:, None] / OUTLYING) ** 2)
        normal, pull = trusted.T @ slopes, trusted.T @ wrong
        # Without a landmark the picture could have gone anywhere: let it rest.
        normal += np.eye(4) * RESTING * len(target)
        change = np.linalg.solve(normal, pull)
        tx, ty, grown, turned = np.array([tx, ty, grown, turned]) + change
        if np.abs(change).max() < 1e-4:
            break
    return np.array([[1 + grown, -turned, tx], [turned, 1 + grown, ty], [0, 0, 1]])


@dataclass(frozen=True, slots=True)
class Track:
    """Where a thing is, (frames,) each; frames in which it is not whole in sight are left out."""

    when: NDArray[np.intp]
    x: Array
    y: Array
    area: Array
    """Share of the shorter side's square."""
    angle: Array
    """Turned since the first frame; 0 throughout for what is too round to tell."""


def track(masks: Sequence[Mask]) -> Track:
    """Follows a thing through its silhouettes, at least one of which must not be empty."""
    height, width = masks[0].shape
    short = min(height, width)
    whole = [i for i, mask in enumerate(masks) if mask.any() and not touches_border(mask)]
    if len(whole) < 0.4 * len(masks):
        whole = [i for i, mask in enumerate(masks) if mask.any()]
    spots = [np.nonzero(masks[i]) for i in whole]
    turns = [outlines.turn_between(masks[i], masks[j]) for i, j in pairwise(whole)]
    return Track(
        when=np.array(whole),
        x=np.array([(columns.mean() - (width - 1) / 2) / short for _, columns in spots]),
        y=np.array([(rows.mean() - (height - 1) / 2) / short for rows, _ in spots]),
        area=np.array([len(rows) for rows, _ in spots]) / short**2,
        angle=np.cumsum([0.0, *turns]),
    )


def touches_border(mask: Mask) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def name_camera(drift: Drift, thing: Track | None) -> str:
    """A name such as "pan left", or "" for a camera at rest.

    The whole view moving is a pan where the thing moves with it, an orbit where the thing stays.
    """
    x, y, zoom, roll = (
        float(part[-1] - part[0]) for part in (drift.x, drift.y, drift.zoom, drift.roll)
    )
    strength = {
        "x": abs(x) / CAMERA_SHIFT,
        "y": abs(y) / CAMERA_SHIFT,
        "zoom": abs(zoom) / CAMERA_ZOOM,
        "roll": abs(roll) / CAMERA_ROLL,
    }
    most = max(strength, key=lambda part: strength[part])
    if strength[most] < 1:
        return ""
    match most:
        case "zoom":
            return "zoom in" if zoom > 0 else "zoom out"
        case "roll":
            return "roll left" if roll > 0 else "roll right"
        case "y":
            return "tilt up" if y > 0 else "tilt down"
    way = "left" if x > 0 else "right"
    if thing is None or len(thing.when) < 3:
        return f"pan {way}"
    view = drift.x[thing.when] - drift.x[thing.when].mean()
    follows = float((view * thing.x).sum() / max(float((view**2).sum()), 1e-6))
    return f"pan {way}" if follows > 0.5 else f"orbit {'right' if way == 'left' else 'left'}"


def steadied(thing: Track, drift: Drift, camera: str) -> Track:
    """The track as a camera at rest would have seen it."""
    if not camera or camera.startswith("orbit"):
        return thing
    seen = Drift(*(part[thing.when] for part in (drift.x, drift.y, drift.zoom, drift.roll)))
    x, y = seen.undo(thing.x, thing.y)
    angle = thing.angle - (seen.roll - seen.roll[0]) if thing.angle.any() else thing.angle
    return Track(thing.when, x, y, thing.area * np.exp(-2 * seen.zoom), angle)


def name_motion(thing: Track) -> str:
    """What a thing does over a clip, camera at rest."""
    if len(thing.when) < 3:
        return "still"
    few = max(len(thing.when) // 6, 1)
    net_x = float(thing.x[-few:].mean() - thing.x[:few].mean())
    net_y = float(thing.y[-few:].mean() - thing.y[:few].mean())
    range_x, range_y = float(np.ptp(thing.x)), float(np.ptp(thing.y))
    turned = float(thing.angle[-1])
    wide, narrow = max(range_x, range_y), min(range_x, range_y)
    if wide > MOVED and narrow > wide / 2 and (sweep := _circles(thing.x, thing.y)):
        # The centroid of a crescent goes round as it spins, but no faster than it turns.
        return "orbit" if sweep > 2 * abs(turned) else "spin"
    if range_y > MOVED and range_y > range_x and _returns(thing.y):
        return "bounce"
    if range_x > MOVED and range_x > range_y and _returns(thing.x):
        return "swing"
    if max(abs(net_x), abs(net_y)) > MOVED:
        if abs(net_x) > abs(net_y):
            way = "right" if net_x > 0 else "left"
            return f"roll {way}" if turned * net_x > 0 and abs(turned) > ROLLED else way
        if net_y < 0:
            return "up"
        return "fall" if _falls(thing) else "down"
    growth = math.log(thing.area[-few:].mean() / thing.area[:few].mean())
    if abs(turned) / TURNED > max(abs(growth) / GROWN, 1):
        return "spin"
    if abs(growth) > GROWN:
        return "grow" if growth > 0 else "shrink"
    return "still"


def _returns(places: Array) -> bool:
    """Whether a path turns back, by more than a third of its reach."""
    reach = float(np.ptp(places))
    down = float((np.maximum.accumulate(places) - places).max())
    up = float((places - np.minimum.accumulate(places)).max())
    return min(down, up) > reach / 3


def _circles(x: Array, y: Array) -> float:
    """Radians that a path goes round on a circle; 0 if it is none, or less than a third of one."""
    system = np.stack([x, y, np.ones_like(x)], axis=1)
    answer = np.linalg.lstsq(system, x**2 + y**2, rcond=None)[0]
    middle_x, middle_y = answer[0] / 2, answer[1] / 2
    radius = math.sqrt(max(float(answer[2] + middle_x**2 + middle_y**2), 1e-9))
    off = np.abs(np.hypot(x - middle_x, y - middle_y) - radius).mean()
    steps = np.diff(np.unwrap(np.arctan2(y - middle_y, x - middle_x)))
    sweep = abs(float(steps.sum()))
    round_it = off < 0.25 * radius and sweep > 0.8 * float(np.abs(steps).sum())
    return sweep if round_it and sweep > math.radians(120) else 0.0


def _falls(thing: Track) -> bool:
    """Whether a way down gets faster, or ends in rest: its speed is far from even."""
    time = (thing.when - thing.when[0]) / max(int(thing.when[-1] - thing.when[0]), 1)
    done = (thing.y - thing.y[0]) / max(float(thing.y[-1] - thing.y[0]), 1e-6)
    return bool(np.abs(done - time).max() > 0.12)


def together(first: Track, second: Track) -> str:
    """What two things do with each other: "orbit", "collide", or "" for nothing."""
    shared, at_first, at_second = np.intersect1d(first.when, second.when, return_indices=True)
    if len(shared) < 3:
        return ""
    x = first.x[at_first] - second.x[at_second]
    y = first.y[at_first] - second.y[at_second]
    sweep = np.unwrap(np.arctan2(y, x))
    if abs(float(sweep[-1] - sweep[0])) > math.radians(100):
        return "orbit"
    apart = np.hypot(x, y)
    nearest = int(apart.argmin())
    closes = min(float(apart[0]), float(apart[-1])) - float(apart[nearest])
    return "collide" if closes > MOVED and 0 < nearest < len(apart) - 1 else ""


def name_relation(first: Track, second: Track) -> str:
    """Where the first of two things is, seen from the second, on the whole."""
    x, y = float(first.x.mean() - second.x.mean()), float(first.y.mean() - second.y.mean())
    if abs(x) > abs(y):
        return "left of" if x < 0 else "right of"
    return "above" if y < 0 else "below"
