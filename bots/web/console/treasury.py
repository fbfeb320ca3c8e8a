"""A treasury: filled by who runs this Kinora; what it is for, who leads the server says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bots.web.console.acts import Form
from core.errors import BadPrompt
from core.moderation import CREDITS_MAX, Act, Fill, SetPolicy
from core.treasury import Policy

MEMBERS_MOST = 100
LONGEST_SECONDS = 3600
FIELDS = ("daily", "members", "models", "channels", "longest", "largest", "hours")


def on_treasury(models: Sequence[str]) -> Mapping[str, Callable[[Form], Act]]:
    """models: by name, those that there are."""
    return {"fill": _fill, "policy": partial(_policy, models)}


def shown(policy: Policy) -> Mapping[str, str]:
    """As its form is filled in."""
    hours = f"{policy.hours[0]}-{policy.hours[1]}" if policy.hours else ""
    return {
        "daily": "" if policy.daily is None else str(policy.daily),
        "members": " ".join(f"{number}#" for number in policy.members),
        "models": " ".join(policy.models),
        "channels": " ".join(policy.channels),
        "longest": f"{policy.longest:g}" if policy.longest else "",
        "largest": policy.largest or "",
        "hours": hours,
    }


def _fill(form: Form) -> Act:
    return Fill(server=form.server, credits=form.credits(), reason=form.reason)


def _policy(models: Sequence[str], form: Form) -> Act:
    """Raises BadPrompt."""
    said = {name: form.said.get(name, "").strip() for name in FIELDS}
    daily = _each(said["daily"], r"[0-9]{1,10}", "A day's most is a whole number of credits.")
    if daily and int(daily[0]) > CREDITS_MAX:
        raise BadPrompt(f"A day's most is up to {CREDITS_MAX} credits.")
    members = _each(said["members"], r"[0-9]{1,18}#", "Members are named as in 12# 14#.")
    if len(members) > MEMBERS_MOST:
        raise BadPrompt(f"Name up to {MEMBERS_MOST} members; empty stands for all of them.")
    known = "|".join(map(re.escape, models))
    return SetPolicy(
        server=form.server,
        policy=Policy(
            daily=int(daily[0]) if daily else None,
            members=tuple(int(one[:-1]) for one in members),
            models=_each(said["models"], known, f"The models here are {', '.join(models)}."),
            channels=_each(said["channels"], r"[0-9@]{1,20}", "Channels are named by their ids."),
            longest=_seconds(said["longest"]),
            largest=next(iter(_each(said["largest"], r"[0-9]{3,4}p", "Write it as 480p.")), None),
            hours=_hours(said["hours"]),
        ),
    )


def _each(said: str, pattern: str, wrong: str) -> tuple[str, ...]:
    """The words of a field. Raises BadPrompt with `wrong`."""
    words = tuple(said.replace(",", " ").split())
    if not all(re.fullmatch(pattern, word) for word in words):
        raise BadPrompt(f"{wrong} Leave it empty for no limit.")
    return words


def _seconds(said: str) -> float | None:
    if not said:
        return None
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", said) or not 0 < float(said) <= (
        LONGEST_SECONDS
    ):
        raise BadPrompt(f"The longest clip is in seconds, up to {LONGEST_SECONDS}.")
    return float(said)


def _hours(said: str) -> tuple[int, int] | None:
    if not said:
        return None
    found = re.fullmatch(r"([0-9]{1,2})\s*[-–]\s*([0-9]{1,2})", said)
    if not found or int(found[1]) > 23 or int(found[2]) > 24:
        raise BadPrompt("Write the hours as 18-2: from 18:00 until 2:00.")
    return int(found[1]), int(found[2])
