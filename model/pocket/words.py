"""The words that pocket was trained on. Pure text: knows nothing of torch, pictures or weights.

Every concept has a plain name and the phrasings that captions used for it. The renderer's captions,
the tokenizer's vocabulary and the card's "It understood: …" all come from these tables, so a word
that is reported as understood is one that the model has really been shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

Phrases: TypeAlias = Mapping[str, tuple[str, ...]]

COLOURS: Phrases = {
    "red": ("red", "scarlet", "crimson"),
    "orange": ("orange",),
    "yellow": ("yellow", "golden"),
    "green": ("green",),
    "cyan": ("cyan", "turquoise", "teal"),
    "blue": ("blue",),
    "purple": ("purple", "violet"),
    "pink": ("pink", "magenta"),
    "white": ("white",),
    "black": ("black",),
}

SHAPES: Phrases = {
    "ball": ("ball", "circle", "sphere", "disc"),
    "square": ("square", "box", "block", "cube"),
    "triangle": ("triangle",),
    "diamond": ("diamond", "rhombus"),
    "star": ("star",),
    "heart": ("heart",),
    "ring": ("ring", "donut", "hoop"),
    "moon": ("moon", "crescent"),
    "cross": ("cross", "plus"),
}

MOTIONS: Phrases = {
    "still": ("standing still", "not moving", "at rest", "resting", "still"),
    "bounce": ("bouncing up and down", "bouncing", "bounces", "jumping", "jumps", "hopping"),
    "left": ("moving to the left", "moving left", "moves left", "sliding left", "going left"),
    "right": ("moving to the right", "moving right", "moves right", "sliding right", "going right"),
    "up": ("moving up", "moves up", "rising", "rises", "flying up", "floating up", "going up"),
    "down": ("moving down", "moves down", "sinking", "sinks", "going down"),
    "fall": ("falling down", "falling", "falls", "dropping", "drops"),
    "spin": ("spinning", "spins", "rotating", "rotates", "turning"),
    "grow": ("growing", "grows", "getting bigger", "getting larger"),
    "shrink": ("shrinking", "shrinks", "getting smaller"),
    "orbit": ("going in circles", "circling", "moving in a circle", "orbiting", "orbits"),
    "swing": ("swinging like a pendulum", "swinging", "swings", "swaying"),
    "roll left": ("rolling to the left", "rolling left", "rolls left"),
    "roll right": ("rolling to the right", "rolling right", "rolls right", "rolling", "rolls"),
    "collide": ("bumping into each other", "colliding", "collide", "bump into each other"),
}

CAMERA: Phrases = {
    "pan left": ("camera pans left", "camera panning left", "pan left"),
    "pan right": ("camera pans right", "camera panning right", "pan right"),
    "tilt up": ("camera tilts up", "camera tilting up", "tilt up"),
    "tilt down": ("camera tilts down", "camera tilting down", "tilt down"),
    "zoom in": ("camera zooms in", "camera zooming in", "zoom in"),
    "zoom out": ("camera zooms out", "camera zooming out", "zoom out"),
    "roll left": ("camera rolls left", "camera rolling left"),
    "roll right": ("camera rolls right", "camera rolling right"),
    "orbit left": ("camera orbits left", "camera orbiting left", "orbit left"),
    "orbit right": ("camera orbits right", "camera orbiting right", "orbit right"),
}

RELATIONS: Phrases = {
    "left of": ("left of", "to the left of"),
    "right of": ("right of", "to the right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
    "beside": ("next to", "beside", "and"),
}
"""Where the first of two things is, seen from the second; "beside" is to its left."""

TEXTURES: Phrases = {
    "striped": ("striped",),
    "spotted": ("spotted", "dotted"),
}

SCENERY: Phrases = {
    "sky": ("in the sky", "in a blue sky", "sky background"),
    "sea": ("over the sea", "above the sea", "at the sea", "over the ocean", "sea background"),
    "grass": ("on the grass", "over grass", "in a meadow", "grass background"),
    "night": ("at night", "in the night sky", "under the stars", "night background"),
    "sunset": ("at sunset", "in the sunset", "at dusk", "sunset background"),
}

PLAIN_BACKGROUNDS: Phrases = {
    name: tuple(f"{word} background" for word in words)
    for name, words in {**COLOURS, "grey": ("grey", "gray")}.items()
}

SIZES: Phrases = {
    "small": ("small", "little", "tiny"),
    "big": ("big", "large", "huge"),
}

BACKGROUNDS: Phrases = {**PLAIN_BACKGROUNDS, **SCENERY}

VOCABULARY: Mapping[str, Phrases] = {
    "size": SIZES,
    "texture": TEXTURES,
    "colour": COLOURS,
    "shape": SHAPES,
    "motion": MOTIONS,
    "relation": {name: phrases for name, phrases in RELATIONS.items() if name != "beside"},
    "camera": CAMERA,
    "background": BACKGROUNDS,
}

_GLUE = (
    "a an the on in of is that which and with in front against it one scene video clip animation "
    "showing background both next beside other around camera , . :"
)


@cache
def lexicon() -> tuple[str, ...]:
    """Every single word that the tokenizer knows, sorted: the tables' words and the glue."""
    words = set(_GLUE.split())
    for phrases in VOCABULARY.values():
        for phrasings in phrases.values():
            for phrasing in phrasings:
                words.update(phrasing.split())
    return tuple(sorted(words))


_SMALL_WORDS = frozenset(
    f"{_GLUE} as at be by for from has have he her his i into its like me my no not off onto or "
    "out over please she so some than their them then there they this those these to up down we "
    "while you your are was were has very just make show".split()
)
"""Words that say nothing of what is to be seen."""

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_TOKEN = re.compile(r"[^\W_]+|[^\s\w]|_")


def count_tokens(prompt: str) -> int:
    """How many tokens a prompt is to pocket: each word and each mark of punctuation."""
    return len(_TOKEN.findall(prompt))


def heard(prompt: str, most: int) -> str:
    """What pocket hears of a prompt, at most so many tokens.

    Of one that is too long only the words that it knows, and of these the first.

    >>> heard("A red, really red ball", 6), heard("A red, really red ball", 4)
    ('A red, really red ball', 'a red , red')
    """
    if count_tokens(prompt) <= most:
        return prompt
    known = [token for token in _TOKEN.findall(prompt.lower()) if token in lexicon()]
    return " ".join(known[: max(most, 0)])


@cache
def _phrase_pattern() -> re.Pattern[str]:
    every = {
        phrasing
        for phrases in VOCABULARY.values()
        for phrasings in phrases.values()
        for phrasing in phrasings
    }
    longest_first = sorted(every, key=lambda phrase: (-len(phrase), phrase))
    alternatives = "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in longest_first)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")


def understood(prompt: str) -> tuple[str, ...]:
    """The phrases of `prompt` that the model knows, in order, each once.

    >>> understood("A red ball bouncing on a blue background, cinematic")
    ('red', 'ball', 'bouncing', 'blue background')
    """
    matches = _phrase_pattern().finditer(prompt.lower())
    return tuple(dict.fromkeys(" ".join(match.group().split()) for match in matches))


def missed(prompt: str) -> tuple[str, ...]:
    """The words of `prompt` that say something and that the model does not know, each once.

    >>> missed("A red ball in the starry night, and snow")
    ('starry', 'night', 'snow')
    """
    rest = _phrase_pattern().sub(" ", prompt.lower())
    return tuple(
        dict.fromkeys(w for w in _WORD.findall(rest) if len(w) > 1 and w not in _SMALL_WORDS)
    )


def concepts(prompt: str) -> dict[str, str]:
    """What the known words ask for: kind → plain name, the first of each kind.

    >>> concepts("a crimson ball rises at night")
    {'colour': 'red', 'shape': 'ball', 'motion': 'up', 'background': 'night'}
    """
    asked: dict[str, str] = {}
    for phrase in understood(prompt):
        for kind, phrases in VOCABULARY.items():
            for name, phrasings in phrases.items():
                if phrase in phrasings:
                    asked.setdefault(kind, name)
    return asked
