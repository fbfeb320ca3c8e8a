"""What the gate for words makes of a prompt, by its shipped rules and head; in this process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from core.safety.gate import Words
from core.safety.level import Level
from core.safety.policy import RulePolicy
from core.safety.rulebook import Rulebook
from core.safety.verdict import Ruling
from model.inspect.head import Head


@dataclass(frozen=True, slots=True)
class Found:
    rules: Ruling
    both: Ruling


class WordGate:
    def __init__(self, level: Level = Level.STANDARD) -> None:
        self._policy = RulePolicy(Rulebook().rules)
        self._level = level

    @cached_property
    def _head(self) -> Head:
        return Head.load()

    def found(self, text: str) -> Found:
        read = self._policy.read(Words(text), self._level)
        scores = self._head.scores(self._policy.spared(text))
        felt = self._policy.felt(scores, "prompt", self._level)
        return Found(read.ruling, (read + felt).ruling)


def percent(found: list[Ruling], least: Ruling) -> float:
    """Of those whose ruling is that or more."""
    return 100 * sum(one >= least for one in found) / max(1, len(found))
