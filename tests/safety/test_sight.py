"""What is seen, judged beside the words that it was asked for with."""

from __future__ import annotations

import pytest

from core.safety.gate import Seen, Words
from core.safety.level import Level
from core.safety.policy import RulePolicy
from core.safety.rulebook import Rulebook
from core.safety.verdict import Clause, Ruling

POLICY = RulePolicy(Rulebook().rules)
BARE, PERHAPS, COVERED = (Seen({Clause.SEXUAL: score}) for score in (0.95, 0.7, 0.2))
KITE, CHILDS_KITE, GIRLS_KITE = (
    Words(f"{who} flies a kite") for who in ("a woman", "a child", "a girl")
)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("words", [CHILDS_KITE, Words("a kite", names=("child.jpg",))])
def test_nudity_beside_any_sign_of_a_minor_is_refused_everywhere(
    level: Level, words: Words
) -> None:
    bare = POLICY.seen(BARE, "picture", level, words)
    assert (bare.ruling, bare.clause) == (Ruling.REFUSE, Clause.MINORS)
    perhaps = POLICY.seen(PERHAPS, "picture", level, words)
    assert perhaps.ruling >= Ruling.HOLD
    assert perhaps.clause is Clause.MINORS
    assert POLICY.seen(COVERED, "picture", level, words).ruling is Ruling.PASS


def test_among_adults_what_may_mean_a_minor_is_held() -> None:
    assert POLICY.seen(BARE, "clip", Level.ADULT, KITE).ruling is Ruling.PASS
    held = POLICY.seen(BARE, "clip", Level.ADULT, GIRLS_KITE)
    assert (held.ruling, held.clause) == (Ruling.HOLD, Clause.MINORS)
    felt = {Clause.SEXUAL: 0.99}
    assert POLICY.felt(felt, "prompt", Level.ADULT, KITE).ruling is Ruling.PASS
    for words in (CHILDS_KITE, GIRLS_KITE):
        assert POLICY.felt(felt, "prompt", Level.ADULT, words).ruling >= Ruling.HOLD
