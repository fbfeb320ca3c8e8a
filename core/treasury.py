"""A server's treasury: credits that its members spend before their own, where its policy lets them.

Pure: who holds the credits is storage's business, and who may set a policy is the bots'.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from typing import Any

from core.job import Account
from core.places import channels, lines
from core.request import Request


@dataclass(frozen=True, slots=True)
class Policy:
    """What the credits of a server are for. (), None: anything, or anybody.

    daily: the most that one member spends of it on a local day. members: ids of accounts.
    models, channels: by name, and by the platform's id. longest (seconds), largest (resolution):
    of a clip. hours: local ones, from the first until the second, as in (18, 2).
    """

    daily: int | None = None
    members: tuple[int, ...] = ()
    models: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    longest: float | None = None
    largest: str | None = None
    hours: tuple[int, int] | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Policy:
        listed = {name: tuple(values[name]) for name in ("members", "models", "channels")}
        hours = tuple(values["hours"]) if values["hours"] else None
        return cls(**{**values, **listed, "hours": hours})


@dataclass(frozen=True, slots=True)
class Treasury:
    """account_id: the account that holds a server's credits."""

    account_id: int
    policy: Policy


@dataclass(frozen=True, slots=True)
class Share:
    """What a job may take of another account than its own, which pays the rest.

    daily: the most that the job's account takes there from `since` on; None: no limit.
    """

    account_id: int
    daily: int | None
    since: datetime


def allows(
    policy: Policy,
    account: Account,
    request: Request,
    whole_seconds: float,
    place: str,
    now: datetime,
    zone: tzinfo,
) -> bool:
    """Whether that clip may be paid for by the treasury of the place's server.

    whole_seconds: with what it goes on from.
    """
    return (
        (not policy.members or account.id in policy.members)
        and (not policy.models or request.model in policy.models)
        and (not policy.channels or not set(policy.channels).isdisjoint(channels(place)))
        and (policy.longest is None or whole_seconds <= policy.longest + 1 / request.frame_rate)
        and (policy.largest is None or lines(request.resolution) <= lines(policy.largest))
        and (policy.hours is None or _within(now.astimezone(zone).hour, *policy.hours))
    )


def _within(hour: int, first: int, last: int) -> bool:
    return first <= hour < last if first < last else hour >= first or hour < last
