"""What people give with what they ask: options, files and filled-in fields, as Discord's app lets
them, and whom or what they mean by ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.discord import components, payloads, permissions
from tests.discord.cdn import Upload
from tests.discord.world import Channel, User, World

Json = dict[str, Any]

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN = 1, 2, 3, 4, 5
USER_OPTION, CHANNEL_OPTION, ROLE_OPTION, NUMBER, ATTACHMENT = 6, 7, 8, 10, 11


class Impossible(Exception):
    """What Discord's app would not have let a person do; with the reason."""


class Given:
    """Of one person in a channel. resolved: what the ids in it mean, as Discord sends it along."""

    def __init__(self, world: World, user: User, channel: Channel) -> None:
        self._world = world
        self._user = user
        self._channel = channel
        self.resolved: Json = {}

    def values(self, taken: Sequence[Json], options: Mapping[str, object]) -> list[Json]:
        known = {o["name"]: o for o in taken}
        strange = set(options) - set(known)
        if strange:
            raise Impossible(f"no options {sorted(strange)}; there are {sorted(known)}")
        missing = [o["name"] for o in taken if o.get("required") and o["name"] not in options]
        if missing:
            raise Impossible(f"missing options {missing}")
        return [
            {
                "name": name,
                "type": known[name]["type"],
                "value": self._value(known[name], value),
            }
            for name, value in options.items()
        ]

    def _value(self, option: Json, value: object) -> object:
        name, kind = option["name"], option["type"]
        if kind == ATTACHMENT:
            return self._upload(value)
        if kind in (USER_OPTION, CHANNEL_OPTION, ROLE_OPTION):
            chosen = str(getattr(value, "id", value))
            select = {USER_OPTION: 5, ROLE_OPTION: 6, CHANNEL_OPTION: 8}[kind]
            self.name(select, [chosen])
            return chosen
        fits: dict[int, tuple[type, ...]] = {
            STRING: (str,),
            INTEGER: (int,),
            BOOLEAN: (bool,),
            NUMBER: (int, float),
        }
        if not isinstance(value, fits[kind]) or (kind != BOOLEAN and isinstance(value, bool)):
            raise Impossible(f"{name} does not take {value!r}")
        _check_range(option, value)
        return value

    def _upload(self, value: object) -> str:
        if isinstance(value, bytes):
            value = Upload("picture.png", value)
        if not isinstance(value, Upload):
            raise Impossible(f"{value!r} is no file")
        limit = max(self._user.limit, permissions.upload_limit(self._world, self._channel.guild_id))
        if len(value.data) > limit:
            raise Impossible(f"{value.filename} is over the limit of {limit} bytes")
        place = f"ephemeral-attachments/{self._world.app.id}"
        kept = self._world.cdn.take(self._world.new_id(), place, value)
        shown = payloads.attachment(self._world, kept)
        self.resolved.setdefault("attachments", {})[str(kept.id)] = shown
        return str(kept.id)

    def name(self, select: int, ids: Sequence[str]) -> None:
        """Say who or what is meant by the ids chosen in a select of this type."""
        guild = self._world.guilds.get(self._channel.guild_id or 0)
        resolved = self.resolved
        for chosen in ids:
            found = int(chosen) if chosen.isdigit() else 0
            if select in (5, 7) and found in self._world.users:
                shown = payloads.user(self._world.users[found])
                resolved.setdefault("users", {})[chosen] = shown
                if guild and found in guild.members:
                    member = payloads.interacting_member(self._world, guild, self._channel, found)
                    del member["user"]
                    resolved.setdefault("members", {})[chosen] = member
            if select in (6, 7) and guild and found in guild.roles:
                resolved.setdefault("roles", {})[chosen] = payloads.role(guild.roles[found])
            if select == 8 and found in self._world.channels:
                where = self._world.channels[found]
                may = permissions.of(self._world, self._user.id, where)
                shown = payloads.channel(self._world, where) | {"permissions": str(int(may))}
                resolved.setdefault("channels", {})[chosen] = shown

    def filled(self, parts: Sequence[Json], filled: Mapping[str, object]) -> list[Json]:
        """The parts of a modal as they are sent. filled: by label or custom_id; what is not named
        stays as it was.

        Raises:
            Impossible: a field is unknown, missing, too short or too long.
        """
        left = dict(filled)
        answers = [self._fill(part, left) for part in parts]
        if left:
            raise Impossible(f"the modal has no {sorted(left)}")
        return answers

    def _fill(self, part: Json, left: dict[str, object]) -> Json:
        """One part of a modal, filled in; what was used of `left` is taken out of it."""
        kind = part["type"]
        if kind == components.ROW:
            inside = [self._fill_field(c, c, left) for c in part["components"]]
            return {"type": kind, "id": part["id"], "components": inside}
        if kind == components.LABEL:
            field = self._fill_field(part, part["component"], left)
            return {"type": kind, "id": part["id"], "component": field}
        return {"type": kind, "id": part["id"]}

    def _fill_field(self, named: Json, field: Json, left: dict[str, object]) -> Json:
        names = (named.get("label"), field["custom_id"])
        key = next((k for k in left if k in names), None)
        given = left.pop(key) if key is not None else None
        told = {"type": field["type"], "id": field["id"], "custom_id": field["custom_id"]}
        if field["type"] == components.TEXT_INPUT:
            text = str(given) if given is not None else field.get("value") or ""
            _check_typed(names[0], field, text)
            return told | {"value": text}
        if field["type"] == components.FILE_UPLOAD:
            files = given if isinstance(given, list | tuple) else [given] if given else []
            ids = [self._upload(file) for file in files]
            if len(ids) < (field.get("min_values", 1) if field.get("required", True) else 0):
                raise Impossible(f"{names[0]} needs a file")
            return told | {"values": ids}
        if field["type"] in components.SELECTS:
            chosen = given if given is not None else _chosen_beforehand(field)
            values = [chosen] if isinstance(chosen, str) else list(chosen)  # type: ignore[call-overload]
            if values or field.get("required", True):
                check_chosen(field, values)
            self.name(field["type"], values)
            return told | {"values": values}
        if field["type"] == 22:
            return told | {"values": list(given or ())}  # type: ignore[call-overload]
        return told | {"value": given}


def _check_range(option: Json, value: object) -> None:
    name = option["name"]
    choices = option.get("choices")
    if choices and value not in [choice["value"] for choice in choices]:
        raise Impossible(f"{name} takes one of {[c['value'] for c in choices]}, not {value!r}")
    measure = len(value) if isinstance(value, str) else value
    assert isinstance(measure, int | float)
    suffix = "length" if isinstance(value, str) else "value"
    if measure < option.get(f"min_{suffix}", measure):
        raise Impossible(f"{name} is below {option[f'min_{suffix}']}")
    if measure > option.get(f"max_{suffix}", measure):
        raise Impossible(f"{name} is above {option[f'max_{suffix}']}")


def check_chosen(select: Json, values: Sequence[str]) -> None:
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not least <= len(values) <= most:
        raise Impossible(f"{select['custom_id']} takes {least} to {most} values")
    known = [option["value"] for option in select.get("options") or ()]
    strange = [value for value in values if known and value not in known]
    if strange:
        raise Impossible(f"{select['custom_id']} has no {strange}; it has {known}")


def _chosen_beforehand(select: Json) -> list[str]:
    chosen = [o["value"] for o in select.get("options") or () if o.get("default")]
    return chosen or [d["id"] for d in select.get("default_values") or ()]


def _check_typed(label: object, field: Json, text: str) -> None:
    if not text and field.get("required", True):
        raise Impossible(f"{label} is required")
    if text and len(text) < (field.get("min_length") or 0):
        raise Impossible(f"{label} is too short")
    if len(text) > (field.get("max_length") or 4000):
        raise Impossible(f"{label} is too long")
