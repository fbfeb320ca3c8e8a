"""Words and phrases as operators write them: `nude`, `boobs?`, `decapitat*`, `naked eye`.

    nude                  the word, as a whole
    boobs?                with the letter before ?, or without
    decapitat*            whatever it ends in
    naked eye             one behind the other; what stands between them are no letters
    tea ?pot              in one word, too
    cut .. throat         up to four words between
    (cut|slit) .. throat  either
    {kill} .. dead        one of a set, which the file names

In languages without spaces a word counts inside others, too. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from typing import Generic, TypeVar

from core.safety.normalise import plain

K = TypeVar("K", bound=Hashable)
Span = tuple[int, int]

MOST_BEGINNINGS = 10_000
"""In how many ways a phrase may begin."""

_SET = re.compile(r"\{(\w+)\}")
_PIECE = re.compile(r" \.\. | \?|[ *?()|]|[^ *?()|]+")
_MEANING = {
    " .. ": r"(?:[\W_]+[^\W_]+){0,4}?[\W_]+", " ": r"[\W_]+", " ?": r"[\W_]*",
    "*": r"[^\W_]*", "?": "?", "(": "(?:", "|": "|", ")": ")",
}  # fmt: skip
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[\u2e80-\U0010ffff]")
_NUMERALS = "0-9〇一二三四五六七八九十百"
_NUMBER = re.compile(rf"\(*[{_NUMERALS}]")


class BadPattern(ValueError):
    """Says what is wrong with a word or phrase."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """source: a regular expression for normalised text, compiled when it is needed first. begins:
    with one of these any text must have a word that it is found at, a * for any ending; empty where
    it may begin inside a word."""

    written: str
    source: str
    begins: tuple[str, ...]

    @property
    def regex(self) -> re.Pattern[str]:
        """Raises BadPattern."""
        try:
            return _compiled(self.source)
        except re.error as error:
            raise BadPattern(f'"{self.written}" can\'t be read: {error.msg}.') from None


@lru_cache(maxsize=16384)
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)


def pattern(written: str, sets: Mapping[str, Sequence[str]], *, spaced: bool = True) -> Pattern:
    """spaced: whether the language has spaces between words. Raises BadPattern."""
    text = _SET.sub(lambda found: _alternatives(found[1], written, sets), _clean(written))
    if not _WORD.search(text) and text.isascii():
        raise BadPattern(f'"{written}" holds no letters.')
    regex = "".join(_MEANING.get(piece) or re.escape(piece) for piece in _PIECE.findall(text))
    if not spaced:
        whole = f"(?<![{_NUMERALS}])" if _NUMBER.match(text) else ""
        return Pattern(written, f"{whole}(?:{regex})", ())
    every = (begin for one in _expanded(text) for begin in _begins(one))
    begins = set(islice(every, MOST_BEGINNINGS + 1))
    if next(every, None) is not None:
        raise BadPattern(f'"{written}" can be written in too many ways: make two of it.')
    if "" in begins or "*" in begins:
        raise BadPattern(f'"{written}" has to begin with letters.')
    return Pattern(written, rf"(?<![^\W_])(?:{regex})(?![^\W_])", tuple(sorted(begins)))


def _clean(written: str) -> str:
    return " ".join(plain(written).replace("-", " ").split())


def _alternatives(name: str, written: str, sets: Mapping[str, Sequence[str]]) -> str:
    if name not in sets:
        raise BadPattern(f'"{written}" names the set {{{name}}}, which is not in the file.')
    return f"({'|'.join(map(_clean, sets[name]))})"


def _expanded(text: str) -> Iterator[str]:
    """The ways that its first word may be written, with what follows as it is."""
    first = text.find("(")
    if first < 0 or " " in text[:first].replace(" ?", ""):
        yield text
        return
    depth, ends = 0, [first]
    for at in range(first, len(text)):  # an unclosed one is found by `Pattern.regex`
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0 or (depth == 1 and text[at] == "|"):
            ends.append(at)
        if depth == 0:
            break
    rest = text[ends[-1] + 1 :]
    for begin, end in pairwise(ends):
        yield from _expanded(text[:first] + text[begin + 1 : end] + rest)


def _begins(text: str) -> Iterator[str]:
    """The first word of a text without alternatives, or its stem with a * behind."""
    before, gap, behind = text.partition(" ?")
    if gap and " " not in before:
        yield from _begins(f"{before} {behind}")
        yield from _begins(before + behind)
        return
    word = text.split(" ")[0]
    before, mark, behind = word.partition("?")
    if mark:
        yield from _begins(before + behind)
        yield from _begins(before[:-1] + behind)
        return
    stem, star, _ = word.partition("*")
    letters = _WORD.match(stem)
    begin = letters[0] if letters else ""
    yield f"{begin}*" if star and begin == stem else begin


class Finder(Generic[K]):
    """Where patterns stand in a text, by what each belongs to: quick, however many there are."""

    def __init__(self, patterns: Iterable[tuple[K, Pattern]]) -> None:
        self._words: dict[str, list[tuple[K, Pattern]]] = {}
        self._stems: dict[str, list[tuple[K, Pattern]]] = {}
        self._inside: dict[K, list[str]] = {}
        for key, one in patterns:
            for begin in one.begins:
                to = self._stems if begin.endswith("*") else self._words
                to.setdefault(begin.removesuffix("*"), []).append((key, one))
            if not one.begins:
                self._inside.setdefault(key, []).append(one.source)
        self._lengths = sorted({len(stem) for stem in self._stems})

    def find(self, text: str) -> dict[K, list[Span]]:
        """text: normalised."""
        found: dict[K, list[Span]] = {}
        for key, regex in self._likely(text):
            spans = [one.span() for one in regex.finditer(text)]
            if spans:
                found.setdefault(key, []).extend(spans)
        return found

    def _likely(self, text: str) -> Iterator[tuple[K, re.Pattern[str]]]:
        seen: set[tuple[K, str]] = set()
        for word in set(_WORD.findall(text)):
            begun = [self._words.get(word, ())]
            begun += [self._stems.get(word[:n], ()) for n in self._lengths if n <= len(word)]
            for key, one in (each for some in begun for each in some):
                if (key, one.source) not in seen:
                    seen.add((key, one.source))
                    yield key, one.regex
        if _UNSPACED.search(text):
            for key, sources in self._inside.items():
                yield key, _compiled("|".join(sources))


def without(spans: Iterable[Span], allowed: Iterable[Span]) -> list[Span]:
    """Those that touch nothing that is allowed."""
    free = list(allowed)
    return [span for span in spans if all(span[1] <= a or b <= span[0] for a, b in free)]
