"""The app's commands: what may be registered, beyond what the OpenAPI description says.

https://docs.discord.com/developers/interactions/application-commands
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tests.discord.refusals import Malformed
from tests.discord.world import MESSAGE_COMMAND, SLASH, USER_COMMAND, World

Json = dict[str, Any]

MOST = {SLASH: 100, USER_COMMAND: 15, MESSAGE_COMMAND: 15}
MOST_OPTIONS, MOST_CHOICES, MOST_CHARACTERS = 25, 25, 8000
SUBCOMMAND, GROUP, STRING, INTEGER, NUMBER = 1, 2, 3, 4, 10
_NAME = re.compile(r"^[-_'\w]{1,32}$")


def replace_all(world: World, commands: Sequence[Json]) -> list[Json]:
    """Register these commands and no others; those of the same name keep their ids.

    Raises:
        Malformed: with the command at fault.
    """
    for kind, most in MOST.items():
        if sum(c.get("type", SLASH) == kind for c in commands) > most:
            raise Malformed("commands", f"at most {most} commands of type {kind}")
    names = [(c.get("type", SLASH), c["name"]) for c in commands]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise Malformed("commands", f"names must be unique: {sorted(twice)}")
    for command in commands:
        check(command)
    ids = {(c["type"], c["name"]): int(c["id"]) for c in world.commands.values()}
    made = [_registered(world, c, ids) for c in commands]
    world.commands = {int(c["id"]): c for c in made}
    world.touch()
    return made


def _registered(world: World, command: Json, ids: dict[tuple[int, str], int]) -> Json:
    kind = command.get("type") or SLASH
    command_id = ids.get((kind, command["name"])) or world.new_id()
    made: Json = {k: v for k, v in command.items() if v is not None}
    permissions = command.get("default_member_permissions")
    return made | {
        "id": str(command_id),
        "application_id": str(world.app.id),
        "version": str(world.new_id()),
        "type": kind,
        "default_member_permissions": None if permissions is None else str(permissions),
        "description": command.get("description") or "",
        "nsfw": bool(command.get("nsfw")),
        "contexts": command.get("contexts"),
        "integration_types": command.get("integration_types") or [0],
        "options": [_option(o) for o in command.get("options") or ()],
    }


def _option(option: Json) -> Json:
    made = {k: v for k, v in option.items() if v is not None}
    if "options" in made:
        made["options"] = [_option(inner) for inner in made["options"]]
    return made


def check(command: Json) -> None:
    """Refuse what may not be a command.

    Raises:
        Malformed: with its fault.
    """
    name, kind = command["name"], command.get("type") or SLASH
    if kind == SLASH:
        _check_name(name, name)
        _check_description(name, command)
        _check_options(name, command.get("options") or ())
    else:
        if not 1 <= len(name) <= 32:
            raise _bad(name, "a name is 1 to 32 characters long")
        if command.get("description") or command.get("options"):
            raise _bad(name, "only slash commands have a description and options")
    if len("".join(_words(command))) > MOST_CHARACTERS:
        raise _bad(name, f"more than {MOST_CHARACTERS} characters in all")
    if 2 in (command.get("contexts") or ()) and 1 not in (command.get("integration_types") or (0,)):
        raise _bad(name, "PRIVATE_CHANNEL needs the user-install integration type")


def _check_name(command: str, name: str) -> None:
    if not _NAME.match(name):
        raise _bad(command, f"{name!r} is no name")
    if name != name.lower():
        raise _bad(command, f"{name!r} must be lower-case")


def _check_description(command: str, described: Json) -> None:
    if not 1 <= len(described.get("description") or "") <= 100:
        raise _bad(command, f"{described['name']}: a description is 1 to 100 characters long")


def _check_options(command: str, options: Sequence[Json]) -> None:
    if len(options) > MOST_OPTIONS:
        raise _bad(command, f"at most {MOST_OPTIONS} options")
    names = [option["name"] for option in options]
    if len(set(names)) != len(names):
        raise _bad(command, "the names of options must be unique")
    needed = [bool(o.get("required")) for o in options]
    if needed != sorted(needed, reverse=True):
        raise _bad(command, "required options come first")
    kinds = {o["type"] in (SUBCOMMAND, GROUP) for o in options}
    if len(kinds) == 2:
        raise _bad(command, "subcommands and options do not mix")
    for option in options:
        _check_name(command, option["name"])
        _check_description(command, option)
        if option["type"] in (SUBCOMMAND, GROUP):
            _check_options(command, option.get("options") or ())
        else:
            _check_choices(command, option)


def _check_choices(command: str, option: Json) -> None:
    choices = option.get("choices") or ()
    if option.get("autocomplete") and choices:
        raise _bad(command, f"{option['name']}: either choices or autocomplete")
    if (option.get("autocomplete") or choices) and option["type"] not in (STRING, INTEGER, NUMBER):
        raise _bad(command, f"{option['name']}: this type has no choices")
    if len(choices) > MOST_CHOICES:
        raise _bad(command, f"{option['name']}: at most {MOST_CHOICES} choices")
    for key in ("name", "value"):
        values = [choice[key] for choice in choices]
        if len(set(values)) != len(values):
            raise _bad(command, f"{option['name']}: choices must be unique")
    for least, most in (("min_value", "max_value"), ("min_length", "max_length")):
        low, high = option.get(least), option.get(most)
        if low is not None and high is not None and low > high:
            raise _bad(command, f"{option['name']}: {least} is above {most}")


def _words(described: Json) -> Iterator[str]:
    """What counts towards the 8000 characters: the longest of each text's localisations."""
    for key in ("name", "description"):
        texts = [described.get(key) or "", *(described.get(f"{key}_localizations") or {}).values()]
        yield max(texts, key=len)
    for choice in described.get("choices") or ():
        yield choice["name"]
        if isinstance(choice["value"], str):
            yield choice["value"]
    for option in described.get("options") or ():
        yield from _words(option)


def _bad(command: str, why: str) -> Malformed:
    return Malformed("commands", f"{command}: {why}")
