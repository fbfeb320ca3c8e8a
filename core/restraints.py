"""What holds for people, channels and servers until somebody lifts it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.moderation import ALL, EVERYWHERE, channel, moment, person
from core.places import channels, server
from core.treasury import Share


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


@dataclass(frozen=True, slots=True)
class Means:
    """What a job may be paid with beside its account's own, and how much of all that."""

    share: Share | None = None
    allowance: Allowance | None = None


OWN = Means()


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


def _hardness(restraint: Restraint) -> tuple[bool, bool, bool, float]:
    end = restraint.until
    ban = restraint.kind is Kind.BAN
    return ban, bars(restraint), end is None, end.timestamp() if end else 0.0
