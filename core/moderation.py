"""What moderators do, as values, and for whom it then holds.

Pure. A server is as in `core.places.server`. Whom something is about is a word: "account:12",
"channel:92", "treasury", or "all".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, ClassVar

from core.treasury import Policy

EVERYWHERE = ""
"""In place of a server: on all of them, and on the page."""

ALL, TREASURY, BLOCKLIST = "all", "treasury", "blocklist"
BY_HAND = "moderator"
"""The source of a claim on a plan that a moderator assigned."""
CREDITS_MAX = 1_000_000_000
USES_MOST = 1_000_000
BLOCKED_AT_ONCE = 500
"""Hashes in one act: they are in its row of the log."""

REASON_CHARS = 500


class Rank(IntEnum):
    """MODERATOR: of one server or chat. OPERATOR: by the settings. HOST: whoever has the shell."""

    MEMBER = 0
    MODERATOR = 1
    OPERATOR = 2
    HOST = 3


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. name: for the log. server: what a moderator leads."""

    name: str
    rank: Rank
    server: str = EVERYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """server: where it holds, and who pays."""

    verb: ClassVar[str]
    server: str = EVERYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPerson(Act):
    account_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(OnPerson):
    """Credits out of a server's treasury; out of nothing where it is everywhere."""

    verb: ClassVar[str] = "grant"
    credits: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Take(OnPerson):
    """Credits from somebody's own, as far as they have some that nothing is held for."""

    verb: ClassVar[str] = "take"
    credits: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund(OnPerson):
    """What somebody paid goes back to them; what is left of what it brought is taken."""

    verb: ClassVar[str] = "refund"
    purchase_id: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetQuota(OnPerson):
    """The most credits that somebody may spend on a server in a local day. None: no limit."""

    verb: ClassVar[str] = "quota"
    credits: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPlan(OnPerson):
    """A claim on a plan beside those that a role or a purchase gives; the free plan takes it back.
    until: None for good."""

    verb: ClassVar[str] = "plan"
    plan: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban(OnPerson):
    """Nothing more from somebody, and what they have unfinished is cancelled. until: as above."""

    verb: ClassVar[str] = "ban"
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unban(OnPerson):
    verb: ClassVar[str] = "unban"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftStrikes(OnPerson):
    """What was refused to somebody until now is held against them no more."""

    verb: ClassVar[str] = "lift"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(OnPerson):
    """For other moderators; it is kept in the log alone."""

    verb: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnJob(OnPerson):
    """account_id: whose job it is."""

    job_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(OnJob):
    """Somebody's job, which then costs them nothing."""

    verb: ClassVar[str] = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(OnJob):
    """Somebody's clip that has ended, and its words; what it cost stays paid."""

    verb: ClassVar[str] = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(OnJob):
    """Somebody's queued job before all others, or behind them."""

    verb: ClassVar[str] = "move"
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(OnJob):
    """What is held is rendered, once it is paid for; the gates let it pass."""

    verb: ClassVar[str] = "approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny(OnJob):
    """What is held is refused, for good. Its author is told the reason."""

    verb: ClassVar[str] = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeDown(OnJob):
    """A clip, and whoever's was made from it, are deleted: where somebody leads, all that is there;
    by an operator everywhere, and nothing like it is taken again."""

    verb: ClassVar[str] = "take down"


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissReports(OnJob):
    """What was reported stays; who reported it was wrong, or it is settled."""

    verb: ClassVar[str] = "dismiss"


REVIEWS = (Approve, Deny, TakeDown, DismissReports)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToRole(Act):
    """The same for all who have a role, one after another, each with a row of their own.

    role, name: its id and what it is called. does, says: the verb, and the rest of it as canonical
    JSON. account_ids: of those who have it."""

    verb: ClassVar[str] = "to role"
    role: str
    name: str
    does: str
    says: str
    account_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDone(Act):
    """That was done to all of them, or somebody stopped it. left_out: whom it could not be."""

    verb: ClassVar[str] = "role done"
    role: str
    done: int
    left_out: int
    stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Act):
    """Jobs of a person, of a channel, or, with neither, of all wait where they are."""

    verb: ClassVar[str] = "pause"
    account_id: int | None = None
    channel: str | None = None
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Act):
    verb: ClassVar[str] = "resume"
    account_id: int | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill(Act):
    """Credits into the treasury of a server, which is made where there is none."""

    verb: ClassVar[str] = "fill"
    credits: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPolicy(Act):
    """What the treasury of a server is for."""

    verb: ClassVar[str] = "policy"
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeVoucher(Act):
    """A code that brings so many people credits, a plan for so many days, or both; see
    `core.vouchers`. digest: of the code, which is kept nowhere."""

    verb: ClassVar[str] = "voucher"
    name: str
    digest: str
    credits: int = 0
    plan: str | None = None
    days: int | None = None
    uses: int = 1
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopVoucher(Act):
    """Nobody more may use it; who did keeps what it brought."""

    verb: ClassVar[str] = "stop"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Act):
    """Nothing that looks like these is taken or brought any more; see `core.safety.blocklist`."""

    verb: ClassVar[str] = "block"
    hashes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unblock(Act):
    """Of those that look like one of these, nothing is blocked any more."""

    verb: ClassVar[str] = "unblock"
    hashes: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRole(Act):
    """The plan that a server's role gives; the free one: none. role, name: its id, and its name."""

    verb: ClassVar[str] = "role"
    role: str
    plan: str
    name: str = ""


TO_MANY = {act.verb: act for act in (Grant, Take, SetQuota, SetPlan, Note)}
"""What can be done to all who have a role, by its verb."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(OnPerson):
    """All that an account has goes into another one, for one person to have one wallet.

    proof: the SHA-256 of a one-time code of either, which is used up with it; "" where none is
    asked for.
    """

    verb: ClassVar[str] = "merge"
    into: int
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlink(OnPerson):
    """One of an account's names on a platform leaves it, for an empty account of its own."""

    verb: ClassVar[str] = "unlink"
    platform: str
    subject: str


OF_OPERATORS = (
    Take, Refund, SetPlan, SetRole, Fill, Merge, Unlink, MakeVoucher, StopVoucher,
    Block, Unblock, LiftStrikes,
)  # fmt: skip
"""What makes, takes or changes what somebody has everywhere."""

OF_A_SERVER = (SetQuota, SetRole, Fill, SetPolicy)
"""What there is nowhere else."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act. credits: that were moved; left: what whoever paid, or was paid from
    nothing, then has. jobs: ids of those that were changed. number: of its row in the
    log. account_id: of one that was made, or has all now; 0 for most."""

    credits: int = 0
    left: int = 0
    jobs: tuple[str, ...] = ()
    number: int = 0
    account_id: int = 0


def whom(act: Act) -> str:
    """Whom it is about."""
    match act:
        case OnJob():
            return f"job:{act.job_id}"
        case OnPerson():
            return person(act.account_id)
        case Pause() | Resume() if act.account_id is not None:
            return person(act.account_id)
        case Pause() | Resume() if act.channel is not None:
            return channel(act.channel)
        case Fill() | SetPolicy():
            return TREASURY
        case SetRole() | ToRole() | RoleDone():
            return f"role:{act.role}"
        case MakeVoucher() | StopVoucher():
            return f"voucher:{act.name}"
        case Block() | Unblock():
            return BLOCKLIST
    return ALL


def details(act: Act, outcome: Outcome) -> str:
    """All else that is to be known of it, as canonical JSON."""
    said = asdict(act)
    came: dict[str, Any] = {
        "moved": outcome.credits, "left": outcome.left, "jobs": list(outcome.jobs),
    }  # fmt: skip
    if outcome.account_id:
        came["account"] = outcome.account_id
    kept = said.keys() - {"server", "digest", "proof"}
    return canonical({name: said[name] for name in kept} | {"came": came})


def outcome_of(details: str, number: int) -> Outcome:
    """What `details` says that came of an act."""
    came = json.loads(details)["came"]
    jobs = tuple(came["jobs"])
    return Outcome(came["moved"], came["left"], jobs, number, came.get("account", 0))


def to_role(role: str, name: str, each: OnPerson, account_ids: Sequence[int]) -> ToRole:
    """each: as it is for any of them; where it holds on no server, on all of them."""
    says = {"server": each.server} | {f.name: getattr(each, f.name) for f in fields(each)}
    del says["account_id"]
    return ToRole(
        server=role.partition("/")[0], role=role.partition("/")[2], name=name, does=each.verb,
        says=canonical(says), account_ids=tuple(account_ids),
    )  # fmt: skip


def one_of(act: ToRole, account_id: int) -> OnPerson:
    """What is to be done to one of them."""
    said = json.loads(act.says)
    if said.get("until") is not None:
        said["until"] = datetime.fromisoformat(said["until"])
    return TO_MANY[act.does](account_id=account_id, **said)


def to_role_of(server: str, details: str) -> ToRole:
    """The act that `details` are of."""
    said = json.loads(details)
    wanted = {f.name: said[f.name] for f in fields(ToRole) if f.name != "server"}
    return ToRole(server=server, **wanted | {"account_ids": tuple(said["account_ids"])})


def canonical(value: Any) -> str:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_iso
    )


def moment(at: datetime) -> str:
    """ "3 Dec 2026, 12:00 UTC" """
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


def person(account_id: int) -> str:
    return f"account:{account_id}"


def channel(channel_id: str) -> str:
    return f"channel:{channel_id}"


def _iso(value: object) -> str:
    assert isinstance(value, datetime)
    return value.astimezone(UTC).isoformat()
