"""Ways to write words so that a filter may miss them, while people and models still read them."""

from __future__ import annotations

from collections.abc import Callable

_LOOKALIKES = str.maketrans("aceopxyisj", "асеорхуіѕј")
_LEET = str.maketrans("aeiost", "431057")


def _each_word(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: " ".join(map(change, text.split()))


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _bold(text: str) -> str:
    return "".join(chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c for c in text.lower())


TEN: dict[str, Callable[[str], str]] = {
    "invisible": "\u200b".join,
    "full width": _full_width,
    "bold letters": _bold,
    "piled marks": lambda text: "".join(f"{c}\u0336\u0315" if c.isalpha() else c for c in text),
    "lookalikes": lambda text: text.translate(_LOOKALIKES),
    "leet": lambda text: text.translate(_LEET),
    "spaced": _each_word(" ".join),
    "dotted": _each_word(".".join),
    "repeated": lambda text: "".join(3 * c if c.isalpha() else c for c in text),
    "backwards": lambda text: text[::-1],
}

MORE: dict[str, Callable[[str], str]] = {
    "dashed": _each_word("-".join),
    "emoji between": _each_word("🔥".join),
    "underlined": "_".join,
    "circled": lambda text: "".join(
        chr(0x24D0 + ord(c) - 97) if "a" <= c <= "z" else c for c in text.lower()
    ),
    "changing case": lambda text: "".join(
        c.upper() if at % 2 else c.lower() for at, c in enumerate(text)
    ),
    "soft hyphens": "\u00ad".join,
    "words backwards": _each_word(lambda word: word[::-1]),
    "doubled": lambda text: "".join(2 * c if c.isalpha() else c for c in text),
}
