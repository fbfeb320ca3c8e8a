"""What moderators do, as values; who may do it to whom; what then holds, and for whom.

Pure. A server is as in `core.places.server`. Whom something is about is a word: "account:12",
"channel:92", "treasury", or "all".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any, ClassVar

from core.errors import BadPrompt, Refused
from core.places import channels, server
from core.plans import FREE, Plans
from core.treasury import Policy

EVERYWHERE = ""
"""In place of a server: on all of them, and on the page."""

ALL, TREASURY = "all", "treasury"
BY_HAND = "moderator"
"""The source of a claim on a plan that a moderator assigned."""
CREDITS_MAX = 1_000_000_000
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
class Note(OnPerson):
    """For other moderators; it is kept in the log alone."""

    verb: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(OnPerson):
    """Somebody's job, which then costs them nothing. account_id: whose it is."""

    verb: ClassVar[str] = "cancel"
    job_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(OnPerson):
    """Somebody's clip that has ended, and its words; what it cost stays paid. account_id: whose."""

    verb: ClassVar[str] = "delete"
    job_id: str
    reason: str = ""


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


OF_OPERATORS = (Take, SetPlan, Fill)
"""What makes, takes or changes what somebody has everywhere."""

OF_A_SERVER = (SetQuota, Fill, SetPolicy)
"""What there is nowhere else."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act. credits: that were moved; left: what whoever paid, or was paid from
    nothing, then has. jobs: ids of those that were cancelled or deleted. number: of its row in the
    log."""

    credits: int = 0
    left: int = 0
    jobs: tuple[str, ...] = ()
    number: int = 0


class Kind(StrEnum):
    BAN = "ban"
    PAUSE = "pause"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True)
class Restraint:
    """What holds until somebody lifts it, or until then. credits: of a quota."""

    kind: Kind
    server: str
    whom: str
    reason: str = ""
    until: datetime | None = None
    credits: int = 0

    def over(self, account_id: int, place: str, now: datetime) -> bool:
        """Whether it concerns what an account asks for at a place."""
        return (
            (self.until is None or now < self.until)
            and self.server in (EVERYWHERE, server(place))
            and self.whom in (ALL, person(account_id), *map(channel, channels(place)))
        )


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most that a job's account may spend on a server from `since` on, with that job."""

    server: str
    credits: int
    since: datetime


def may(actor: Actor, act: Act, theirs: Rank = Rank.MEMBER) -> None:
    """Raises Refused. theirs: the rank of the person whom it is done to.

    | | member | moderator | operator, host |
    | --- | --- | --- | --- |
    | grant | – | from the server's treasury | to anybody, from nothing |
    | take, plan, fill | – | – | yes |
    | quota, policy | – | on their server | on any |
    | cancel, delete | – | jobs that were posted on their server | any |
    | pause, resume | – | a person, a channel, or all of their server | those, and the whole queue |
    | ban, unban, note | – | on their server | on any, and everywhere |
    | to somebody of their own rank or above | – | – | – |
    """
    if actor.rank < Rank.MODERATOR:
        raise Refused("Only who leads a server or a chat, or runs this Kinora, may do that.")
    if actor.rank is Rank.MODERATOR:
        if isinstance(act, OF_OPERATORS):
            raise Refused(f"Only who runs this Kinora may do that: {act.verb}.")
        if act.server != actor.server:
            raise Refused("You may do that on the server that you lead, and nowhere else.")
    if theirs >= actor.rank and isinstance(act, OnPerson | Pause | Resume) and act.account_id:
        raise Refused("Nobody acts on their own rank, or above it. Nothing was changed.")


def check(act: Act, now: datetime, plans: Plans) -> None:
    """Raises BadPrompt for what can't be meant."""
    credits = getattr(act, "credits", None)
    least = 0 if isinstance(act, SetQuota) else 1
    if credits is not None and not least <= credits <= CREDITS_MAX:
        raise BadPrompt(f"Say how many credits, as a whole number from {least} to {CREDITS_MAX}.")
    until = getattr(act, "until", None)
    if until is not None and until <= now:
        raise BadPrompt(f"That ended already: it is {moment(now)} now.")
    words = getattr(act, "reason", None) if not isinstance(act, Note) else act.text
    if words is not None and len(words) > REASON_CHARS:
        raise BadPrompt(f"Up to {REASON_CHARS} characters, please; these are {len(words)}.")
    if isinstance(act, Ban | Note) and not (words or "").strip():
        raise BadPrompt("Say why: others will want to know." if isinstance(act, Ban) else
                        "Say what is to be noted.")  # fmt: skip
    if isinstance(act, OF_A_SERVER) and act.server == EVERYWHERE:
        raise BadPrompt("Say on which server, as in discord:81.")
    if act.server != EVERYWHERE and not all(act.server.partition(":")):
        raise BadPrompt(f'"{act.server}" is no server: write it as discord:81.')
    if isinstance(act, Pause | Resume) and act.channel and act.server == EVERYWHERE:
        raise BadPrompt("Say on which server the channel is, as in discord:81.")
    if isinstance(act, SetPlan) and act.plan not in plans.by_name:
        known = tuple(plans.by_name)
        raise BadPrompt(
            f'There is no plan "{act.plan}"; there are {", ".join(known)}.', allowed=known
        )


def whom(act: Act) -> str:
    """Whom it is about."""
    match act:
        case Cancel() | Delete():
            return f"job:{act.job_id}"
        case OnPerson():
            return person(act.account_id)
        case Pause() | Resume() if act.account_id is not None:
            return person(act.account_id)
        case Pause() | Resume() if act.channel is not None:
            return channel(act.channel)
        case Fill() | SetPolicy():
            return TREASURY
    return ALL


def details(act: Act, outcome: Outcome) -> str:
    """All else that is to be known of it, as canonical JSON."""
    said = asdict(act)
    came = {"moved": outcome.credits, "left": outcome.left, "jobs": list(outcome.jobs)}
    return canonical({name: said[name] for name in said if name != "server"} | {"came": came})


def outcome_of(details: str, number: int) -> Outcome:
    """What `details` says that came of an act."""
    came = json.loads(details)["came"]
    return Outcome(came["moved"], came["left"], tuple(came["jobs"]), number)


def canonical(value: Any) -> str:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_iso
    )


def hindrance(
    restraints: Iterable[Restraint], account_id: int, place: str, now: datetime
) -> Restraint | None:
    """What keeps a job of an account at a place from starting; the hardest, where several do."""
    found = [
        restraint
        for restraint in restraints
        if restraint.kind is not Kind.QUOTA and restraint.over(account_id, place, now)
    ]
    return max(found, key=_hardness, default=None)


def bars(restraint: Restraint) -> bool:
    """Whether nothing new is taken, either. Where all is paused, what comes waits."""
    return restraint.kind is Kind.BAN or restraint.whom != ALL


def quota(
    restraints: Iterable[Restraint], account_id: int, place: str, now: datetime
) -> Restraint | None:
    for restraint in restraints:
        if restraint.kind is Kind.QUOTA and restraint.over(account_id, place, now):
            return restraint
    return None


def why(restraint: Restraint) -> str:
    """To whom it concerns: "You are banned here until 3 Dec 2026, 12:00 UTC: spam."."""
    wide = restraint.server == EVERYWHERE
    if restraint.kind is Kind.BAN:
        said = "You are banned from this Kinora" if wide else "You are banned here"
    elif restraint.whom == ALL:
        said = "All is paused" if wide else "All is paused here"
    elif restraint.whom.startswith("channel:"):
        said = "This channel is paused"
    else:
        said = "You are paused" if wide else "You are paused here"
    end = f" until {moment(restraint.until)}" if restraint.until else ""
    return f"{said}{end}: {restraint.reason}" if restraint.reason else f"{said}{end}."


def told(act: Act, name: str, outcome: Outcome) -> str:
    """What was done, and to whom, in words. name: of the person."""
    place = _on(act.server)
    match act:
        case Grant() if act.server == EVERYWHERE:
            return f"{_credits(act.credits)} for {name}, who has {outcome.left} now."
        case Grant():
            return (
                f"{_credits(act.credits)} for {name} from the treasury of {act.server}, "
                f"which has {outcome.left} left."
            )
        case Take():
            short = act.credits - outcome.credits
            rest = f" {short} could not be taken: spent, or held for clips." if short else ""
            return f"{_credits(outcome.credits)} taken from {name}, who has {outcome.left}.{rest}"
        case SetQuota() if act.credits is None:
            return f"{name} has no quota{place} any more."
        case SetQuota():
            return f"{name} may spend {_credits(act.credits or 0)} a day{place}."
        case SetPlan() if act.plan == FREE:
            return f"{name} has the plan {FREE}, unless a role or a purchase gives a better one."
        case SetPlan():
            return f"{name} has the plan {act.plan}{_until(act.until)}."
        case Ban():
            lost = f" Clips cancelled: {len(outcome.jobs)}." if outcome.jobs else ""
            end = _until(act.until) or " for good"
            return f"{name} is banned{place}{end}: {act.reason}.{lost}"
        case Unban():
            return f"{name} is not banned{place} any more."
        case Note():
            return f"Noted about {name}: {act.text}"
        case Cancel():
            return f"Clip {act.job_id} of {name} is cancelled, and cost nothing."
        case Delete():
            return f"Clip {act.job_id} of {name} is deleted."
        case Pause():
            reason = f": {act.reason}" if act.reason else ""
            return f"{_paused(act, name)} paused{place}{_until(act.until)}{reason}."
        case Resume():
            return f"{_paused(act, name)} not paused{place} any more."
        case Fill():
            return (
                f"{_credits(act.credits)} into the treasury of {act.server}, which has "
                f"{outcome.left} now."
            )
        case SetPolicy():
            return f"The treasury of {act.server}: {allowed(act.policy)}."
    raise AssertionError(act)


def allowed(policy: Policy) -> str:
    """What a treasury is for, in words."""
    said = []
    for one in fields(policy):
        value = getattr(policy, one.name)
        if value not in (None, ()):
            shown = " ".join(map(str, value)) if isinstance(value, tuple) else value
            said.append(f"{one.name} {shown}")
    return ", ".join(said) or "anybody, for anything"


def moment(at: datetime) -> str:
    """ "3 Dec 2026, 12:00 UTC" """
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


def person(account_id: int) -> str:
    return f"account:{account_id}"


def channel(channel_id: str) -> str:
    return f"channel:{channel_id}"


def _hardness(restraint: Restraint) -> tuple[bool, bool, bool, float]:
    end = restraint.until
    ban = restraint.kind is Kind.BAN
    return ban, bars(restraint), end is None, end.timestamp() if end else 0.0


def _paused(act: Pause | Resume, name: str) -> str:
    if act.account_id is not None:
        return f"{name} is"
    if act.channel is not None:
        return f"Channel {act.channel} is"
    return "The whole queue is" if act.server == EVERYWHERE else "All is"


def _on(server: str) -> str:
    return "" if server == EVERYWHERE else f" on {server}"


def _until(at: datetime | None) -> str:
    return f" until {moment(at)}" if at else ""


def _credits(count: int) -> str:
    return f"{count} credit" if count == 1 else f"{count} credits"


def _iso(value: object) -> str:
    assert isinstance(value, datetime)
    return value.astimezone(UTC).isoformat()
