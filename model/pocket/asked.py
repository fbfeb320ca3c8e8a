"""What the judge asks for: prompts whose combinations were held out of training, and what their
clips should show. The scenes supply the words; nothing is drawn here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.pocket import scenes, sight

SHARES: Final = {"one": 2 / 3, "camera": 1 / 5, "pair": 2 / 15}
"""Of all prompts: one thing before a camera at rest, one with a camera move, two things."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt and what its clip should show."""

    prompt: str
    kind: str
    """A name in SHARES."""
    things: tuple[sight.Thing, ...]
    background: str
    motion: str
    camera: str
    relation: str
    """Where the first of two things should be, seen from the second; "" where nothing was said."""


def asked_of(scene: scenes.Scene, kind: str) -> Asked:
    """What the plain caption of a scene asks for."""
    related = len(scene.things) == 2 and scene.motion not in ("orbit", "collide")
    return Asked(
        prompt=scenes.plain_caption(scene),
        kind=kind,
        things=tuple(
            sight.Thing(thing.colour, thing.shape, thing.texture) for thing in scene.things
        ),
        background=scene.background,
        motion=scene.motion,
        camera=scene.camera,
        relation=scene.relation if related else "",
    )


def held_out_scenes(count: int, *seed: int) -> list[tuple[str, scenes.Scene]]:
    """(kind, scene) of combinations that training never saw, in the proportions of SHARES."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum([round(share * count) for share in SHARES.values()])
    kinds = [list(SHARES)[min(int(np.searchsorted(ends, i, "right")), 2)] for i in range(count)]
    return [(kind, scenes.sample_scene(rng, held_out=True, kind=kind)) for kind in kinds]


def plain_scenes(count: int, seed: int, motions: Sequence[str] = ()) -> Iterator[scenes.Scene]:
    """Held-out scenes of one thing before a camera at rest, with any motion or one of `motions`."""
    rng = np.random.default_rng([6, seed])
    found = 0
    while found < count:
        scene = scenes.sample_scene(rng, held_out=True, kind="one")
        if not motions or scene.motion in motions:
            found += 1
            yield scene
