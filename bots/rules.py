"""How those who lead a server or a chat change its rules, and what then holds, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.errors import BadPrompt
from core.places import Rules
from core.safety.level import Level

CHANNELS_MAX = 25

UNSET = "any"
"""In place of a resolution or a model: as it is where nothing is set."""


def changed(rules: Rules, said: Mapping[str, Any]) -> Rules:
    """The rules with what was said. channel: allowed, or no longer where it was. Raises BadPrompt.

    0 and "any" take a setting back.
    """
    new: dict[str, Any] = {}
    for name in ("seconds", "longest"):
        if said.get(name) is not None:
            new[name] = said[name] or None
    for name in ("resolution", "largest", "model"):
        if said.get(name) is not None:
            new[name] = None if said[name] == UNSET else said[name]
    if said.get("level") is not None:
        new["level"] = None if said["level"] == UNSET else _level(said["level"])
    for name in ("private", "ping"):
        if said.get(name) is not None:
            new[name] = said[name]
    if (channel := said.get("channel")) is not None:
        others = tuple(one for one in rules.channels if one != channel)
        new["channels"] = others if channel in rules.channels else (*others, channel)
        if len(new["channels"]) > CHANNELS_MAX:
            raise BadPrompt(f"Up to {CHANNELS_MAX} channels can be named: take one out first.")
    after = replace(rules, **new)
    if after.seconds and after.longest and after.seconds > after.longest:
        raise BadPrompt(
            f"{after.seconds:g} s where nobody says is more than the most, {after.longest:g} s.",
            flag="seconds",
        )
    return after


def lengths(rules: Rules) -> str:
    usual = f"{rules.seconds:g} s" if rules.seconds else "as the model has it"
    most = f"{rules.longest:g} s at most" if rules.longest else "as long as the model can"
    return f"{usual}; {most}"


def sizes(rules: Rules) -> str:
    usual = rules.resolution or "as the model has it"
    most = f"{rules.largest} at most" if rules.largest else "as large as the model can"
    return f"{usual}; {most}"


def model(rules: Rules) -> str:
    return rules.model or "the usual one"


def level(rules: Rules) -> str:
    if rules.level is None:
        return "as the operator has it"
    if rules.level is Level.ADULT:
        return "adult in age-restricted chats where the operator allows it, else standard"
    return rules.level.value


def _level(said: str) -> Level:
    try:
        return Level(said)
    except ValueError:
        known = tuple(Level)
        raise BadPrompt(
            f'There is no level "{said}"; there are {", ".join(known)}.', allowed=known
        ) from None
