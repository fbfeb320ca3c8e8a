"""What a gate finds, and what follows from it.

Pure. A clause is a line of the policy that people read; a finding says which one, where, and how
sure; a verdict is all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Ruling(IntEnum):
    """What follows; the larger one holds."""

    PASS = 0
    HOLD = 1
    REFUSE = 2


class Clause(StrEnum):
    """A line of the policy. Its words are in `POLICY`."""

    MINORS = "minors"
    SEXUAL = "sexual"
    GORE = "gore"
    VIOLENCE = "violence"
    HATE = "hate"
    SELF_HARM = "self-harm"
    ILLEGAL = "illegal"
    PERSON = "person"
    BRAND = "brand"
    WORD = "word"
    BLOCKED = "blocked"
    CONSENT = "consent"
    UNCHECKED = "unchecked"

    @property
    def appealable(self) -> bool:
        """Whether a moderator may be asked. On consent, whoever is shown decides alone."""
        return self not in (Clause.MINORS, Clause.BLOCKED, Clause.CONSENT, Clause.UNCHECKED)


POLICY = {
    Clause.MINORS: "Nothing sexual that shows or hints at anybody under 18, drawn or real.",
    Clause.SEXUAL: "No nudity and no sexual acts here.",
    Clause.GORE: "No gore: no mutilation, no open wounds, no dwelling on blood.",
    Clause.VIOLENCE: "No cruelty, and no call for violence against people.",
    Clause.HATE: "Nothing that degrades people for what they are.",
    Clause.SELF_HARM: "Nothing that shows or praises suicide or self-harm.",
    Clause.ILLEGAL: "No instructions for crimes, drugs or weapons.",
    Clause.PERSON: "No real people whom this place protects.",
    Clause.BRAND: "No brands that this place protects.",
    Clause.WORD: "A word in it is on this place's list.",
    Clause.BLOCKED: "This picture was taken down before, and stays down.",
    Clause.CONSENT: "A person in the picture has to agree.",
    Clause.UNCHECKED: "It could not be checked just now, and nothing is made unchecked. "
    "Try again in a minute.",
}
"""In words that a person understands."""


@dataclass(frozen=True, slots=True)
class Finding:
    """where: "prompt", "negative prompt", "name", "picture", "clip at 2.4 s". score: 0 to 1.
    rule: which one, for whoever tunes it; never shown to who asked."""

    clause: Clause
    ruling: Ruling
    where: str
    score: float = 1.0
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    findings: tuple[Finding, ...] = ()

    @property
    def ruling(self) -> Ruling:
        return max((one.ruling for one in self.findings), default=Ruling.PASS)

    @property
    def weightiest(self) -> Finding | None:
        """What it hangs on: of the findings with the largest ruling the surest, minors first."""
        return max(
            self.findings,
            key=lambda one: (one.ruling, one.clause is Clause.MINORS, one.score),
            default=None,
        )

    @property
    def clause(self) -> Clause | None:
        """The line of the policy that it hangs on; None where it passes."""
        return self.weightiest.clause if self.weightiest and self.ruling else None

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(self.findings + other.findings)


PASSED = Verdict()
