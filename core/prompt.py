"""The prompt grammar: words, then flags. Pure; the same on every platform.

    a red ball bouncing --seconds 5 --ar=16:9 --neg "text, blur" --camera "pan right" --loop

`parse` reads a line as typed, `with_fields` adds values that arrived by name (a form, the API).
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core import camera
from core.errors import BadPrompt
from core.recipe import TOKEN
from core.recipe import read as read_token
from core.request import Draft

PROMPT_MAX_CHARS = 2000
SEED_MAX = 2**32 - 1
ASPECTS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")

_AGAIN = re.compile(r"(?:again|once (?:again|more))\b[\s,;:.]*", re.IGNORECASE)
_JOINT = re.compile(
    r"(?:but|and|also|plus)\b[\s,]*|(?=(?:with|without|now|then|instead)\b)", re.IGNORECASE
)
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212"
_QUOTES = {'"': '"', "\u201c": "\u201d\u201c", "\u201e": "\u201c\u201d", "'": "'"}
_NAMED = re.compile(rf"(?:--recipe[= ]\s*)?({TOKEN.pattern})")
_RESOLUTION = re.compile(r"(\d{2,4})p?")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. read: text → value, or raises ValueError; a switch has none.

    field: the Draft's field that it fills. allowed: what a value may be, in words.
    """

    name: str
    field: str
    allowed: str
    example: str
    read: Callable[[str], Any] | None


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _ranged(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = _number(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return read


def _seconds(text: str) -> float:
    value = _number(text.removesuffix("s"))
    if value <= 0:
        raise ValueError(text)
    return value


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return read


def _aspect(text: str) -> str:
    value = text.replace("x", ":").replace("/", ":")
    if value not in ASPECTS:
        raise ValueError(text)
    return value


def _resolution(text: str) -> str:
    found = _RESOLUTION.fullmatch(text.lower())
    if found is None:
        raise ValueError(text)
    return f"{int(found[1])}p"


def _name(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text.lower()


FLAGS = (
    Flag("seconds", "seconds", "a number of seconds above 0", "5", _seconds),
    Flag("ar", "aspect", f"one of {', '.join(ASPECTS)}", "16:9", _aspect),
    Flag("res", "resolution", "a height such as 480p, 720p or 1080p", "480p", _resolution),
    Flag("seed", "seed", f"a whole number from 0 to {SEED_MAX}", "7", _whole(0, SEED_MAX)),
    Flag("neg", "negative_prompt", "words to avoid, in quotes", '"blur, text"', str),
    Flag("camera", "camera", "a camera move, in quotes", '"pan right"', camera.parse),
    Flag("motion", "motion", "a number from 0 to 10", "6", _ranged(0, 10)),
    Flag("model", "model", "the name of a model", "parallax", _name),
    Flag("steps", "steps", "a whole number from 1 to 200", "20", _whole(1, 200)),
    Flag("guidance", "guidance", "a number from 1 to 20", "5", _ranged(1, 20)),
    Flag("fps", "fps", "a whole number from 1 to 60", "16", _whole(1, 60)),
    Flag("loop", "loop", "nothing behind it", "", None),
    Flag("draft", "draft", "nothing behind it", "", None),
    Flag("fast", "fast", "nothing behind it", "", None),
    Flag("relaxed", "relaxed", "nothing behind it", "", None),
    Flag("quote", "quote", "nothing behind it", "", None),
)
_MEANT = {
    "length": "seconds", "duration": "seconds", "time": "seconds",
    "aspect": "ar", "ratio": "ar", "size": "res", "resolution": "res", "quality": "res",
    "negative": "neg", "no": "neg", "without": "neg",
    "zoom": "camera", "pan": "camera", "tilt": "camera", "orbit": "camera", "warp": "camera",
    "speed": "motion", "strength": "motion", "cfg": "guidance", "scale": "guidance",
    "rate": "fps", "framerate": "fps", "preview": "draft", "repeat": "loop",
    "turbo": "fast", "slow": "relaxed", "relax": "relaxed", "free": "relaxed", "price": "quote",
}  # fmt: skip
"""What people write who come from other systems."""

_BY_NAME = {flag.name: flag for flag in FLAGS}
_FIELDS = tuple(flag.field for flag in FLAGS)
_NAMES = tuple(f"--{flag.name}" for flag in FLAGS)


def parse(text: str, *arguments: str) -> Draft:
    """Read words and flags. Raises BadPrompt, with a sentence that says what is allowed.

    arguments: more of the line, already split as a shell does. A recipe's token in it stands for
    what it holds, and the rest of the line for what is to be otherwise.
    """
    text, arguments, token = _taken(text, arguments)
    said = _parsed(_legible(text), [_legible(word) for word in arguments])
    return said if token is None else _unfolded(token, said)


def _taken(text: str, arguments: tuple[str, ...]) -> tuple[str, tuple[str, ...], str | None]:
    """The line without its token, and the token. Raises BadPrompt where there are more."""
    tokens = [*_NAMED.findall(text), *filter(TOKEN.fullmatch, arguments)]
    if not tokens:
        return text, arguments, None
    if len(tokens) > 1:
        raise BadPrompt("There are two recipes here: paste one.", flag="recipe")
    rest = tuple(one for one in arguments if one != "--recipe" and not TOKEN.fullmatch(one))
    return _NAMED.sub(" ", text).removesuffix("--recipe"), rest, tokens[0]


def _unfolded(token: str, said: Draft) -> Draft:
    """What the token holds, but for what is said beside it."""
    held = read_token(token)
    before = _parsed(_legible(held.line), ())
    values = {name: getattr(said, name) for name in _FIELDS}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    words = said.prompt or before.prompt
    if held.wordless and not words:
        raise BadPrompt("This recipe came without its words: write them beside it.", flag="recipe")
    weights = held.weights if said.model in (None, before.model) else ""
    return replace(
        before, **values, prompt=words, first=held.first, last=held.last, weights=weights
    )


def _parsed(text: str, arguments: Sequence[str]) -> Draft:
    words: list[str] = []
    values: dict[str, Any] = {}
    seen: set[str] = set()
    tokens = _tokens(text) + [_argument(word) for word in arguments]
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if not token.is_flag:
            words.append(token.text)
            continue
        name, equals, value = token.text.partition("=")
        flag = _flag(name)
        if flag.name in seen:
            raise BadPrompt(f"--{flag.name} is there twice: give it once.", flag=flag.name)
        seen.add(flag.name)
        if flag.read is None:
            if equals:
                raise BadPrompt(f"--{flag.name} takes no value.", flag=flag.name)
            values[flag.field] = True
            continue
        if not equals:
            if at >= len(tokens) or tokens[at].is_flag:
                raise BadPrompt(
                    f"--{flag.name} wants {flag.allowed}, as in --{flag.name} {flag.example}.",
                    flag=flag.name,
                )
            value = _unquoted(tokens[at].text)
            at += 1
        values[flag.field] = _value(flag, value)
    return Draft(prompt=_prompt(words), **values)


def with_fields(draft: Draft, fields: Mapping[str, object]) -> Draft:
    """`draft` with values given by flag name; a field beats the same flag in the prompt.

    A value of None or "" counts as not given. Raises BadPrompt.
    """
    values: dict[str, Any] = {}
    for name, given in fields.items():
        flag = _flag(name)
        if given is None or given == "":
            continue
        if flag.read is None:
            truth = str(given).lower()
            if truth not in ("true", "false", "1", "0", "on", "off"):
                raise BadPrompt(f"{flag.name} is true or false.", flag=flag.name)
            values[flag.field] = truth in ("true", "1", "on")
        elif isinstance(given, bool) or not isinstance(given, str | int | float):
            raise BadPrompt(f"{flag.name} wants {flag.allowed}.", flag=flag.name)
        else:
            values[flag.field] = _value(flag, _legible(_plain(given)))
    return replace(draft, **values)


def edited(before: Draft, said: Draft) -> Draft:
    """What was asked for before, with what is said now: a new prompt, or words that go on.

    "again, but at night" and "with snow" go on; anything else is said in place of the words before.
    Values not named stay, but the seed, which is new. No words: the same once more.
    """
    begun = _AGAIN.match(said.prompt)
    words = said.prompt[begun.end() :] if begun else said.prompt
    joined = _JOINT.match(words)
    if not words or begun or joined:
        rest = words[joined.end() :] if joined else words
        prompt = ", ".join(filter(None, (before.prompt.rstrip(" ,.;"), rest)))
    else:
        prompt = words
    values = {name: getattr(said, name) for name in _FIELDS}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    return replace(before, **{**values, "prompt": prompt, "seed": said.seed})


def recipe(draft: Draft) -> str:
    """The line that gives `draft` again when parsed."""
    plain = [_Token(word) for word in draft.prompt.split()]
    bare = _tokens(draft.prompt) == plain and (len(plain) != 1 or draft.prompt[0] not in _QUOTES)
    parts = [draft.prompt if bare else _quoted(draft.prompt)] if draft.prompt else []
    for flag in FLAGS:
        value = getattr(draft, flag.field)
        if flag.read is None:
            parts += [f"--{flag.name}"] if value else []
        elif flag.field == "camera" and value is not None:
            moves = " + ".join(f"{move} {move.strength:g}" for move in value)
            parts.append(f'--camera "{moves}"')
        elif value is not None:
            text = f"{value:g}" if isinstance(value, float) else str(value)
            simple = re.fullmatch(r"[\w.:-]+", text) and not text.startswith("-")
            parts.append(f"--{flag.name} {text if simple else _quoted(text)}")
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    is_flag: bool = False


def _argument(word: str) -> _Token:
    flag = word.startswith("--") and len(word) > 2
    return _Token(word.removeprefix("--") if flag else word, flag)


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    unclosed: set[str] = set()
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        flag = re.match(rf"(?:--|[{_DASHES}])(?=[A-Za-z])", text[at:])
        start = at + flag.end() if flag else at
        word, at = _word(text, start, unclosed, valued=flag is not None)
        tokens.append(_Token(word, flag is not None))
    return tokens


def _word(text: str, at: int, unclosed: set[str], *, valued: bool) -> tuple[str, int]:
    """A run up to the next space. Quotes group at its start, or behind a flag's "=".

    unclosed: quotes that are known to close no more, so that a long text is read once.
    """
    begin = at
    while at < len(text) and not text[at].isspace():
        mark = text[at]
        opens = at == begin or (valued and text[at - 1] == "=")
        if opens and mark in _QUOTES and mark not in unclosed:
            end = _closing(text, at)
            if end:
                kept = text[at + 1 : end] if valued else text[at : end + 1]
                return text[begin:at] + kept, end + 1
            unclosed.add(mark)
        at += 1
    return text[begin:at], at


def _closing(text: str, at: int) -> int:
    """Where the quote that opens at `at` closes before a gap; 0 where it doesn't."""
    for end in range(at + 1, len(text)):
        if text[end] in _QUOTES[text[at]] and not text[end + 1 : end + 2].isalnum():
            return end
    return 0


def _flag(name: str) -> Flag:
    flag = _BY_NAME.get(name.lower())
    if flag is not None:
        return flag
    lower = name.lower()
    meant = [_MEANT[lower]] if lower in _MEANT else []
    near = meant or difflib.get_close_matches(lower, list(_BY_NAME), n=1, cutoff=0.4)
    hint = f" Did you mean --{near[0]}?" if near else ""
    raise BadPrompt(
        f"There is no --{name[:40]}.{hint} The flags are {', '.join(_NAMES)}.",
        flag=name[:40],
        allowed=_NAMES,
    )


def _value(flag: Flag, text: str) -> Any:
    assert flag.read is not None
    try:
        return flag.read(text.strip())
    except ValueError:
        pass
    raise BadPrompt(
        f'--{flag.name} wants {flag.allowed}; "{text[:40]}" is not.',
        flag=flag.name,
        allowed=ASPECTS if flag.name == "ar" else (),
    )


def _plain(given: str | int | float) -> str:
    return f"{given:g}" if isinstance(given, float) else str(given)


def _legible(text: str) -> str:
    """Without control characters; raises BadPrompt on broken Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadPrompt("The text holds broken characters: send it as UTF-8.") from None
    spaced = re.sub(r"[\t\n\r\v\f\u2028\u2029]", " ", text)
    kept = "".join(c for c in spaced if unicodedata.category(c) != "Cc" and c != "\ufeff")
    if len(kept) > PROMPT_MAX_CHARS:
        raise BadPrompt(
            f"A prompt can have up to {PROMPT_MAX_CHARS} characters; this one has {len(kept)}."
        )
    return kept


def _prompt(words: list[str]) -> str:
    """Quotes in a sentence stay; quotes around all of it go."""
    if len(words) == 1:
        words = [_unquoted(words[0])]
    return unicodedata.normalize("NFC", " ".join(words)).strip()


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[-1] in _QUOTES.get(text[0], ""):
        return text[1:-1]
    return text


def _quoted(text: str) -> str:
    """In the first kind of quotes that `text` does not hold itself."""
    for opening, closing in _QUOTES.items():
        if not any(mark in text for mark in closing):
            return f"{opening}{text}{closing[0]}"
    return '"' + text.replace('"', "'") + '"'
