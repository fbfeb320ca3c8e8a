"""Rules, as files in TOML say them: one file a language, and operators' own beside them.

    language = "English"
    spaced = true                  # false: words count inside others, as in Chinese

    [sets]
    kill = ["kill*", "murder*"]

    [[rule]]
    name = "en/throat"
    clause = "gore"                # a line of the policy
    ruling = "refuse"              # or by level: { strict = "refuse", standard = "hold" }
    words = ["cut .. throat"]      # as `core.safety.pattern` reads them
    allow = ["cut through"]        # what is meant otherwise

    [minors]                       # any of age beside anything sexual refuses, at every level
    age = ["toddler*"]
    maybe = ["girls?"]             # holds, where what is sexual may be made at all
    sexual = ["bikini"]            # sexual enough beside an age, beyond the rules on it
    grown = ["adults?"]            # to be avoided, beside anything sexual, refuses as well
    allow = ["baby blue"]

    [[test]]
    text = "she cut his throat"
    expect = "gore"                # or "pass"
    level = "standard"             # and negative = "…"; each may be left out

Pure: text in, values out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.safety.level import Level
from core.safety.pattern import BadPattern, Pattern, pattern
from core.safety.verdict import Clause, Ruling

LISTS = {"people": Clause.PERSON, "brands": Clause.BRAND, "words": Clause.WORD}
"""What an operator's lists.toml may hold, beside `allow`."""

_RULINGS = {"pass": Ruling.PASS, "hold": Ruling.HOLD, "refuse": Ruling.REFUSE}
_RULE_KEYS = {"name", "clause", "ruling", "words", "allow", "extends", "off"}
_MINORS_KEYS = ("age", "maybe", "sexual", "grown", "allow")
_TEST_KEYS = {"text", "expect", "level", "negative"}
_FILE_KEYS = {"language", "spaced", "sets", "rule", "minors", "test"}


class BadRules(ValueError):
    """Says what is wrong with a file, in a sentence for its operator."""


@dataclass(frozen=True, slots=True)
class Rule:
    """rulings: by level. allow: where one of these touches what any rule of the clause found, it is
    meant otherwise. extends: adds to the rule of the same name; off: takes it away."""

    name: str
    clause: Clause
    rulings: Mapping[Level, Ruling]
    words: tuple[Pattern, ...] = ()
    allow: tuple[Pattern, ...] = ()
    extends: bool = False
    off: bool = False


@dataclass(frozen=True, slots=True)
class Minors:
    """The words of the rule that protects minors; see above."""

    age: tuple[Pattern, ...] = ()
    maybe: tuple[Pattern, ...] = ()
    sexual: tuple[Pattern, ...] = ()
    grown: tuple[Pattern, ...] = ()
    allow: tuple[Pattern, ...] = ()

    def __add__(self, other: Minors) -> Minors:
        return Minors(*(getattr(self, key) + getattr(other, key) for key in _MINORS_KEYS))


@dataclass(frozen=True, slots=True)
class Example:
    """What a text has to lead to. expect: a clause, held or refused; None: it passes."""

    text: str
    expect: Clause | None
    level: Level = Level.STANDARD
    negative: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one file says, or several together. allow: meant otherwise, whatever the rule."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    minors: Minors = Minors()
    examples: tuple[Example, ...] = ()
    allow: tuple[Pattern, ...] = ()

    def compiled(self) -> Rules:
        """Itself, once all that is in it can be looked for. Raises BadRules."""
        for rule in self.rules.values():
            _compile(rule.name, (*rule.words, *rule.allow))
        for key in _MINORS_KEYS:
            _compile(f"[minors] {key}", getattr(self.minors, key))
        _compile("allow", self.allow)
        return self

    def merged(self, other: Rules) -> Rules:
        """With what `other` says: its rules take the place of those of the same name."""
        rules = dict(self.rules)
        for name, rule in other.rules.items():
            before = rules.pop(name, None)
            if rule.off:
                continue
            if rule.extends and before is not None:
                words, allow = before.words + rule.words, before.allow + rule.allow
                rule = replace(before, words=words, allow=allow)
            rules[name] = rule
        return Rules(
            rules,
            self.minors + other.minors,
            self.examples + other.examples,
            self.allow + other.allow,
        )


def parse(text: str) -> Rules:
    """A file of rules. Raises BadRules."""
    table = _table(text)
    _only(table, _FILE_KEYS, "the file")
    spaced = table.get("spaced", True)
    given = table.get("sets", {})
    _only(given, given, "[sets]")
    sets = {name: _strings(words, f"[sets] {name}") for name, words in given.items()}

    def patterns(words: object, where: str) -> tuple[Pattern, ...]:
        return _patterns(words, sets, where, spaced=spaced)

    rules: dict[str, Rule] = {}
    for row in _rows(table, "rule"):
        rule = _rule(row, patterns(row.get("words", []), str(row.get("name"))),
                     patterns(row.get("allow", []), str(row.get("name"))))  # fmt: skip
        if rule.name in rules:
            raise BadRules(f'Two rules are named "{rule.name}".')
        rules[rule.name] = rule
    minors = table.get("minors", {})
    _only(minors, set(_MINORS_KEYS), "[minors]")
    ages = Minors(*(patterns(minors.get(key, []), f"[minors] {key}") for key in _MINORS_KEYS))
    return Rules(rules, ages, tuple(map(_example, _rows(table, "test"))))


def parse_lists(text: str) -> Rules:
    """An operator's lists. Raises BadRules.

    allow = ["moby dick"]

    [people]                       # or [brands], or [words]
    ruling = "hold"                # or "refuse"
    words = ["Jane Roe"]
    """
    table = _table(text)
    _only(table, {*LISTS, "allow", "test"}, "the file")
    rules = {}
    for name, clause in LISTS.items():
        given = table.get(name, {})
        _only(given, {"ruling", "words", "allow"}, f"[{name}]")
        words = [
            _patterns(given.get(key, []), {}, f"[{name}] {key}", spaced=True)
            + _unspaced(given.get(key, []), f"[{name}] {key}")
            for key in ("words", "allow")
        ]
        rulings = _rulings(given.get("ruling", "hold"), f"[{name}]")
        rules[name] = Rule(name, clause, rulings, words[0], words[1])
    allow = table.get("allow", [])
    return Rules(
        rules,
        examples=tuple(map(_example, _rows(table, "test"))),
        allow=_patterns(allow, {}, "allow", spaced=True) + _unspaced(allow, "allow"),
    )


def _compile(where: str, patterns: Iterable[Pattern]) -> None:
    try:
        for one in patterns:
            one.regex  # noqa: B018 - compiled, or not
    except BadPattern as error:
        raise BadRules(f"{where}: {error}") from None


def _unspaced(words: object, where: str) -> tuple[Pattern, ...]:
    """Once more for scripts that have no spaces between words."""
    plain = [
        word for word in _strings(words, where) if any("\u2e80" <= c <= "\ud7ff" for c in word)
    ]
    return _patterns(plain, {}, where, spaced=False)


def _table(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRules(f"It is no TOML: {error}.") from None


def _rows(table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    rows = table.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadRules(f"Write each {key} under [[{key}]].")
    return rows


def _only(table: object, keys: Iterable[str], where: str) -> None:
    if not isinstance(table, dict):
        raise BadRules(f"{where} is a table, as in [{where.strip('[]')}].")
    unknown = sorted(set(table) - set(keys))
    if unknown:
        raise BadRules(f"{where} has no {unknown[0]}: it takes {', '.join(sorted(keys))}.")


def _strings(words: object, where: str) -> tuple[str, ...]:
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadRules(f'{where}: write a list of words, as in ["one", "two"].')
    return tuple(words)


def _patterns(
    words: object, sets: Mapping[str, Sequence[str]], where: str, *, spaced: bool
) -> tuple[Pattern, ...]:
    try:
        return tuple(pattern(word, sets, spaced=spaced) for word in _strings(words, where))
    except BadPattern as error:
        raise BadRules(f"{where}: {error}") from None


def _rule(row: Mapping[str, Any], words: tuple[Pattern, ...], allow: tuple[Pattern, ...]) -> Rule:
    name = row.get("name")
    if not isinstance(name, str) or not name or name.startswith("minors/"):
        raise BadRules("A rule needs a name, which does not begin with minors/.")
    _only(dict(row), _RULE_KEYS, name)
    off, extends = row.get("off") is True, row.get("extends") is True
    known = not (off or extends)
    clause = _one_of(Clause, row.get("clause", None if known else Clause.WORD), f"{name}: clause")
    rulings = _rulings(row.get("ruling", "refuse"), name)
    if known and not words:
        raise BadRules(f"{name}: it has no words.")
    return Rule(name, clause, rulings, words, allow, extends, off)


def _rulings(given: object, where: str) -> dict[Level, Ruling]:
    by_level: dict[str, Any] = given if isinstance(given, dict) else dict.fromkeys(Level, given)
    _only(by_level, set(Level), f"{where}: ruling")
    wrong = next((str(one) for one in by_level.values() if str(one) not in _RULINGS), None)
    if wrong is not None:
        raise BadRules(f'{where}: a ruling is {", ".join(_RULINGS)}; "{wrong}" is none.')
    return {level: _RULINGS[by_level.get(level, "refuse")] for level in Level}


def _example(row: Mapping[str, Any]) -> Example:
    _only(dict(row), _TEST_KEYS, "[[test]]")
    text, expect = row.get("text"), row.get("expect")
    negative = row.get("negative", "")
    if not isinstance(text, str) or not isinstance(negative, str):
        raise BadRules("A test needs a text.")
    clause = None if expect == "pass" else _one_of(Clause, expect, "[[test]] expect")
    level = _one_of(Level, row.get("level", Level.STANDARD), "[[test]] level")
    return Example(text, clause, level, negative)


def _one_of(kind: Any, given: object, where: str) -> Any:
    try:
        return kind(given)
    except ValueError:
        raise BadRules(f'{where} is one of {", ".join(kind)}; "{given}" is none.') from None
