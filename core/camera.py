"""The grammar of camera moves: "pan right", "slow zoom in", "orbit left 20°", "tilt up 7".

One grammar serves every model; how a move is carried out is the model's affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import BadPrompt

DIRECTIONS: dict[str, tuple[str, ...]] = {
    "pan": ("left", "right"),
    "tilt": ("up", "down"),
    "zoom": ("in", "out"),
    "dolly": ("in", "out"),
    "orbit": ("left", "right"),
    "roll": ("left", "right"),
    "crane": ("up", "down"),
    "handheld": (),
    "static": (),
}
FULL_DEGREES = {"pan": 30.0, "tilt": 20.0, "orbit": 40.0, "roll": 30.0}
"""The angle of a move at strength 10."""

DEFAULT_STRENGTH = 5.0
_PACE = {
    "very slow": 1.5, "very slowly": 1.5, "slow": 2.5, "slowly": 2.5, "gentle": 2.5,
    "gently": 2.5, "subtle": 2.0, "steady": 5.0, "fast": 8.0, "quick": 8.0, "quickly": 8.0,
    "strong": 8.0, "dramatic": 9.0,
}  # fmt: skip
_PACE_PATTERN = "|".join(sorted(_PACE, key=len, reverse=True))
_WORDS = {
    "pan": "pan", "pans": "pan", "panning": "pan",
    "tilt": "tilt", "tilts": "tilt", "tilting": "tilt",
    "zoom": "zoom", "zooms": "zoom", "zooming": "zoom",
    "dolly": "dolly", "dollies": "dolly", "dollying": "dolly",
    "push": "dolly", "pushes": "dolly", "pushing": "dolly",
    "pull": "dolly", "pulls": "dolly", "pulling": "dolly",
    "orbit": "orbit", "orbits": "orbit", "orbiting": "orbit",
    "roll": "roll", "rolls": "roll", "rolling": "roll",
    "crane": "crane", "cranes": "crane", "pedestal": "crane",
    "handheld": "handheld", "static": "static", "still": "static",
}  # fmt: skip
_SYNONYMS = {"clockwise": "right", "counterclockwise": "left", "anticlockwise": "left",
             "closer": "in", "back": "out", "forward": "in", "forwards": "in",
             "backward": "out", "backwards": "out"}  # fmt: skip
_MOVE = re.compile(
    rf"(?:(?P<before>{_PACE_PATTERN})\s+)?"
    rf"(?P<kind>{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
    rf"(?:\s+(?P<middle>{_PACE_PATTERN}))?"
    rf"(?:[\s-]+(?:to\s+the\s+)?(?P<direction>left|right|up|down|in|out|{'|'.join(_SYNONYMS)})"
    r"(?:wards?)?)?"
    r"(?:\s+(?P<amount>\d+(?:\.\d+)?)\s*(?P<unit>°|deg(?:rees)?)?)?"
    rf"(?:\s+(?P<after>{_PACE_PATTERN}))?",
    re.IGNORECASE,
)
_PROSE = re.compile(rf"(?<![\w-]){_MOVE.pattern}(?![\w-])", re.IGNORECASE)
_DOUBTFUL = frozenset({
    "roll", "rolls", "rolling", "orbit", "orbits", "orbiting", "crane", "cranes", "static", "still",
    "pan", "push", "pushes", "pushing", "pull", "pulls", "pulling",
})  # fmt: skip
"""Words that as often speak of the subject ("a frying pan left on the stove"): in prose they count
after "camera", with a pace before them, or where a direction follows at the start of a clause."""
_ROLLING = frozenset({"rolls", "rolling", "orbits", "orbiting"})
"""Of these, what a subject does even then ("a ball, slowly rolling left"): only after "camera"."""

MAX_MOVES = 6
"""Moves that may be combined."""


@dataclass(frozen=True, slots=True)
class CameraMove:
    """One move. strength 0 to 10; direction is "" where the kind has none."""

    kind: str
    direction: str = ""
    strength: float = DEFAULT_STRENGTH

    def __str__(self) -> str:
        return f"{self.kind} {self.direction}".strip()


def names() -> tuple[str, ...]:
    """Every move by its plain name, in the order they are taught."""
    return tuple(
        f"{kind} {direction}".strip()
        for kind, directions in DIRECTIONS.items()
        for direction in directions or ("",)
    )


def parse(text: str) -> tuple[CameraMove, ...]:
    """The moves in the value of `--camera`: one, or several joined by "+", "," or "and".

    Raises BadPrompt with the moves that exist.
    """
    parts = [part.strip() for part in re.split(r"[+,]|\band\b", text) if part.strip()]
    if not parts:
        raise _unknown(text)
    if len(parts) > MAX_MOVES:
        raise BadPrompt(
            f"Up to {MAX_MOVES} camera moves can be combined; you asked for {len(parts)}.",
            flag="camera",
        )
    moves = []
    for part in parts:
        found = _MOVE.fullmatch(re.sub(r"^(?:the\s+)?camera\s+", "", part, flags=re.IGNORECASE))
        if found is None:
            raise _unknown(part)
        moves.append(_move(found, part))
    return tuple(moves)


def find(prose: str) -> tuple[CameraMove, ...]:
    """The camera moves that a sentence speaks of, in its order; () where it speaks of none.

    "the camera slowly pans right over the bay" → (pan right, strength 2.5)
    """
    return tuple(move for _, move in _spoken(prose))[:MAX_MOVES]


def without(prose: str) -> str:
    """The sentence without the moves that `find` finds in it."""
    for found, _ in reversed(list(_spoken(prose))):
        prose = f"{prose[: found.start()]} {prose[found.end() :]}"
    return prose


def _spoken(prose: str) -> Iterator[tuple[re.Match[str], CameraMove]]:
    for found in _PROSE.finditer(prose):
        word = found["kind"].lower()
        if DIRECTIONS[_WORDS[word]] and not found["direction"]:
            continue
        if word in _DOUBTFUL and not _is_meant(prose, found, word):
            continue
        try:
            move = _move(found, found.group())
        except BadPrompt:
            continue
        yield found, move


def _is_meant(prose: str, found: re.Match[str], word: str) -> bool:
    """Whether a doubtful word in prose is the camera's: by "camera", a pace, or a clause of its
    own."""
    before = prose[: found.start()].rstrip()
    after = prose[found.end() :].lstrip()
    if re.search(r"\bcamera(?:\s+\w+)?$", before[-40:], re.IGNORECASE):
        return True
    if re.search(r"\b(?:and|then)$", before[-40:], re.IGNORECASE) and "camera" in before.lower():
        return True
    if word in _ROLLING:
        return False
    if found["before"]:
        return True
    if not found["direction"]:
        return after[:6].lower() == "camera" or not (before or after)
    return not before or before[-1] in ",;.:!?"


def _move(found: re.Match[str], text: str) -> CameraMove:
    kind = _WORDS[found["kind"].lower()]
    spoken = (found["direction"] or "").lower()
    direction = _SYNONYMS.get(spoken, spoken)
    if direction not in (DIRECTIONS[kind] or ("",)):
        options = tuple(f"{kind} {d}".strip() for d in DIRECTIONS[kind] or ("",))
        raise BadPrompt(
            f'"{text}" is not a camera move. Write {" or ".join(options)}. '
            "Behind --camera it goes in quotes.",
            flag="camera",
            allowed=options,
        )
    pace = next((found[g] for g in ("before", "middle", "after") if found[g]), None)
    strength = _PACE[pace.lower()] if pace else DEFAULT_STRENGTH
    if found["amount"]:
        amount = float(found["amount"])
        if found["unit"]:
            full = FULL_DEGREES.get(kind)
            if full is None:
                raise BadPrompt(
                    f"{kind} has no angle: give a strength from 0 to 10.", flag="camera"
                )
            if amount > full:
                raise BadPrompt(
                    f"{kind} goes up to {full:g}°; you asked for {amount:g}°.", flag="camera"
                )
            amount = amount / full * 10
        if amount > 10:
            raise BadPrompt(
                f"A camera move has a strength from 0 to 10; you asked for {amount:g}.",
                flag="camera",
            )
        strength = amount
    return CameraMove(kind, direction, strength)


def _unknown(text: str) -> BadPrompt:
    allowed = names()
    return BadPrompt(
        f'"{text[:80]}" is not a camera move. There are: {", ".join(allowed)}; '
        'with a strength from 0 to 10 if you like, as in --camera "pan right 7".',
        flag="camera",
        allowed=allowed,
    )
