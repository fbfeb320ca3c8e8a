"""The training data of pocket: simple animated scenes drawn by formula, with captions.

A scene is a frozen description; `drawing` turns it into pixels and `caption` into words. Nothing is
downloaded and nothing is stored: any number of clips follows from a seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np

from model.pocket import words

Choose: TypeAlias = Callable[[Sequence[str]], str]

CLASHES: Final[dict[str, frozenset[str]]] = {
    "sky": frozenset({"blue", "cyan", "white"}),
    "sea": frozenset({"blue", "cyan", "white"}),
    "grass": frozenset({"green", "cyan", "white"}),
    "night": frozenset({"black", "blue", "purple"}),
    "sunset": frozenset({"purple", "orange", "pink"}),
    "grey": frozenset(),
}
"""Object colours hardly seen in front of a background; a plain one clashes with itself."""


LANDMARKS: Final = ("sky", "sea", "grass", "night", "sunset")
"""Backgrounds with something in them, so that a moving camera is seen to move."""

CAMERA_MOTIONS: Final = ("still", "still", "bounce", "spin")
"""What a thing does while the camera moves."""

PAIR_MOTIONS: Final = ("still", "still", "bounce", "spin", "orbit", "collide", "collide")


@dataclass(frozen=True, slots=True)
class Thing:
    """One object. Lengths are fractions of the picture's shorter side."""

    shape: str
    colour: str
    size: str
    """"small", "medium" or "big"."""
    texture: str
    """"", "striped" or "spotted"."""
    radius: float
    x: float
    """Offset of its middle position from the centre, to the right."""
    y: float
    """The same, downwards."""
    tint: float
    """Brightness of its colour, around 1."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One to three things that move in front of a background, seen by a camera that may move."""

    things: tuple[Thing, ...]
    background: str
    motion: str
    """Of every thing; of the first alone where it orbits the second."""
    relation: str = ""
    """Where the first of two things is, seen from the second."""
    camera: str = ""
    """A name of `words.CAMERA`, or "" for a camera at rest."""

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Scene:
        """From what `dataclasses.asdict` gave."""
        return cls(**{**fields, "things": tuple(Thing(**thing) for thing in fields["things"])})


def is_held_out(shape: str, colour: str, background: str) -> bool:
    """Whether a combination is kept from training, so that the judge can ask for something new.

    About one in ten; depends on the names alone, so that it never changes between runs.
    """
    return zlib.crc32(f"{shape}/{colour}/{background}".encode()) % 10 == 0


def clashes(colour: str, background: str) -> bool:
    return colour == background or colour in CLASHES.get(background, frozenset())


def sample_scene(rng: np.random.Generator, *, held_out: bool = False, kind: str = "") -> Scene:
    """A scene at random; `held_out` draws only from the reserved combinations, else never.

    kind: "one" thing before a camera at rest, "camera", "pair" or "three"; "" draws one of them.
    """
    kind = kind or str(rng.choice(["one", "camera", "pair", "three"], p=[0.66, 0.17, 0.14, 0.03]))
    backgrounds = LANDMARKS if kind == "camera" else tuple(words.BACKGROUNDS)
    background = str(rng.choice(backgrounds))
    match kind:
        case "one":
            motion = str(rng.choice([name for name in words.MOTIONS if name != "collide"]))
        case "camera":
            motion = str(rng.choice(CAMERA_MOTIONS))
        case "pair":
            motion = str(rng.choice(PAIR_MOTIONS))
        case _:
            motion = "still"
    count = {"pair": 2, "three": 3}.get(kind, 1)
    looks: list[tuple[str, str]] = []
    while len(looks) < count:
        shape, colour = str(rng.choice(list(words.SHAPES))), str(rng.choice(list(words.COLOURS)))
        fresh = all(colour != other for _, other in looks)
        if fresh and _suits(shape, colour, background, motion, held_out):
            looks.append((shape, colour))
    scene = compose(rng, looks, background, motion)
    if kind == "camera":
        scene = replace(scene, camera=str(rng.choice(list(words.CAMERA))))
    return scene


def _suits(shape: str, colour: str, background: str, motion: str, held_out: bool) -> bool:
    if clashes(colour, background) or is_held_out(shape, colour, background) is not held_out:
        return False
    return not (motion == "spin" and shape in ("ball", "ring"))


def compose(
    rng: np.random.Generator, looks: Sequence[tuple[str, str]], background: str, motion: str
) -> Scene:
    """The named things (shape, colour) with their accidents (size, place, tint) at random."""
    relation = ""
    if len(looks) == 2:
        relation = "beside"
        if motion not in ("orbit", "collide") and rng.random() < 0.5:
            relation = str(rng.choice(["left of", "right of", "above", "below"]))
    places = _places(len(looks), relation, motion)
    things = tuple(
        _thing(rng, shape, colour, alone=len(looks) == 1, middle=middle)
        for (shape, colour), middle in zip(looks, places, strict=True)
    )
    return Scene(things, background, motion, relation)


def _places(count: int, relation: str, motion: str) -> tuple[tuple[float, float], ...]:
    if count == 1:
        return ((0.0, 0.0),)
    if count == 3:
        return ((-0.31, 0.0), (0.0, 0.0), (0.31, 0.0))
    if motion == "orbit":
        return ((0.0, 0.0), (0.0, 0.0))
    away = 0.24
    x, y = {
        "left of": (-away, 0.0),
        "beside": (-away, 0.0),
        "right of": (away, 0.0),
        "above": (0.0, -away),
        "below": (0.0, away),
    }[relation]
    return ((x, y), (-x, -y))


def _thing(
    rng: np.random.Generator, shape: str, colour: str, *, alone: bool, middle: tuple[float, float]
) -> Thing:
    size = str(rng.choice(["small", "medium", "big"], p=[0.15, 0.7, 0.15])) if alone else "medium"
    base = {"small": 0.15, "medium": 0.23, "big": 0.31}[size] if alone else 0.14
    loose = 1.0 if alone else 0.3
    return Thing(
        shape=shape,
        colour=colour,
        size=size,
        texture=str(rng.choice(["", "striped", "spotted"], p=[0.92, 0.04, 0.04])),
        radius=base * float(rng.uniform(0.93, 1.07)),
        x=middle[0] + loose * float(rng.uniform(-0.07, 0.07)),
        y=middle[1] + loose * float(rng.uniform(-0.05, 0.05)),
        tint=float(rng.uniform(0.94, 1.06)),
    )


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """One of many phrasings; now and then silent about the motion, the background or the size."""

    def pick(phrases: Sequence[str]) -> str:
        return str(rng.choice(list(phrases)))

    first: Choose = _plainest if rng.random() < 0.5 else pick
    things = [_describe(thing, first, rng.random() < 0.9) for thing in scene.things]
    motion = pick(words.MOTIONS[scene.motion])
    if rng.random() < 0.05 or (scene.motion == "still" and rng.random() < 0.4):
        motion = ""
    where = "" if rng.random() < 0.04 else _place(scene.background, first, rng)
    if len(things) == 1:
        text = _arrange(things[0], motion, where, rng)
    else:
        text = f"{_together(things, scene, pick, motion)} {where}"
    if scene.camera and rng.random() < 0.97:
        move = pick(words.CAMERA[scene.camera])
        move = f"the {move}" if move.startswith("camera") and rng.random() < 0.3 else move
        text = f"{move}, {text}" if rng.random() < 0.15 else f"{text}, {move}"
    if rng.random() < 0.12:
        extra = " ".join(["unknownword"] * int(rng.integers(1, 4)))
        text = f"{text}, {extra}" if rng.random() < 0.7 else f"{extra} {text}"
    return " ".join(text.split())


def plain_caption(scene: Scene) -> str:
    """The plainest full wording, as the judge asks for it."""
    things = [_describe(thing, _plainest, True) for thing in scene.things]
    motion = {"still": "not moving", "bounce": "bouncing", "orbit": "going in circles"}.get(
        scene.motion, words.MOTIONS[scene.motion][1 if scene.motion in ("left", "right") else 0]
    )
    where = words.BACKGROUNDS[scene.background][0]
    if scene.background in words.PLAIN_BACKGROUNDS:
        where = f"on {_article(where)} {where}"
    said = things[0] if len(things) == 1 else ""
    text = f"{said} {motion}" if said else _together(things, scene, _plainest, motion)
    camera = f", {words.CAMERA[scene.camera][0]}" if scene.camera else ""
    return f"{text} {where}{camera}"


def _describe(thing: Thing, choose: Choose, with_size: bool) -> str:
    parts = [choose(words.COLOURS[thing.colour]), choose(words.SHAPES[thing.shape])]
    if thing.texture:
        parts.insert(0, choose(words.TEXTURES[thing.texture]))
    if thing.size != "medium" and with_size:
        parts.insert(0, choose(words.SIZES[thing.size]))
    text = " ".join(parts)
    return f"{_article(text)} {text}"


def _together(things: Sequence[str], scene: Scene, choose: Choose, motion: str) -> str:
    """Two or three things in one phrase, the motion where it belongs."""
    if len(things) == 3:
        return f"{things[0]}, {things[1]} and {things[2]} {motion}"
    if scene.motion == "orbit":
        return f"{things[0]} {motion or 'orbiting'} around {things[1]}"
    if scene.motion == "collide":
        return f"{things[0]} and {things[1]} {motion or 'colliding'}"
    relation = choose(words.RELATIONS[scene.relation])
    return f"{things[0]} {relation} {things[1]}{', both ' if motion else ''}{motion}"


def _article(text: str) -> str:
    return "an" if text[0] in "aeiou" else "a"


def _plainest(phrases: Sequence[str]) -> str:
    return phrases[0]


def _place(background: str, choose: Choose, rng: np.random.Generator) -> str:
    where = choose(words.BACKGROUNDS[background])
    if not where.endswith("background"):
        return where
    lead = str(rng.choice(["on", "on", "on", "in front of", "against", "with"]))
    return f"{lead} {_article(where)} {where}"


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
