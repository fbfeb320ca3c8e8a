"""Whether clips show what was asked: a verdict on each, shares and confusions over all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from model.pocket import sight
from model.pocket.asked import Asked
from model.pocket.sight import Seen

ROUND: Final = frozenset({"ball", "ring"})
"""Shapes whose turning can't be seen: rolling, they only move along."""

LOOSELY: Final = {"fall": "down", "roll left": "left", "roll right": "right"}
"""Motions that count as their plainer likes where it is only the way that counts."""

OPPOSITE: Final = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
}


def verdict(asked: Asked, seen: Seen) -> dict[str, bool]:
    """For each thing that was asked, whether the clip shows it."""
    largest = {asked.things[0].colour: seen.things[0]} if seen.things else {}
    named = {thing.colour: thing for thing in seen.things}
    found = largest if len(asked.things) == 1 else named
    pairs = [(thing, found.get(thing.colour)) for thing in asked.things]
    rolls_unseen = asked.motion.startswith("roll") and asked.things[0].shape in ROUND
    wanted = _loosely(asked.motion) if rolls_unseen else asked.motion

    def alike(part: str) -> bool:
        return all(there and getattr(there, part) == getattr(thing, part) for thing, there in pairs)

    right = {
        **{part: alike(part) for part in ("colour", "shape", "texture")},
        "background": seen.background == asked.background,
        "motion": seen.motion == wanted,
        "motion_loosely": _loosely(seen.motion) == _loosely(wanted),
        "camera": seen.camera == asked.camera,
    }
    if asked.relation:
        right["relation"] = _is_related(asked, seen)
    return right


def _loosely(motion: str) -> str:
    return LOOSELY.get(motion, motion)


def _is_related(asked: Asked, seen: Seen) -> bool:
    if {thing.colour for thing in seen.things} != {thing.colour for thing in asked.things}:
        return False
    turned = seen.things[0].colour != asked.things[0].colour
    relation = OPPOSITE[seen.relation] if turned else seen.relation
    beside = asked.relation == "beside" and relation in ("left of", "right of")
    return beside or relation == asked.relation


def score(asked: Sequence[Asked], seen: Sequence[Seen]) -> dict[str, float]:
    """Shares of clips that show what was asked.

    "colour", "shape", "texture", "background", "motion" and "at_rest" (no camera move seen) over
    those of one thing before a camera at rest; "camera" over those with a camera move; the rest of
    these two kinds and of the pairs as "camera_…" and "pair_…". What was never asked is left out.
    """
    rights: dict[str, list[bool]] = {}
    for one, what in zip(asked, seen, strict=True):
        for name, right in verdict(one, what).items():
            rights.setdefault(_figure(one.kind, name), []).append(right)
    return {name: sum(which) / len(which) for name, which in rights.items()}


def _figure(kind: str, name: str) -> str:
    if kind == "camera":
        return "camera" if name == "camera" else f"camera_{name}"
    name = "at_rest" if name == "camera" else name
    return name if kind == "one" else f"{kind}_{name}"


def confusions(asked: Sequence[Asked], seen: Sequence[Seen]) -> dict[str, dict[str, Counter[str]]]:
    """For shapes and motions of one thing, and camera moves: asked → how often what was seen."""
    tables: dict[str, dict[str, Counter[str]]] = {"shape": {}, "motion": {}, "camera": {}}
    for one, what in zip(asked, seen, strict=True):
        if one.kind == "one":
            shape = what.things[0].shape if what.things else "nothing"
            tables["shape"].setdefault(one.things[0].shape, Counter())[shape] += 1
            tables["motion"].setdefault(one.motion, Counter())[what.motion or "nothing"] += 1
        if one.kind == "camera":
            tables["camera"].setdefault(one.camera, Counter())[what.camera or "at rest"] += 1
    return {name: dict(sorted(table.items())) for name, table in tables.items()}


def wrong(asked: Asked, seen: Seen) -> str:
    """What is seen instead of what was asked, in a line or two; "" where all is right."""
    right = verdict(asked, seen)
    told = {"background", "motion", "camera", "relation"}
    parts = [
        f"{name} {getattr(asked, name) or 'none'}, seen {getattr(seen, name) or 'none'}"
        for name, fine in right.items()
        if not fine and name in told
    ]
    lines = ["; ".join(parts)] if parts else []
    if not (right["colour"] and right["shape"] and right["texture"]):
        lines.insert(0, f"seen {_listed(seen.things)}")
    return "\n".join(lines)


def _listed(things: Sequence[sight.Thing]) -> str:
    named = [" ".join(f"{t.texture} {t.colour} {t.shape}".split()) for t in things]
    return " and ".join(named) or "nothing"
