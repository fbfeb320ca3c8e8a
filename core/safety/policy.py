"""What follows from what was read and seen: rules on words, bounds on scores. Pure.

One rule holds at every level and fails closed: whatever is sexual beside any sign of a minor, in
whatever language, and wherever the two stand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from core.safety.gate import NOTHING, Seen, Words
from core.safety.level import Level
from core.safety.normalise import normalise, plain
from core.safety.pattern import Finder, Span, without
from core.safety.rulebook import Rulebook
from core.safety.rules import Example, Rules
from core.safety.verdict import Clause, Finding, Ruling, Verdict

NEVER = math.inf
STRICTER = 0.7
"""What bounds are multiplied by at the level strict."""

_UNLISTED = re.compile(
    "[\u0530-\u058f\u0700-\u08ff\u0980-\u10ff\u1200-\u139f\u1700-\u18af\u1950-\u1cff\ua840-\uabff]"
)
"""Letters of scripts that no list on minors is written in: what the head feels holds there."""

_GLUED = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-z])(?=[A-Z])")
"""Where two words touch, as in BeachDay2.jpg."""

HARMLESS = "flower"
PROMPT, NEGATIVE, NAME = "prompt", "negative prompt", "name"


@dataclass(frozen=True, slots=True)
class Bounds:
    """From which score on something is held, and refused; 0 to 1, NEVER: at none."""

    hold: float
    refuse: float = NEVER

    def ruling(self, score: float, level: Level) -> Ruling:
        if math.isnan(score):
            return Ruling.REFUSE
        factor = STRICTER if level is Level.STRICT else 1.0
        if score >= factor * self.refuse:
            return Ruling.REFUSE
        return Ruling.HOLD if score >= factor * self.hold else Ruling.PASS


@dataclass(frozen=True, slots=True)
class Thresholds:
    """head: never refuses by itself, since it is wrong of surgery, statues and beaches."""

    head: Mapping[Clause, Bounds] = field(default_factory=dict)
    sight: Mapping[Clause, Bounds] = field(default_factory=dict)
    any_head: Bounds = Bounds(hold=0.5)
    any_sight: Bounds = Bounds(hold=0.6, refuse=0.85)


def _unblocked(_: Iterable[str]) -> bool:
    return False


@dataclass(frozen=True)
class RulePolicy:
    """Implements `core.safety.gate.Policy`. blocked: whether one of these perceptual hashes is of
    what was taken down."""

    rules: Rules
    thresholds: Thresholds = Thresholds()
    blocked: Callable[[Iterable[str]], bool] = _unblocked

    def read(self, words: Words, level: Level) -> Verdict:
        said = [(PROMPT, words.prompt), *((NAME, name) for name in words.names)]
        read = [(where, self._found(text)) for where, text in said if text.strip()]
        avoided = self._found(words.negative_prompt)
        findings = [
            Finding(self.rules.rules[name].clause, ruling, where, rule=name)
            for where, names in read
            for name in sorted(names & self.rules.rules.keys())
            if (ruling := self.rules.rules[name].rulings[level])
        ]
        every = frozenset[str]().union(*(names for _, names in read))
        findings += self._minors(every, avoided, level)
        findings += self._people(every)
        return Verdict(tuple(findings))

    def spared(self, text: str) -> str:
        """With a harmless word for what is allowed; where nothing is, as it was typed."""
        meant = plain(text)
        spans = sorted({span for found in self._allowed.find(meant).values() for span in found})
        if not spans:
            return text
        kept, at = "", 0
        for begin, end in spans:
            if begin >= at:
                kept += meant[at:begin] + HARMLESS
            at = max(at, end)
        return kept + meant[at:]

    def felt(
        self, scores: Mapping[Clause, float], where: str, level: Level, words: Words = NOTHING
    ) -> Verdict:
        bounds, otherwise = self.thresholds.head, self.thresholds.any_head
        if level is Level.ADULT and (self._young(words) or _UNLISTED.search(words.prompt)):
            level = Level.STANDARD
        return _judged(scores, bounds, otherwise, "head", where, level)

    def seen(self, seen: Seen, where: str, level: Level, words: Words = NOTHING) -> Verdict:
        bounds, otherwise = self.thresholds.sight, self.thresholds.any_sight
        verdict = _judged(seen.scores, bounds, otherwise, "sight", where, level)
        score = seen.scores.get(Clause.SEXUAL, 0.0)
        naked = bounds.get(Clause.SEXUAL, otherwise).ruling(score, level)
        young = self._young(words) if naked else frozenset()
        if "minors/age" in young or (young and level is Level.ADULT):
            ruling = naked if "minors/age" in young else Ruling.HOLD
            verdict += Verdict((Finding(Clause.MINORS, ruling, where, score, "minors/sight"),))
        if seen.hashes and self.blocked(seen.hashes):
            verdict += Verdict((Finding(Clause.BLOCKED, Ruling.REFUSE, where, rule="blocklist"),))
        return verdict

    def fails(self, example: Example) -> Verdict | None:
        """The verdict where it is another than the one that was expected."""
        verdict = self.read(Words(example.text, example.negative), example.level)
        clauses = {one.clause for one in verdict.findings if one.ruling}
        right = example.expect in clauses if example.expect else not clauses
        return None if right else verdict

    def _young(self, words: Words) -> frozenset[str]:
        """The lists on minors that the words hold a sign of."""
        texts = (words.prompt, *words.names)
        found = frozenset[str]().union(*(self._found(text) for text in texts if text.strip()))
        return found & {"minors/age", "minors/maybe"}

    def _minors(
        self, said: frozenset[str], avoided: frozenset[str], level: Level
    ) -> Iterator[Finding]:
        def finding(ruling: Ruling, rule: str, where: str = PROMPT) -> Finding:
            return Finding(Clause.MINORS, ruling, where, rule=f"minors/{rule}")

        sexual, explicit = self._sexual(said), self._explicit(said)
        if "minors/age" in said and sexual:
            yield finding(Ruling.REFUSE, "age")
        elif "minors/age" in said and self._sexual(avoided):
            yield finding(Ruling.HOLD, "avoided", NEGATIVE)
        elif "minors/age" in avoided and sexual:
            yield finding(Ruling.HOLD, "avoided age", NEGATIVE)
        if "minors/grown" in avoided and sexual:
            yield finding(Ruling.REFUSE, "grown", NEGATIVE)
        if "minors/maybe" in said and explicit and level is Level.ADULT:
            yield finding(Ruling.HOLD, "maybe")

    def _people(self, said: frozenset[str]) -> Iterator[Finding]:
        """Of real people nothing sexual is made, at any level."""
        people = self._of(Clause.PERSON) & said
        if people and self._explicit(said):
            yield Finding(Clause.PERSON, Ruling.REFUSE, PROMPT, rule=min(people))

    def _sexual(self, names: frozenset[str]) -> bool:
        return "minors/sexual" in names or bool(self._naked(names, Ruling.HOLD))

    def _explicit(self, names: frozenset[str]) -> bool:
        return bool(self._naked(names, Ruling.REFUSE))

    def _naked(self, names: frozenset[str], least: Ruling) -> frozenset[str]:
        """Rules on what is sexual, as the level standard has it."""
        found, rules = self._of(Clause.SEXUAL) & names, self.rules.rules
        return frozenset(one for one in found if rules[one].rulings[Level.STANDARD] >= least)

    def _of(self, clause: Clause) -> frozenset[str]:
        return self._by_clause.get(clause, frozenset())

    def _found(self, text: str) -> frozenset[str]:
        """The names of rules, and of the lists on minors, that the text falls under."""
        read = {plain(text), normalise(text), plain(_GLUED.sub(" ", text))}
        return frozenset().union(*(self._found_in(one) for one in read))

    def _found_in(self, text: str) -> frozenset[str]:
        found = self._words.find(text)
        if not found:
            return frozenset()
        allowed = self._allowed.find(text)

        def meant(name: str, spans: list[Span]) -> bool:
            if name in _LISTS:
                return bool(without(spans, allowed.get(_MINORS, [])))
            kind = self.rules.rules[name].clause
            return bool(without(spans, [*allowed.get(kind, []), *allowed.get("", [])]))

        return frozenset(name for name, spans in found.items() if meant(name, spans))

    @cached_property
    def _by_clause(self) -> dict[Clause, frozenset[str]]:
        rules = self.rules.rules.values()
        return {
            clause: frozenset(rule.name for rule in rules if rule.clause is clause)
            for clause in Clause
        }

    @cached_property
    def _words(self) -> Finder[str]:
        minors = self.rules.minors
        lists = [(key, one) for key, name in _LISTS.items() for one in getattr(minors, name)]
        rules = [(rule.name, one) for rule in self.rules.rules.values() for one in rule.words]
        return Finder([*lists, *rules])

    @cached_property
    def _allowed(self) -> Finder[str]:
        """By clause: what one language borrowed from another is meant otherwise in both. Under "":
        what operators allow, whatever the rule, but nothing of the lists on minors."""
        rules = [(rule.clause, one) for rule in self.rules.rules.values() for one in rule.allow]
        minors = [(_MINORS, one) for one in self.rules.minors.allow]
        return Finder([*rules, *minors, *(("", one) for one in self.rules.allow)])


def current(
    book: Rulebook,
    thresholds: Thresholds = Thresholds(),
    blocked: Callable[[Iterable[str]], bool] = _unblocked,
) -> Callable[[], RulePolicy]:
    """The policy by what the book says now; made anew only when that changed."""
    made = book.version, RulePolicy(book.rules, thresholds, blocked)

    def policy() -> RulePolicy:
        nonlocal made
        if made[0] != book.version:
            made = book.version, RulePolicy(book.rules, thresholds, blocked)
        return made[1]

    return policy


_MINORS = "minors/"
_LISTS = {f"minors/{name}": name for name in ("age", "maybe", "sexual", "grown")}


def _judged(
    scores: Mapping[Clause, float],
    bounds: Mapping[Clause, Bounds],
    otherwise: Bounds,
    rule: str,
    where: str,
    level: Level,
) -> Verdict:
    allowed = (Clause.SEXUAL,) if level is Level.ADULT else ()
    judged = (
        Finding(clause, bounds.get(clause, otherwise).ruling(score, level), where, score, rule)
        for clause, score in scores.items()
        if clause not in allowed
    )
    return Verdict(tuple(one for one in judged if one.ruling))
