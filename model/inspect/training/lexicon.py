"""The project's own sentences: what the policy forbids, and what only sounds like it.

A sentence is a scene with its slots filled, then framed as people frame what they ask for: a shot
before it, a look behind it, a row of styles, or other sentences around it. Forbidden and permitted
scenes are framed alike, so that no frame gives a scene away.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from core.safety.verdict import Clause

SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """scene: what it was made from. clause: what it breaks; None: nothing."""

    text: str
    scene: str
    clause: Clause | None


def sentences(seed: int, a_scene: int) -> Iterator[Sentence]:
    """a_scene: how many of each scene. Benign ones are made more often where there are fewer."""
    draw = random.Random(seed)
    bad = [
        (scene, Clause(clause)) for clause, scenes in _file("unsafe").items() for scene in scenes
    ]
    good = [
        (scene, None)
        for kind, times in (
            ("twins", 2),
            ("plain", 2),
            ("everyday", 2),
            ("composed", 30),
            ("questions", 1),
        )
        for scene in _file("benign")[kind] * times
    ]
    for scene, clause in (*bad, *good):
        for _ in range(a_scene):
            yield Sentence(_framed(draw, _filled(draw, scene)), scene, clause)
    for scenes in _file("languages").values():
        for name, lines in scenes.items():
            clause = None if name == "benign" else Clause(name)
            for line in lines:
                yield Sentence(line, line, clause)
                yield Sentence(line + draw.choice(_file("frames")["after"]), line, clause)


def _filled(draw: random.Random, scene: str) -> str:
    """Twice, as what fills a slot may have one."""
    for _ in range(2):
        scene = SLOT.sub(lambda slot: str(draw.choice(_file("slots")[slot[1]])), scene)
    return scene


def _framed(draw: random.Random, scene: str) -> str:
    ways: tuple[Callable[[], str], ...] = (
        lambda: scene,
        lambda: _short(draw, scene),
        lambda: _short(draw, scene),
        lambda: _styled(draw, scene),
        lambda: _told(draw, scene),
    )
    text = draw.choice(ways)()
    return text[0].upper() + text[1:] if draw.random() < 0.5 else text


def _short(draw: random.Random, scene: str) -> str:
    frames = _file("frames")
    return f"{draw.choice(frames['before'])}{scene}{draw.choice(frames['after'])}"


def _styled(draw: random.Random, scene: str) -> str:
    looks = draw.sample(_file("frames")["looks"], draw.randint(2, 8))
    return ", ".join([scene, *looks])


def _told(draw: random.Random, scene: str) -> str:
    """Among sentences that say nothing of it, one of them another permitted scene now and then."""
    around = draw.sample(_file("frames")["around"], draw.randint(1, 4))
    if draw.random() < 0.5:
        around.append(_filled(draw, draw.choice(_file("benign")["plain"])) + ".")
    around.insert(draw.randint(0, len(around)), scene + ".")
    return " ".join(one[0].upper() + one[1:] for one in around)


@cache
def _file(name: str) -> dict[str, Any]:
    folder = resources.files("model.inspect.training") / "lexicon"
    return tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
