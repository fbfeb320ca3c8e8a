"""The pixels of pocket's scenes, drawn by formula.

Shapes are signed distances (formulas after Inigo Quilez, "2D distance functions"), so edges are
anti-aliased and every frame is drawn at once with numpy. A scene has no end: it can be drawn from
any time on. Nothing is downloaded and nothing is stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.pocket.scenes import Scene, Thing

Array: TypeAlias = NDArray[np.floating[Any]]
Frames: TypeAlias = NDArray[np.uint8]
"""(frames, height, width, 3) RGB."""

FRAME_RATE: Final = 8
"""Frames a second; the times below are whole latent frames (four frames), so that every turn and
bounce looks alike to the autoencoder."""

CROSSING_S: Final = 2.0
"""How long a thing takes from one end of its reach to the other."""
BOUNCE_S: Final = 1.0
SPIN_S: Final = 3.0
ORBIT_S: Final = 3.0
SWING_S: Final = 2.0
FALL_S: Final = 1.5

REACH: Final = 0.8
"""How much of the room between the middle and the border a moving thing uses, each way."""

PAN_A_SECOND: Final = 0.22
TILT_A_SECOND: Final = 0.15
ROLL_A_SECOND: Final = math.radians(20)
ZOOM_A_SECOND: Final = 0.26
"""In powers of e; a zoom ends after three seconds."""

PALETTE: Final[dict[str, tuple[int, int, int]]] = {
    "red": (224, 36, 40),
    "orange": (250, 136, 24),
    "yellow": (252, 218, 48),
    "green": (48, 168, 64),
    "cyan": (40, 204, 212),
    "blue": (36, 84, 220),
    "purple": (136, 52, 190),
    "pink": (248, 122, 190),
    "white": (246, 246, 246),
    "black": (24, 24, 28),
    "grey": (132, 134, 140),
}

_SKYLINES: Final[dict[str, tuple[tuple[int, int, int], ...]]] = {
    "sky": ((84, 160, 244), (206, 232, 252)),
    "sea": ((176, 222, 246), (214, 238, 248), (28, 104, 170), (14, 62, 124)),
    "grass": ((150, 206, 248), (214, 238, 252), (104, 190, 72), (60, 140, 52)),
    "night": ((8, 10, 34), (36, 40, 92)),
    "sunset": ((92, 48, 128), (250, 140, 80)),
}


def draw(scene: Scene, *, frames: int, height: int, width: int, offset: int = 0) -> Frames:
    """Pixels of a scene, (frames, height, width, 3) uint8.

    `offset` counts the frames already gone: a scene goes on for as long as one likes. What leaves
    the picture on one side comes back on the other.
    """
    short = min(height, width)
    half = (height / short / 2, width / short / 2)
    time = (np.arange(frames, dtype=np.float32) + offset) / FRAME_RATE
    rows = ((np.arange(height, dtype=np.float32) - (height - 1) / 2) / short)[None, :, None]
    columns = ((np.arange(width, dtype=np.float32) - (width - 1) / 2) / short)[None, None, :]
    view = _view(scene.camera, time)
    cos, sin = np.cos(view.turn)[:, None, None], np.sin(view.turn)[:, None, None]
    across = (columns * cos - rows * sin) / view.zoom[:, None, None]
    down = (columns * sin + rows * cos) / view.zoom[:, None, None]
    if scene.camera:
        behind = (across + view.x[:, None, None], down + view.y[:, None, None])
    else:
        behind = (across[:1], down[:1])
    picture = _paint_background(scene.background, *behind, half[0], short)
    if len(picture) == 1:
        picture = np.repeat(picture, frames, axis=0)
    for index, thing in enumerate(scene.things):
        path = _trajectory(scene, index, time, *half)
        x, y = path.x, path.y
        if not scene.camera.startswith("orbit"):
            x = _wrapped(x - view.x, half[1] + 1.3 * path.radius)
            y = _wrapped(y - view.y, half[0] + 1.3 * path.radius)
        _add_thing(picture, thing, path, across - x[:, None, None], down - y[:, None, None], short)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _View:
    """Where the camera looks, (frames,) each: the middle, the magnification, the angle."""

    x: Array
    y: Array
    zoom: Array
    turn: Array


def _view(camera: str, time: Array) -> _View:
    zero: Array = np.zeros_like(time)
    kind, _, way = camera.partition(" ")
    sign = np.float32(-1 if way in ("left", "up", "out") else 1)
    match kind:
        case "pan":
            return _View(sign * PAN_A_SECOND * (time - 1), zero, zero + 1, zero)
        case "orbit":
            return _View(-sign * PAN_A_SECOND * time, zero, zero + 1, zero)
        case "tilt":
            return _View(zero, sign * TILT_A_SECOND * (time - 1), zero + 1, zero)
        case "zoom":
            first = -0.1 if way == "in" else 0.35
            scale = np.exp(first + sign * ZOOM_A_SECOND * np.minimum(time, 3))
            return _View(zero, zero, scale.astype(np.float32), zero)
        case "roll":
            return _View(zero, zero, zero + 1, sign * ROLL_A_SECOND * time)
    return _View(zero, zero, zero + 1, zero)


def _wrapped(place: Array, beyond: Array) -> Array:
    """What goes out at one side comes in at the other; `beyond` is where it is out of sight."""
    return (place + beyond) % (2 * beyond) - beyond


def _add_thing(
    picture: Array, thing: Thing, path: _Path, across: Array, down: Array, short: int
) -> None:
    """Draws onto (frames, height, width, 3); across and down are distances from its middle."""
    radius = path.radius[:, None, None]
    x, up = across / radius, -down / radius
    cos, sin = np.cos(path.angle)[:, None, None], np.sin(path.angle)[:, None, None]
    local_x, local_y = x * cos - up * sin, up * cos + x * sin
    distance = _SHAPE_DISTANCES[thing.shape](local_x, local_y)
    cover = np.clip(0.5 - distance * radius * short, 0, 1)[..., None]
    base = np.asarray(PALETTE[thing.colour], np.float32) * thing.tint
    light = _shade(thing.shape, x, up)
    body = np.clip(
        base * (1 + 0.16 * light[..., None]) + 26 * np.clip(light, 0, 1)[..., None], 0, 255
    )
    if thing.texture:
        marks = _marks(thing.texture, local_x, local_y)[..., None]
        body = body + 70 * marks if thing.colour == "black" else body * (1 - 0.38 * marks)
    picture *= 1 - cover
    picture += body * cover


def _marks(texture: str, x: Array, y: Array) -> Array:
    """0…1: how much a point is of the pattern."""
    if texture == "striped":
        stripes: Array = 0.5 + 2.2 * np.sin(2 * math.pi * y / 0.8)
        return stripes.clip(0, 1)
    dots: Array = 0.5 + (0.2 - np.hypot((x + 0.35) % 0.7 - 0.35, (y + 0.35) % 0.7 - 0.35)) / 0.08
    return dots.clip(0, 1)


@dataclass(frozen=True, slots=True)
class _Path:
    """Where a thing is, (frames,) each; x and y from the picture's centre, angle clockwise."""

    x: Array
    y: Array
    radius: Array
    angle: Array


def _trajectory(scene: Scene, index: int, time: Array, half_y: float, half_x: float) -> _Path:
    thing = scene.things[index]
    x: Array = np.full_like(time, thing.x)
    y: Array = np.full_like(time, thing.y)
    radius: Array = np.full_like(time, thing.radius)
    angle: Array = np.zeros_like(time)
    reach_x = REACH * max(half_x - thing.radius - 0.02, 0.16)
    reach_y = REACH * max(half_y - thing.radius - 0.02, 0.16)
    crossed = 2 * time / CROSSING_S - 1
    beyond_x, beyond_y = half_x + 1.3 * radius, half_y + 1.3 * radius
    match scene.motion:
        case "left":
            x = _wrapped(x * 0.4 - reach_x * crossed, beyond_x)
        case "right":
            x = _wrapped(x * 0.4 + reach_x * crossed, beyond_x)
        case "roll left" | "roll right":
            way = -1 if scene.motion == "roll left" else 1
            y = y * 0.4 + 0.6 * reach_y
            x = _wrapped(x * 0.4 + way * reach_x * crossed, beyond_x)
            angle = way * reach_x * (crossed + 1) / thing.radius
        case "up":
            y = _wrapped(y * 0.4 - reach_y * crossed, beyond_y)
        case "down":
            y = _wrapped(y * 0.4 + reach_y * crossed, beyond_y)
        case "fall":
            fallen = np.minimum(time / FALL_S, 1) ** 2
            y = y * 0.4 - reach_y + 2 * reach_y * fallen
        case "bounce":
            swing = (time / BOUNCE_S % 1) * 2 - 1
            height_now = 1 - swing**2
            if len(scene.things) > 1:
                y = y + 0.08 - 0.2 * height_now
            else:
                y = y * 0.3 + reach_y - 2 * reach_y * height_now
        case "spin":
            angle = time * np.float32(2 * math.pi / SPIN_S)
        case "grow":
            radius = radius * np.minimum(0.65 + 0.3 * time, 1.4)
        case "shrink":
            radius = radius * np.maximum(1.25 - 0.3 * time, 0.5)
        case "orbit" if index == 0:
            turn = time * np.float32(2 * math.pi / ORBIT_S)
            away = 0.29 if len(scene.things) > 1 else 0.2
            x, y = x * 0.4 + away * np.cos(turn), y * 0.4 + away * np.sin(turn)
        case "swing":
            lean = 0.65 * np.cos(time * np.float32(2 * math.pi / SWING_S))
            x, y = x * 0.4 + 0.4 * np.sin(lean), y * 0.4 + 0.4 * (np.cos(lean) - 0.9)
        case "collide":
            apart = np.abs((time / CROSSING_S + 0.5) % 1 * 2 - 1)
            way = -1 if index == 0 else 1
            room = half_x - 2 * thing.radius
            x = way * (thing.radius * 0.95 + room * (1 - apart))
            y = np.zeros_like(time)
    return _Path(*(np.asarray(part, np.float32) for part in (x, y, radius, angle)))


def _paint_background(background: str, x: Array, y: Array, half_y: float, short: int) -> Array:
    """(frames, height, width, 3) float32 in 0…255 at the given places."""
    down = y / (2 * half_y) + 0.5
    if background in PALETTE:
        flat = np.asarray(PALETTE[background], np.float32)
        dimmed: Array = flat * (1.04 - 0.1 * np.clip(down, 0, 1))[..., None]
        return dimmed.astype(np.float32)
    stops = [np.asarray(stop, np.float32) for stop in _SKYLINES[background]]
    if len(stops) == 4:
        horizon = 0.66
        above = np.clip(down / horizon, 0, 1)[..., None]
        below = np.clip((down - horizon) / (1 - horizon), 0, 1)[..., None]
        edge = np.clip((down - horizon) * 2 * half_y * short + 0.5, 0, 1)[..., None]
        picture = (stops[0] + (stops[1] - stops[0]) * above) * (1 - edge) + (
            stops[2] + (stops[3] - stops[2]) * below
        ) * edge
    else:
        edge = np.zeros_like(down)[..., None]
        picture = stops[0] + (stops[1] - stops[0]) * np.clip(down, 0, 1)[..., None]
    match background:
        case "night":
            picture = picture + 210 * _dots(_STARS, x, y, 0.022, short)[..., None]
        case "sky":
            picture = picture + (255 - picture) * 0.75 * _clouds(x, y)[..., None]
        case "sea":
            crests = np.sin(2 * math.pi * x / 0.6) * np.sin(2 * math.pi * (y + x / 3) / 0.16)
            picture = picture + 44 * np.clip(crests, 0, 1)[..., None] * edge
        case "grass":
            tufts = _dots(_TUFTS, x, y - 0.16 * 2 * half_y, 0.045, short)[..., None]
            picture = picture * (1 - 0.3 * tufts * edge)
        case "sunset":
            ridge = (
                0.36 + 0.05 * np.sin(2 * math.pi * x / 0.7) + 0.03 * np.sin(2 * math.pi * x / 0.28)
            )
            hill = np.clip((y / (2 * half_y) - ridge) * 2 * half_y * short + 0.5, 0, 1)[..., None]
            picture = picture * (1 - hill) + np.asarray((150, 62, 60), np.float32) * hill
    return np.asarray(picture, np.float32)


_TILE: Final = 1.2
"""The scenery repeats after so much of the shorter side."""
_STARS: Final = (
    (-0.5, -0.42), (-0.31, -0.12), (-0.42, 0.24), (-0.12, -0.34), (-0.05, 0.39), (0.12, -0.08),
    (0.2, 0.22), (0.31, -0.38), (0.47, 0.06), (0.42, 0.42), (-0.22, 0.52), (0.05, -0.55),
)  # fmt: skip
_TUFTS: Final = (
    (-0.5, 0.06), (-0.33, 0.2), (-0.14, 0.09), (0.04, 0.22), (0.22, 0.07), (0.4, 0.18),
)  # fmt: skip
_PUFFS: Final = (
    (-0.28, -0.3, 0.13), (-0.14, -0.28, 0.1), (0.3, -0.12, 0.1), (0.2, -0.1, 0.12),
    (-0.4, 0.26, 0.1), (-0.3, 0.28, 0.12),
)  # fmt: skip


def _tiled(place: Array, middle: float) -> Array:
    """Distance from the nearest repetition of `middle`."""
    return (place - middle + _TILE / 2) % _TILE - _TILE / 2


def _dots(
    places: Sequence[tuple[float, float]], x: Array, y: Array, size: float, short: int
) -> Array:
    """0…1: soft round spots of the given radius, repeated over the plane."""
    glow: Array = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    for middle_x, middle_y in places:
        distance = np.hypot(_tiled(x, middle_x), _tiled(y, middle_y))
        glow = np.maximum(glow, np.clip((size - distance) / size * 1.5, 0, 1))
    return glow


def _clouds(x: Array, y: Array) -> Array:
    cover: Array = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    for middle_x, middle_y, size in _PUFFS:
        distance = np.hypot(_tiled(x, middle_x) / 1.6, _tiled(y, middle_y)) / size
        cover = np.maximum(cover, np.clip(1.6 - 1.6 * distance, 0, 1))
    return cover


def _shade(shape: str, across: Array, upward: Array) -> Array:
    """Light from the upper left: −1…1; a ball has a round highlight, the rest a soft slope."""
    if shape == "ball":
        away: Array = 1.2 - 1.25 * np.hypot(across + 0.35, upward - 0.35)
        return away.clip(-1, 1)
    return np.clip(0.5 * (upward - across), -1, 1)


def _ball(x: Array, y: Array) -> Array:
    return np.hypot(x, y) - 1


def _box(x: Array, y: Array, half_x: float, half_y: float) -> Array:
    return np.maximum(np.abs(x) - half_x, np.abs(y) - half_y)


def _square(x: Array, y: Array) -> Array:
    return _box(x, y, 0.86, 0.86)


def _triangle(x: Array, y: Array) -> Array:
    side: Array = (np.abs(x) * 0.857 + y * 0.515) - 0.52
    base: Array = -y - 0.62
    inside: Array = np.maximum(base, side)
    return inside


def _diamond(x: Array, y: Array) -> Array:
    return (np.abs(x) / 0.72 + np.abs(y) - 1.05) * 0.58


def _star(x: Array, y: Array) -> Array:
    sector = 2 * math.pi / 5
    angle = np.arctan2(x, y)
    folded = np.abs((angle + sector / 2) % sector - sector / 2)
    length = np.hypot(x, y)
    px, py = length * np.sin(folded), length * np.cos(folded)
    tip = 1.1
    notch_x, notch_y = 0.5 * math.sin(sector / 2), 0.5 * math.cos(sector / 2)
    edge_x, edge_y = notch_x, notch_y - tip
    norm = math.hypot(edge_x, edge_y)
    return (px * -edge_y + (py - tip) * edge_x) / norm


def _heart(x: Array, y: Array) -> Array:
    side, height = np.abs(x) / 1.75, (y + 1.0) / 1.75
    upper = np.hypot(side - 0.25, height - 0.75) - math.sqrt(2) / 4
    half = np.maximum(side + height, 0) * 0.5
    lower = np.sqrt(
        np.minimum(side**2 + (height - 1) ** 2, (side - half) ** 2 + (height - half) ** 2)
    ) * np.sign(side - height)
    return np.where(side + height > 1, upper, lower) * 1.75


def _ring(x: Array, y: Array) -> Array:
    return np.abs(np.hypot(x, y) - 0.72) - 0.3


def _moon(x: Array, y: Array) -> Array:
    bite: Array = 0.78 - np.hypot(x - 0.5, y - 0.12)
    crescent: Array = np.maximum(np.hypot(x, y) - 1, bite)
    return crescent


def _cross(x: Array, y: Array) -> Array:
    return np.minimum(_box(x, y, 1.0, 0.34), _box(x, y, 0.34, 1.0))


_SHAPE_DISTANCES: Final[dict[str, Callable[[Array, Array], Array]]] = {
    "ball": _ball,
    "square": _square,
    "triangle": _triangle,
    "diamond": _diamond,
    "star": _star,
    "heart": _heart,
    "ring": _ring,
    "moon": _moon,
    "cross": _cross,
}
