"""A job: one request on its way to a clip, and the states that it passes through.

    quoted, held ──> queued ──> running ──> succeeded, failed
      ^      │         │  ^        │  │
      └ held │         │  └────────┘  │
             └─────────┴──────────────┴───> cancelled, refused ──> held, once

Every arrow is one method of the `Jobs` port and one transaction.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from core.lanes import Lane
from core.request import Request
from core.safety.level import Level
from core.safety.verdict import Clause, Finding, Ruling

NO_CLIP = "There is no such clip."
"""Also said of somebody else's."""

PICTURE = "picture"
"""Where a finding is that is about what somebody uploaded."""

MAX_LOSSES = 3
"""How often a job may lose its runner before it fails."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class State(StrEnum):
    QUOTED = "quoted"
    HELD = "held"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"

    @property
    def ended(self) -> bool:
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.REFUSED)


class Asks(StrEnum):
    """Whose consent to a picture a job waits for, or was denied by."""

    SENDER = "sender"
    SUBJECT = "subject"


ARROWS: dict[State, frozenset[State]] = {
    State.QUOTED: frozenset({State.QUEUED, State.CANCELLED, State.REFUSED}),
    State.HELD: frozenset({State.QUEUED, State.QUOTED, State.CANCELLED, State.REFUSED}),
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED, State.REFUSED}),
    State.RUNNING: frozenset(
        {State.QUEUED, State.SUCCEEDED, State.FAILED, State.CANCELLED, State.REFUSED}
    ),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
    State.REFUSED: frozenset({State.HELD}),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody's name on one platform: ("web", "owner"), ("discord", "8123...")."""

    platform: str
    subject: str


OWNER = Identity("web", "owner")
"""Whoever runs this Kinora: behind the link that it prints, and behind the admin key."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What gives somebody a plan, of `core.plans`: "moderator", "role:discord:81/55", or
    "purchase:PLAN". until: None for good."""

    source: str
    plan: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """One person with one wallet. weight: their share of the queue, 1 for everybody at first.

    ping: whether they are told in a chat, by a short message, that a clip is done. claims: at most
    one of a source, sorted by it; with those that are over.
    """

    id: int
    name: str
    weight: float = 1.0
    ping: bool = True
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Wallet:
    """Whole credits: what may be spent, and what waits on unfinished jobs."""

    available: int
    held: int


@dataclass(frozen=True, slots=True)
class Price:
    """A price in whole credits and the factors it is made of, as (name, factor)."""

    credits: int
    parts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Purse:
    """What somebody had for a clip when it was quoted, and what the next day brings them."""

    available: int
    tomorrow: int


class LotKind(StrEnum):
    """Where the credits of a lot came from."""

    DAILY = "daily"
    MONTHLY = "monthly"
    BOUGHT = "bought"
    GIFTED = "gifted"
    ADJUSTED = "adjusted"


@dataclass(frozen=True, slots=True)
class Grant:
    """Credits to be given once, as a lot of their own.

    key: what for; an account gets the same one once. expires_at: in UTC; None: never.
    """

    kind: LotKind
    credits: int
    key: str
    expires_at: datetime | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Lot:
    """What may still be spent of credits that came together. expires_at: None: never."""

    kind: LotKind
    credits: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Clip:
    """A finished clip. Paths are absolute; sides in pixels; size in bytes."""

    video: Path
    poster: Path
    width: int
    height: int
    num_frames: int
    frame_rate: int
    size: int
    expires_at: datetime

    @property
    def seconds(self) -> float:
        return (self.num_frames - 1) / self.frame_rate


@dataclass(frozen=True, slots=True)
class Job:
    """One job as the store knows it. Times are UTC.

    place: where its card lives, as "platform:where". attempt: a fencing token, 0 before the
    first run. losses: how often its runner died. credits: what was held, which is nothing while it
    is quoted, and in the relaxed lane; charged: what was taken of it in the end, and did not come
    back. price: what it was quoted at; None for those of before. purse: of one that was quoted and
    waited for a word, or that will, once others let it pass. shift: below 0, it was put before all
    that were not moved; above, behind them.
    parent: the job that this one varies or continues.
    level: of the gates that it passes. clause: what keeps it from being rendered; None: nothing.
    cleared: by a moderator, so that the gates let it pass. decide_by: when a job that is held is
    refused unless somebody decided; held_at: since when it is. appealed: a moderator was asked,
    which happens once; plea: why its author thinks otherwise. findings: of the gates.
    asks: whose consent it waits for; subject: the account of whom its picture shows. warning: what
    its refusal means for who asked, in a sentence, or "".
    stage, step, steps: how far the running attempt has come. run_seconds: what it took.
    """

    id: str
    account_id: int
    place: str
    state: State
    request: Request
    credits: int
    created_at: datetime
    attempt: int = 0
    losses: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_requested: bool = False
    stage: str = ""
    step: int = 0
    steps: int = 0
    run_seconds: float | None = None
    failure: str | None = None
    reference: str | None = None
    parent: str | None = None
    clip: Clip | None = None
    deleted: bool = False
    charged: int = 0
    shift: int = 0
    lane: Lane = Lane.STANDARD
    price: Price | None = None
    purse: Purse | None = None
    level: Level = Level.STANDARD
    clause: Clause | None = None
    cleared: bool = False
    decide_by: datetime | None = None
    appealed: bool = False
    held_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    plea: str = ""
    asks: Asks | None = None
    subject: int | None = None
    warning: str = ""

    @property
    def appealable(self) -> bool:
        """Whether its author may ask a moderator. Not about a picture that was refused, since
        nobody kept it."""
        if self.state is not State.REFUSED or self.appealed or self.deleted or self.clause is None:
            return False
        unkept = (one.where == PICTURE and one.ruling is Ruling.REFUSE for one in self.findings)
        return self.clause.appealable and not any(unkept)

    @property
    def short(self) -> bool:
        """Whether it was quoted at more than its author had."""
        if self.purse is None or self.price is None or self.lane is Lane.RELAXED:
            return False
        return self.price.credits > self.purse.available

    @property
    def refunded(self) -> bool:
        """Whether its clip reached nobody, so that its price came back."""
        return self.state is State.SUCCEEDED and self.charged < self.credits


def new_id() -> str:
    """Twelve characters of Crockford's base 32: 60 random bits, safe in a URL or a button."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))
