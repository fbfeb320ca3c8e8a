"""The training data of pocket: simple animated scenes drawn by formula, with captions.

A scene is a frozen description; `draw` turns it into pixels and `caption` into words. Nothing is
downloaded and nothing is stored: any number of clips follows from a seed. Shapes are signed
distances (formulas after Inigo Quilez, "2D distance functions"), so edges are anti-aliased and
every frame is drawn at once with numpy.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.pocket import words

Array: TypeAlias = NDArray[np.floating[Any]]
Frames: TypeAlias = NDArray[np.uint8]
Choose: TypeAlias = Callable[[Sequence[str]], str]

BOUNCE_FRAMES: Final = 8
"""Frames from one apex to the next; two latent frames, so every bounce looks alike to the VAE."""

SPIN_FRAMES: Final = 24
"""Frames of one whole turn."""

REACH: Final = 0.6
"""How much of the room between the middle and the border a moving object uses, each way."""

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

CLASHES: Final[dict[str, frozenset[str]]] = {
    "sky": frozenset({"blue", "cyan", "white"}),
    "sea": frozenset({"blue", "cyan", "white"}),
    "grass": frozenset({"green", "cyan", "white"}),
    "night": frozenset({"black", "blue", "purple"}),
    "sunset": frozenset({"purple", "orange", "pink"}),
    "grey": frozenset(),
}
"""Object colours hardly seen in front of a background; a plain one clashes with itself."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One object that moves in front of a background. Lengths are fractions of the shorter side."""

    shape: str
    colour: str
    background: str
    motion: str
    size: str
    """"small", "medium" or "big"."""
    radius: float
    x: float
    """Offset of the object's middle position from the centre, to the right."""
    y: float
    """The same, downwards."""
    tint: float
    """Brightness of the object's colour, around 1."""
    stars_seed: int
    """Places of the stars of a night sky."""


def is_held_out(shape: str, colour: str, background: str) -> bool:
    """Whether a combination is kept from training, so that the judge can ask for something new.

    About one in ten; depends on the names alone, so that it never changes between runs.
    """
    return zlib.crc32(f"{shape}/{colour}/{background}".encode()) % 10 == 0


def clashes(colour: str, background: str) -> bool:
    return colour == background or colour in CLASHES.get(background, frozenset())


def sample_scene(rng: np.random.Generator, *, held_out: bool = False) -> Scene:
    """A scene at random; `held_out` draws only from the reserved combinations, else never."""
    shapes, colours = list(words.SHAPES), list(words.COLOURS)
    backgrounds, motions = list(words.BACKGROUNDS), list(words.MOTIONS)
    while True:
        shape, colour = str(rng.choice(shapes)), str(rng.choice(colours))
        background = str(rng.choice(backgrounds))
        if clashes(colour, background) or is_held_out(shape, colour, background) is not held_out:
            continue
        motion = str(rng.choice(motions))
        if motion == "spin" and shape in ("ball", "ring"):
            continue
        return compose(rng, shape, colour, background, motion)


def compose(
    rng: np.random.Generator, shape: str, colour: str, background: str, motion: str
) -> Scene:
    """The named scene with its accidents (size, place, tint) drawn at random."""
    size = str(rng.choice(["small", "medium", "big"], p=[0.15, 0.7, 0.15]))
    base = {"small": 0.15, "medium": 0.23, "big": 0.31}[size]
    return Scene(
        shape=shape,
        colour=colour,
        background=background,
        motion=motion,
        size=size,
        radius=base * float(rng.uniform(0.93, 1.07)),
        x=float(rng.uniform(-0.07, 0.07)),
        y=float(rng.uniform(-0.05, 0.05)),
        tint=float(rng.uniform(0.94, 1.06)),
        stars_seed=int(rng.integers(2)),
    )


def draw(scene: Scene, *, frames: int, height: int, width: int, offset: int = 0) -> Frames:
    """Pixels of a scene, (frames, height, width, 3) uint8.

    Motions that cross the picture (left, up, grow, …) take the whole clip; `offset` counts frames
    already gone for the periodic ones.
    """
    short = min(height, width)
    rows = (np.arange(height, dtype=np.float32) - (height - 1) / 2) / short
    columns = (np.arange(width, dtype=np.float32) - (width - 1) / 2) / short
    x, y, radius, angle = _trajectory(scene, frames, offset, height / short, width / short)
    across = (columns[None, None, :] - x[:, None, None]) / radius[:, None, None]
    upward = -(rows[None, :, None] - y[:, None, None]) / radius[:, None, None]
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    local_x, local_y = across * cos + upward * sin, upward * cos - across * sin
    distance = _SHAPE_DISTANCES[scene.shape](local_x, local_y)
    cover = np.clip(0.5 - distance * radius[:, None, None] * short, 0, 1)[..., None]
    base = np.asarray(PALETTE[scene.colour], np.float32) * scene.tint
    light = _shade(scene.shape, across, upward)[..., None]
    body = np.clip(base * (1 + 0.16 * light) + 26 * np.clip(light, 0, 1), 0, 255)
    picture = _paint_background(scene, rows, columns, short)[None] * (1 - cover) + body * cover
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """One of many phrasings; now and then silent about the motion, the background or the size."""

    def pick(phrases: Sequence[str]) -> str:
        return str(rng.choice(list(phrases)))

    first: Choose = _plainest if rng.random() < 0.5 else pick
    thing = f"{first(words.COLOURS[scene.colour])} {first(words.SHAPES[scene.shape])}"
    if scene.size != "medium" and rng.random() < 0.85:
        thing = f"{first(words.SIZES[scene.size])} {thing}"
    motion = pick(words.MOTIONS[scene.motion])
    if rng.random() < 0.06 or (scene.motion == "still" and rng.random() < 0.4):
        motion = ""
    where = "" if rng.random() < 0.04 else _place(scene, first, rng)
    article = "an" if thing[0] in "aeiou" else "a"
    text = _arrange(f"{article} {thing}", motion, where, rng)
    if rng.random() < 0.15:
        extra = " ".join(["unknownword"] * int(rng.integers(1, 4)))
        text = f"{text}, {extra}" if rng.random() < 0.7 else f"{extra} {text}"
    return " ".join(text.split())


def plain_caption(scene: Scene) -> str:
    """The plainest full wording, as the judge asks for it."""
    size = "" if scene.size == "medium" else f"{words.SIZES[scene.size][0]} "
    thing = f"{size}{scene.colour} {scene.shape}"
    motion = {"still": "not moving", "bounce": "bouncing"}.get(
        scene.motion, words.MOTIONS[scene.motion][1 if scene.motion in ("left", "right") else 0]
    )
    article = "an" if thing[0] in "aeiou" else "a"
    where = words.BACKGROUNDS[scene.background][0]
    if scene.background in words.PLAIN_BACKGROUNDS:
        where = f"on {'an' if where[0] in 'aeiou' else 'a'} {where}"
    return f"{article} {thing} {motion} {where}"


def _plainest(phrases: Sequence[str]) -> str:
    return phrases[0]


def _place(scene: Scene, choose: Choose, rng: np.random.Generator) -> str:
    where = choose(words.BACKGROUNDS[scene.background])
    if not where.endswith("background"):
        return where
    article = "an" if where[0] in "aeiou" else "a"
    lead = str(rng.choice(["on", "on", "on", "in front of", "against", "with"]))
    return f"{lead} {article} {where}"


def _arrange(thing: str, motion: str, where: str, rng: np.random.Generator) -> str:
    pattern = int(rng.integers(6))
    if pattern == 0 and where:
        return f"{where}, {thing} {motion}"
    if pattern == 1:
        return ", ".join(part for part in (thing.split(" ", 1)[1], motion, where) if part)
    if pattern == 2:
        return f"{thing} {where}, {motion}" if motion else f"{thing} {where}"
    if pattern == 3:
        return f"a video of {thing} {motion} {where}"
    return f"{thing} {motion} {where}"


def _trajectory(
    scene: Scene, frames: int, offset: int, height: float, width: float
) -> tuple[Array, Array, Array, Array]:
    """x, y, radius and angle of each frame, (frames,) each; x and y from the picture's centre."""
    time = np.arange(frames, dtype=np.float32) + offset
    progress = np.arange(frames, dtype=np.float32) / max(frames - 1, 1)
    x: Array = np.full(frames, scene.x, np.float32)
    y: Array = np.full(frames, scene.y, np.float32)
    radius: Array = np.full(frames, scene.radius, np.float32)
    angle: Array = np.zeros(frames, np.float32)
    reach_x = REACH * max(width / 2 - scene.radius - 0.02, 0.16)
    reach_y = REACH * max(height / 2 - scene.radius - 0.02, 0.16)
    match scene.motion:
        case "left":
            x = x * 0.4 + reach_x * (1 - 2 * progress)
        case "right":
            x = x * 0.4 - reach_x * (1 - 2 * progress)
        case "up":
            y = y * 0.4 + reach_y * (1 - 2 * progress)
        case "down":
            y = y * 0.4 - reach_y * (1 - 2 * progress)
        case "bounce":
            swing = (time % BOUNCE_FRAMES) / BOUNCE_FRAMES * 2 - 1
            height_now = 1 - (1 - np.abs(swing)) * (1 + np.abs(swing))
            y = y * 0.3 + reach_y - 2 * reach_y * height_now
        case "spin":
            angle = time * np.float32(2 * math.pi / SPIN_FRAMES)
        case "grow":
            radius = radius * (0.65 + 0.6 * progress)
        case "shrink":
            radius = radius * (1.25 - 0.6 * progress)
    return (
        x.astype(np.float32),
        y.astype(np.float32),
        radius.astype(np.float32),
        angle.astype(np.float32),
    )


def _paint_background(scene: Scene, rows: Array, columns: Array, short: int) -> Array:
    """(height, width, 3) float32 in 0…255."""
    down = ((rows - rows[0]) / max(float(rows[-1] - rows[0]), 1e-6))[:, None]
    if scene.background in PALETTE:
        flat = np.asarray(PALETTE[scene.background], np.float32)
        even: Array = np.broadcast_to(flat, (rows.size, columns.size, 3)).astype(np.float32)
        dimmed: Array = even * (1.04 - 0.1 * down)[..., None].astype(np.float32)
        return dimmed
    stops = [np.asarray(stop, np.float32) for stop in _SKYLINES[scene.background]]
    if len(stops) == 4:
        horizon = 0.66
        above = np.clip(down / horizon, 0, 1)
        below = np.clip((down - horizon) / (1 - horizon), 0, 1)
        edge = np.clip((down - horizon) * rows.size + 0.5, 0, 1)
        column = (stops[0] + (stops[1] - stops[0]) * above) * (1 - edge) + (
            stops[2] + (stops[3] - stops[2]) * below
        ) * edge
    else:
        column = stops[0] + (stops[1] - stops[0]) * down
    picture = np.repeat(column[:, None, :], columns.size, axis=1).astype(np.float32)
    if scene.background == "night":
        picture += _stars(scene.stars_seed, rows, columns, short)[..., None]
    if scene.background == "sky":
        picture += _clouds(rows, columns)[..., None] * (255 - picture) * 0.75
    return picture


def _stars(seed: int, rows: Array, columns: Array, short: int) -> Array:
    rng = np.random.default_rng(seed)
    glow = np.zeros((rows.size, columns.size), np.float32)
    for _ in range(9):
        x = rng.uniform(-0.5, 0.5) * columns.size / short
        y = rng.uniform(-0.5, 0.5) * rows.size / short
        distance = np.hypot(columns[None, :] - x, rows[:, None] - y) * short
        glow += 210 * np.clip(1.9 - distance * 96 / short, 0, 1).astype(np.float32)
    return glow


def _clouds(rows: Array, columns: Array) -> Array:
    cover = np.zeros((rows.size, columns.size), np.float32)
    puffs = ((-0.28, -0.3, 0.13), (-0.14, -0.28, 0.1), (0.3, -0.12, 0.1), (0.2, -0.1, 0.12))
    for x, y, size in puffs:
        distance = np.hypot((columns[None, :] - x) / 1.6, rows[:, None] - y) / size
        cover = np.maximum(cover, np.clip(1.6 - 1.6 * distance, 0, 1).astype(np.float32))
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
