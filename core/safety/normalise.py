"""Words as they are meant, whatever they are dressed as: what rules and the head read.

Undone are invisible characters, marks piled on letters, letters in another dress or of another
script, leet, letters set apart (by spaces, dots, emoji), masked ones (n*de), repeats, and text that
runs backwards. Pure. Other scripts stay as they are: a foreign letter is taken for a Latin one only
in a word, or among words, that are Latin otherwise. About 0.1 ms for a prompt.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import resources
from itertools import groupby, pairwise, product

PASSES = 4
"""At most: what is undone may uncover more."""

_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_INVISIBLE = re.compile(
    "[\u115f\u1160\u17b4\u17b5\u180b-\u180e\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e01ef]+"
)
_HAN = "\u3005\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN_APART = re.compile(rf"(?<![{_HAN}])[{_HAN}](?:[ *.\-_·~|/・]{{1,3}}[{_HAN}](?![{_HAN}]))+")
_HAN_MASKED = re.compile(rf"(?<=[{_HAN}])[*\-_·~|]+(?=[{_HAN}])")
_HAN_SPACED = re.compile("(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")
_LATIN = re.compile("[a-zA-Z]")
_LETTERS = re.compile(r"[^\W\d_]+")
_L = "a-z\u0370-\u03ff\u0400-\u052f"
_LD = f"[{_L}0-9]"
_NO = rf"[^\s{_L}0-9\u0590-\u10ff\u1700-\u17ff\u1f00-\u1fff\u3040-\ud7ff]"
_APART = re.compile(
    rf"(?<!{_LD})(?<!{_LD}['’]){_LD}"
    rf"(?:(?P<gap>\s){_LD}(?:(?P=gap){_LD}(?!{_LD}))+|(?:{_NO}{{1,3}}{_LD}){{2,}})(?!{_LD})"
)
_ALONE = re.compile(rf"(?<!{_LD}){_LD}(?!{_LD})")
_BETWEEN = re.compile(rf"(?<={_LD})(?:{_NO}|\s)+(?={_LD})")
_LEET = {
    "0": "o", "1": "i", "2": "z", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b",
    "9": "g", "@": "a", "$": "s", "!": "i", "|": "i", "+": "t",
}  # fmt: skip
_LEET_WORD = re.compile(r"[a-z0-9@$!|+]*[a-z][a-z0-9@$!|+]*")
_LEET_RUN = re.compile(r"(?<![a-z0-9])[a-z0-9@$]*[0-9@$][a-z0-9@$]*(?![a-z0-9])")
_MEASURE = re.compile(
    r"\d+(?:[a-z]|[ap]m|[mckn]m|fps|secs?|mins?|hrs?|bit|st|nd|rd|th|ft|kg|lbs?|mph|px|[kmg]b|hz"
    r"|mp|ml|kw|in|yrs?|yo|ish|way|star|point|piece|speed|part|pack|year|some|man|person)?"
)
_NAME = re.compile(r"\d+[a-z]+|[a-z]+\d+|[a-z]{1,2}\d+[a-z]{0,2}|[a-z]\d[a-z]\d|\d+x\d+|@[a-z0-9]+")
_INSIDE = re.compile(rf"(?<![{_L}])[{_L}]+(?:(?:(?![,;:?'’]){_NO})+[{_L}]+)+")
_GAP = re.compile(r"[\W_]+")
_MASK = re.compile("[*#•]")
_MASKED = re.compile(r"(?<![^\W\d_])[a-z]+(?:[*#•]{1,3}[a-z]+)+|(?<![^\W\d_])[a-z]+[*]{2,3}")
_WORD = re.compile("[a-z]+")
_THRICE = re.compile(r"([^\W\d_])\1\1")
_TWICE = re.compile(r"(?<![a-z])(?:([a-z])\1){2,}(?![a-z])")
_ROMAN = re.compile("[ivx]+|m+")
_SHORT = ("the", "of", "in", "a", "on", "and", "at", "with", "to", "is")
_ENDINGS = ("ing", "ed", "es", "ly", "er", "s", "y")


def normalise(text: str) -> str:
    """Lower case, in Unicode's NFKC form, with single spaces. Normalising twice changes nothing."""
    for _ in range(PASSES):
        before, text = text, _undone(" ".join(plain(text).split()))
        if before == text:
            break
    return text


def _undone(text: str) -> str:
    if not text.isascii():
        text = _HAN_APART.sub(lambda found: _GAP.sub("", found[0]), text)
        text = _HAN_SPACED.sub("", _HAN_MASKED.sub("", text))
    text = _spelt(text)
    text = _APART.sub(_rejoined, text)
    text = _unleeted(text)
    if _MASK.search(text):
        text = _MASKED.sub(_unmasked, text)
    text = _INSIDE.sub(_joined_inside, text)
    text = _joined_beside(text)
    if _THRICE.search(text):
        text = _WORD.sub(_collapsed, text)
    text = _TWICE.sub(_halved, text)
    return _forwards(text)


def plain(text: str) -> str:
    """Every letter in its own dress and in lower case; words stay as they are written."""
    if text.isascii():
        return text.casefold()
    text = _INVISIBLE.sub("", text)
    text = "".join(c for c in text if c in "\t\n" or unicodedata.category(c) not in ("Cf", "Cc"))
    text = unicodedata.normalize("NFKC", text)
    text = "".join(map(_bare, text))
    text = _MARKS.sub("", text).translate(_tables()[0])
    if _LATIN.search(text):
        mostly = 2 * len(_LATIN.findall(text)) >= sum(map(str.isalpha, text))
        text = _LETTERS.sub(lambda found: _one_script(found[0], mostly=mostly), text)
    return unicodedata.normalize("NFKC", text.casefold())


@lru_cache(maxsize=4096)
def _bare(letter: str) -> str:
    """Without its marks, where it is Latin or Greek: Cyrillic й is a letter of its own."""
    apart = unicodedata.normalize("NFD", letter)
    if len(apart) > 1 and (apart[0] < "\u0400" or apart[0] in "еЕ"):
        return apart[0]
    return letter


def _one_script(word: str, *, mostly: bool) -> str:
    """mostly: the text is Latin for the greater part."""
    if word.isascii():
        return word
    _, alike, cyrillic = _tables()
    latin_letters = len(_LATIN.findall(word))
    mixed = latin_letters > 0
    if (mixed or mostly) and all(c.isascii() or ord(c) in alike for c in word):
        latin = word.translate(alike)
        if known(latin.casefold()) or (mixed and mostly) or 2 * latin_letters > len(word):
            return latin
    if mixed and any("\u0400" <= c <= "\u052f" for c in word):
        return word.translate(cyrillic)
    return word


def _spelt(text: str) -> str:
    """What is spelt letter by letter throughout: the gap that is there most stands for none."""
    alone = len(_ALONE.findall(text))
    if alone < 6 or 10 * alone < 7 * sum(map(str.isalnum, text)):
        return text
    gaps = _BETWEEN.findall(text)
    (usual, _), *others = Counter(gaps).most_common()
    if others and (not usual.isspace() or any(gap.isspace() for gap, _ in others)):
        return _BETWEEN.sub(lambda found: _word_gap(found[0], usual), text)
    together = text.replace(usual, "")
    return _WORD.sub(lambda found: _words_of(found[0]), together.casefold())


def _word_gap(gap: str, usual: str) -> str:
    if gap == usual:
        return ""
    kept = "" if usual.isspace() else gap.replace(usual, "").strip()
    return f"{kept} "


def _rejoined(found: re.Match[str]) -> str:
    letters = _GAP.sub("", found[0])
    read = _leet(letters)
    if not letters.isalpha():
        rare = 3 * sum(map(str.isdigit, letters)) <= 2 * len(letters)
        return read if rare and known(read) else found[0]
    if found["gap"] is None or not read.isascii() or known(read):
        return read
    words = _words_of(read)
    return words if all(map(known, words.split())) else read


def _unleeted(text: str) -> str:
    """Where two words or more are leet, so are digits that make words."""
    words = text.split()
    read = [_leet(word) for word in words]
    if sum(one != other for one, other in zip(words, read, strict=True)) > 1:
        read = [_LEET_RUN.sub(_whole, one) for one in read]
    return " ".join(read)


def _whole(found: re.Match[str]) -> str:
    for ones in product("il", repeat=min(found[0].count("1"), 3)):
        read = _read(found[0], ones)
        if known(read):
            return read
    return found[0]


def _leet(word: str) -> str:
    if word.isalpha():
        return word
    core = word.strip("!,.?;:()[]\"'|+")
    if core.isalpha() or not _LEET_WORD.fullmatch(core) or _MEASURE.fullmatch(core):
        return word
    ones = product("il", repeat=min(core.count("1"), 3))
    reads = [_read(core, letters) for letters in ones]
    read = next(filter(known, reads), None)
    if read is None and (_NAME.fullmatch(core) or 2 * sum(map(str.isdigit, core)) > len(core)):
        return word
    return word.replace(core, read or reads[0], 1)


def _read(word: str, ones: Iterable[str]) -> str:
    """ones: what each 1 stands for."""
    each = iter(ones)
    return "".join(next(each, "i") if c == "1" else _LEET.get(c, c) for c in word)


def _unmasked(found: re.Match[str]) -> str:
    """The word that it can only be, where there is one."""
    shown = re.compile(re.sub("[*#•]", ".", found[0]))
    for words in (_hidden(), _common()):
        fits = [word for word in words if shown.fullmatch(word)]
        if fits:
            return min(fits)
    return found[0]


def _joined_inside(found: re.Match[str]) -> str:
    parts = _GAP.split(found[0])
    joined = "".join(parts)
    return joined if joined in _hidden() or (known(joined) and not all(map(known, parts))) else (
        found[0])  # fmt: skip


def _joined_beside(text: str) -> str:
    """Halves of a word that is worth hiding, where they are no words themselves."""
    words = text.split(" ")
    if not any(one + two in _hidden() for one, two in pairwise(words)):
        return text
    joined: list[str] = []
    for word in words:
        before = joined[-1] if joined else ""
        if before + word in _hidden() and not (known(before) and known(word)):
            joined[-1] += word
        else:
            joined.append(word)
    return " ".join(joined)


def _collapsed(found: re.Match[str]) -> str:
    """One or two of each letter that is repeated, whichever makes a word."""
    word = found[0]
    if not _THRICE.search(word) or _ROMAN.fullmatch(word) or len(set(word)) == 1:
        return word
    runs = [(letter, len(list(same))) for letter, same in groupby(word)]
    if sum(count > 1 for _, count in runs) > 6:
        once = "".join(letter for letter, _ in runs)
        made = [once, *(once[:at] + once[at - 1 :] for at in range(1, min(len(once), 30) + 1))]
    else:
        choices = [(letter,) if n == 1 else (letter, 2 * letter) for letter, n in runs]
        made = ["".join(parts) for parts in product(*choices)]
    listed = (one for one in made if one in _common() or one in _hidden())
    return next(listed, None) or next(filter(known, made), made[0])


def _halved(found: re.Match[str]) -> str:
    half = found[0][::2]
    if len(set(half)) == 1:
        return found[0]
    return half if len(half) > 2 or known(half) else found[0]


def _forwards(text: str) -> str:
    """Turned around, where it reads so."""
    words = [word for word in _WORD.findall(text) if len(word) > 2]
    turned = {word for word in words if known(word[::-1])}
    back = sum(len(word) for word in words if word in turned)
    if len(turned) < 2 or back < 6 or 5 * back < 2 * sum(map(len, words)):
        return text
    if back < 3 * sum(len(word) for word in words if known(word)):
        return text
    whole = text[::-1]
    by_word = _WORD.sub(lambda found: found[0][::-1], text)
    return max(whole, by_word, key=_grammar)


def _grammar(text: str) -> int:
    """How often a little word stands before another, less where one ends the text."""
    words = _WORD.findall(text)
    before = sum(one in _SHORT and two not in _SHORT for one, two in pairwise(words))
    return before - 2 * (words[-1] in _SHORT)


@lru_cache(maxsize=16384)
def known(word: str) -> bool:
    """Whether it is a common word, or one worth hiding, in lower case; endings aside."""
    return any(stem in _common() or stem in _hidden() for stem in _stems(word))


def _stems(word: str) -> Iterator[str]:
    yield word
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if len(stem) > 2 and stem != word:
            yield stem
            yield stem + "e"
            if stem[-1] == stem[-2]:
                yield stem[:-1]


def _words_of(run: str) -> str:
    """Words out of letters without gaps: as few and as well known as may be."""
    best: list[tuple[int, str]] = [(0, "")]
    for end in range(1, len(run) + 1):
        cost, said = best[-1]
        choices = [(cost + 3, said + run[end - 1])]
        for begin in range(max(0, end - 14), end):
            word = run[begin:end]
            if known(word) and (len(word) > 1 or word in "ai"):
                cost, said = best[begin]
                choices.append((cost + (2 if len(word) > 2 else 3), f"{said} {word} "))
        best.append(min(choices))
    return " ".join(best[-1][1].split())


def prepare() -> None:
    """Read all that it needs, for who can open no file later."""
    _tables()
    _common()
    _hidden()


@cache
def _tables() -> tuple[dict[int, str], dict[int, str], dict[int, str]]:
    """Letters in another dress, letters alike, and Latin ones that pass for Cyrillic."""
    folder = resources.files("core.safety") / "data"
    letters = tomllib.loads((folder / "letters.toml").read_text(encoding="utf-8"))
    turned = ({ord(c): to for to, all_ in letters[name].items() for c in all_} for name in
              ("dressed", "alike"))  # fmt: skip
    dressed, alike = turned
    return dressed, alike, {ord(c): to for to, all_ in letters["cyrillic"].items() for c in all_}


@cache
def _common() -> frozenset[str]:
    return _listed("common.txt")


@cache
def _hidden() -> frozenset[str]:
    """Words that people take pains to hide."""
    return _listed("hidden.txt")


def _listed(name: str) -> frozenset[str]:
    text = (resources.files("core.safety") / "data" / name).read_text(encoding="utf-8")
    return frozenset(_MARKS.sub("", unicodedata.normalize("NFD", text)).split())
