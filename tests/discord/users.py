"""People: what they type, press and see. They can do no more than Discord's own app lets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.discord import components, interactions, messages, payloads, permissions
from tests.discord.cdn import Attachment, Upload
from tests.discord.messages import Body
from tests.discord.permissions import Permission
from tests.discord.world import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    DM,
    EPHEMERAL,
    GROUP_DM,
    LOADING,
    MESSAGE_COMMAND,
    MODAL,
    PUBLIC_THREAD,
    SILENT,
    SLASH,
    Channel,
    Interaction,
    Message,
    User,
    World,
)

Json = dict[str, Any]

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN = 1, 2, 3, 4, 5
USER_OPTION, CHANNEL_OPTION, ROLE_OPTION, NUMBER, ATTACHMENT = 6, 7, 8, 10, 11


class Impossible(Exception):
    """What Discord's app would not have let a person do; with the reason."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file that somebody could see, in one message."""

    at: float
    message_id: int
    channel_id: int
    attachment: Attachment


class Asked:
    """Something a person asked of the app, and what came of it."""

    def __init__(self, world: World, interaction_id: int) -> None:
        self._world = world
        self.id = interaction_id

    @property
    def now(self) -> Interaction:
        """How it stands."""
        return self._world.interactions[self.id]

    @property
    def latency(self) -> float | None:
        return self.now.latency

    async def acknowledged(self) -> Interaction:
        """Wait until the app said something, be it "thinking…"."""
        await self._world.until(lambda: self.now.acknowledged is not None, f"{self} acknowledged")
        return self.now

    async def message(self, when: Callable[[Message], object] | None = None) -> Message:
        """Wait for the answer: the first that is no "thinking…", or the first of which `when`."""

        def found() -> Message | None:
            message = self._world.messages.get(self.now.original_id or 0)
            if message is None or message.flags & LOADING:
                return None
            return message if when is None or when(message) else None

        message = await self._world.until(found, f"an answer to {self}")
        assert message is not None
        return message

    async def modal(self) -> Json:
        """Wait for the form that the app shows."""
        modal = await self._world.until(lambda: self.now.modal, f"a modal for {self}")
        assert modal is not None
        return modal

    async def choices(self) -> list[Json]:
        """Wait for what autocomplete offers; each with its name and value."""
        await self._world.until(lambda: self.now.choices is not None, f"choices for {self}")
        return list(self.now.choices or ())

    def followups(self) -> list[Message]:
        """What the app said besides its answer."""
        mine = str(self.id)
        return [
            m
            for m in self._world.messages.values()
            if m.origin and m.origin["id"] == mine and m.id != self.now.original_id
        ]

    def __str__(self) -> str:
        return f"interaction {self.id} of type {self.now.kind}"


class Person:
    """Somebody at Discord's own app."""

    def __init__(self, world: World, user_id: int) -> None:
        self._world = world
        self.id = user_id

    @property
    def user(self) -> User:
        return self._world.users[self.id]

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    # What they do.

    def slash(self, name: str, channel: Channel, **options: object) -> Asked:
        """Type a command. name: `settings show` with its subcommand; options: by name, files as
        `Upload` or bytes.

        Raises:
            Impossible: the command is not there, or the options are not what it takes.
        """
        command, path, taken = self._command(name, SLASH, channel)
        resolved: Json = {}
        values = self._values(channel, taken, options, resolved)
        return self._run(command, channel, _nested(path, values), resolved)

    def autocomplete(self, name: str, channel: Channel, focused: str, **typed: object) -> Asked:
        """Stop typing in the option `focused`; typed: what is in the options so far.

        Raises:
            Impossible: the option has no autocomplete.
        """
        command, path, taken = self._command(name, SLASH, channel)
        option = next((o for o in taken if o["name"] == focused), None)
        if option is None or not option.get("autocomplete"):
            raise Impossible(f"/{name} has no autocomplete for {focused}")
        kinds = {o["name"]: o["type"] for o in taken}
        values: list[Json] = [
            {"name": key, "type": kinds[key], "value": value}
            | ({"focused": True} if key == focused else {})
            for key, value in ({focused: ""} | typed).items()
        ]
        data = _command_data(command, _nested(path, values), {})
        return self._send(AUTOCOMPLETE, channel, data, {})

    def message_command(self, name: str, message: Message) -> Asked:
        """Choose an app from a message's menu.

        Raises:
            Impossible: the command is not there, or the message is not to be seen.
        """
        self._look_at(message)
        channel = self._world.channels[message.channel_id]
        command, _, _ = self._command(name, MESSAGE_COMMAND, channel)
        shown = payloads.message(self._world, message)
        data = _command_data(command, [], {"messages": {str(message.id): shown}})
        data["target_id"] = str(message.id)
        return self._send(COMMAND, channel, data, {"type": 2, "target_message_id": str(message.id)})

    def press(self, message: Message, words: str) -> Asked:
        """Press a button, which is called by its label, or part of it, or its custom_id.

        Raises:
            Impossible: it is disabled, or a link, or not to be seen.
        """
        button = self._component(message, words)
        if button["type"] != components.BUTTON or not button.get("custom_id"):
            raise Impossible(f"{words!r} is no button that asks the app")
        data = {"component_type": button["type"], "custom_id": button["custom_id"]}
        return self._use(message, button, data)

    def choose(self, message: Message, words: str, *values: str) -> Asked:
        """Choose in a select. values: of its options; or ids, where it has none.

        Raises:
            Impossible: it has no such options, or takes more or fewer.
        """
        select = self._component(message, words)
        if select["type"] not in components.SELECTS:
            raise Impossible(f"{words!r} is no select")
        _check_chosen(select, values)
        resolved = self._resolve_ids(select["type"], self._place(message), values)
        data = {
            "component_type": select["type"],
            "custom_id": select["custom_id"],
            "values": list(values),
        }
        return self._use(message, select, data | ({"resolved": resolved} if resolved else {}))

    async def submit_modal(self, asked: Asked, filled: Mapping[str, object]) -> Asked:
        """Fill in the form that came of `asked`, and send it. filled: by label or custom_id; what
        is not named stays as it was.

        Raises:
            Impossible: a field is unknown, missing, too short or too long.
        """
        modal = await asked.modal()
        before = asked.now
        channel = self._world.channels[before.channel_id]
        left = dict(filled)
        resolved: Json = {}
        answers = [self._fill(channel, part, left, resolved) for part in modal["components"]]
        if left:
            raise Impossible(f"the modal has no {sorted(left)}")
        data: Json = {"custom_id": modal["custom_id"], "components": answers}
        if resolved:
            data["resolved"] = resolved
        origin: Json = {"type": MODAL, "triggering_interaction_metadata": before.origin}
        source = self._world.messages.get(before.source_id or 0)
        return self._send(MODAL, channel, data, origin, source)

    def post(self, channel: Channel, content: str = "", files: Sequence[Upload] = ()) -> Message:
        """Say something, as people do.

        Raises:
            Impossible: they may not.
        """
        self._need(channel, Permission.VIEW_CHANNEL)
        if channel.kind not in (DM, GROUP_DM):
            threaded = channel.kind == PUBLIC_THREAD
            needed = Permission.SEND_MESSAGES_IN_THREADS if threaded else Permission.SEND_MESSAGES
            self._need(channel, needed)
        body = Body({"content": content}, dict(enumerate(files)))
        limit = max(self.user.limit, permissions.upload_limit(self._world, channel.guild_id))
        return messages.create(self._world, channel, self.id, body, limit)

    # What they see.

    def sees(self, message: Message) -> bool:
        """Whether it is, or was, theirs to see."""
        if message.audience is not None:
            return message.audience == self.id
        where = message.channel_id
        channel = self._world.channels.get(where) or self._world.gone[where]
        return bool(permissions.of(self._world, self.id, channel) & Permission.VIEW_CHANNEL)

    def clips(self) -> list[Sighting]:
        """Every video that came before their eyes: once for each message and each content, however
        often it was edited in, and whether or not it is still there."""
        seen: dict[tuple[int, str], Sighting] = {}
        for version in self._world.history:
            message = version.message
            if version.what == "deleted" or not self.sees(message):
                continue
            for attachment in message.attachments:
                if attachment.video:
                    key = (message.id, attachment.sha256)
                    sight = Sighting(version.at, message.id, message.channel_id, attachment)
                    seen.setdefault(key, sight)
        return list(seen.values())

    def pings(self) -> list[Message]:
        """Messages that notified them: new ones that mention them, or came by direct message."""
        app = self._world.app.id
        found = []
        for version in self._world.history:
            message = version.message
            if version.what != "created" or message.author_id != app or not self.sees(message):
                continue
            channel = self._world.channels.get(message.channel_id)
            direct = channel is not None and channel.kind == DM and not message.application
            loud = not message.flags & (EPHEMERAL | SILENT)
            if (self.id in message.mentioned or direct) and loud:
                found.append(message)
        return found

    # How they come to it.

    def _command(
        self, name: str, kind: int, channel: Channel
    ) -> tuple[Json, list[Json], list[Json]]:
        """A registered command that can be used here; its subcommands; the options it takes."""
        first, *rest = [name] if kind != SLASH else name.split()
        found = [
            c for c in self._world.commands.values() if c["type"] == kind and c["name"] == first
        ]
        if not found:
            known = [c["name"] for c in self._world.commands.values() if c["type"] == kind]
            raise Impossible(f"there is no command {first!r}; there are {known}")
        command = found[0]
        self._may_use(command, channel)
        path: list[Json] = []
        options: list[Json] = command["options"]
        for word in rest:
            inner = next((o for o in options if o["name"] == word and o["type"] < STRING), None)
            if inner is None:
                raise Impossible(f"/{first} has no {word}")
            path.append(inner)
            options = inner.get("options") or []
        if any(o["type"] in (SUBCOMMAND, GROUP) for o in options):
            raise Impossible(f"/{name} needs one of {[o['name'] for o in options]}")
        return command, path, options

    def _may_use(self, command: Json, channel: Channel) -> None:
        channel = self._world.channels[channel.id]
        guild = self._world.guilds.get(channel.guild_id or 0)
        app = self._world.app.id
        own_dm = channel.kind == DM and app in channel.people
        here = guild is not None and app in guild.members
        context = 0 if guild else 1 if own_dm else 2
        contexts = command["contexts"]
        if contexts is not None and context not in contexts:
            raise Impossible(f"{command['name']} is not to be had in context {context}")
        guilded = 0 in command["integration_types"] and (here or own_dm)
        owned = 1 in command["integration_types"] and self.user.installed
        if not guilded and not owned:
            raise Impossible(f"{command['name']} is not installed here")
        if guild is None:
            return
        self._need(channel, Permission.VIEW_CHANNEL)
        self._need(channel, Permission.USE_APPLICATION_COMMANDS)
        nsfw = channel.nsfw or getattr(
            self._world.channels.get(channel.parent_id or 0), "nsfw", False
        )
        if command["nsfw"] and not nsfw:
            raise Impossible(f"{command['name']} is for age-restricted channels")
        needed = command["default_member_permissions"]
        if needed is not None and here:
            may = permissions.of(self._world, self.id, channel)
            wanted = int(needed)
            admin = may & Permission.ADMINISTRATOR
            if not admin and (wanted == 0 or may & wanted != wanted):
                raise Impossible(f"{command['name']} needs permissions that they lack")

    def _need(self, channel: Channel, permission: Permission) -> None:
        if not permissions.of(self._world, self.id, channel) & permission:
            raise Impossible(f"{self.user.name} lacks {permission.name} there")

    def _values(
        self, channel: Channel, taken: Sequence[Json], options: Mapping[str, object], resolved: Json
    ) -> list[Json]:
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
                "value": self._value(channel, known[name], value, resolved),
            }
            for name, value in options.items()
        ]

    def _value(self, channel: Channel, option: Json, value: object, resolved: Json) -> object:
        name, kind = option["name"], option["type"]
        if kind == ATTACHMENT:
            return self._upload(channel, value, resolved)
        if kind in (USER_OPTION, CHANNEL_OPTION, ROLE_OPTION):
            chosen = str(getattr(value, "id", value))
            select = {USER_OPTION: 5, ROLE_OPTION: 6, CHANNEL_OPTION: 8}[kind]
            for key, found in self._resolve_ids(select, channel, [chosen]).items():
                resolved.setdefault(key, {}).update(found)
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

    def _upload(self, channel: Channel, value: object, resolved: Json) -> str:
        if isinstance(value, bytes):
            value = Upload("picture.png", value)
        if not isinstance(value, Upload):
            raise Impossible(f"{value!r} is no file")
        limit = max(self.user.limit, permissions.upload_limit(self._world, channel.guild_id))
        if len(value.data) > limit:
            raise Impossible(f"{value.filename} is over the limit of {limit} bytes")
        place = f"ephemeral-attachments/{self._world.app.id}"
        kept = self._world.cdn.take(self._world.new_id(), place, value)
        shown = payloads.attachment(self._world, kept)
        resolved.setdefault("attachments", {})[str(kept.id)] = shown
        return str(kept.id)

    def _resolve_ids(self, select: int, channel: Channel, ids: Sequence[str]) -> Json:
        """Who or what is meant by the ids chosen in a select of this type."""
        guild = self._world.guilds.get(channel.guild_id or 0)
        resolved: Json = {}
        for chosen in ids:
            found = int(chosen) if chosen.isdigit() else 0
            if select in (5, 7) and found in self._world.users:
                shown = payloads.user(self._world.users[found])
                resolved.setdefault("users", {})[chosen] = shown
                if guild and found in guild.members:
                    member = payloads.interacting_member(self._world, guild, channel, found)
                    del member["user"]
                    resolved.setdefault("members", {})[chosen] = member
            if select in (6, 7) and guild and found in guild.roles:
                resolved.setdefault("roles", {})[chosen] = payloads.role(guild.roles[found])
            if select == 8 and found in self._world.channels:
                where = self._world.channels[found]
                may = permissions.of(self._world, self.id, where)
                shown = payloads.channel(self._world, where) | {"permissions": str(int(may))}
                resolved.setdefault("channels", {})[chosen] = shown
        return resolved

    def _run(self, command: Json, channel: Channel, options: list[Json], resolved: Json) -> Asked:
        data = _command_data(command, options, resolved)
        return self._send(COMMAND, channel, data, {"type": COMMAND})

    def _place(self, message: Message) -> Channel:
        return self._world.channels[message.channel_id]

    def _look_at(self, message: Message) -> Message:
        """The message as it is now."""
        newest = self._world.messages.get(message.id)
        if newest is None:
            raise Impossible("the message was deleted")
        if not self.sees(newest):
            raise Impossible(f"{self.user.name} does not see this message")
        return newest

    def _component(self, message: Message, words: str) -> Json:
        newest = self._look_at(message)
        try:
            component = components.find(newest.components, words)
        except LookupError as error:
            raise Impossible(str(error)) from None
        if component.get("disabled"):
            raise Impossible(f"{words!r} is disabled")
        return component

    def _use(self, message: Message, component: Json, data: Json) -> Asked:
        newest = self._look_at(message)
        data = data | {"id": component["id"]}
        origin = {"type": COMPONENT, "interacted_message_id": str(newest.id)}
        return self._send(COMPONENT, self._place(newest), data, origin, newest)

    def _fill(self, channel: Channel, part: Json, left: dict[str, object], resolved: Json) -> Json:
        """One part of a modal, filled in; what was used of `left` is taken out of it."""
        kind = part["type"]
        if kind == components.ROW:
            inside = [self._fill_field(channel, c, c, left, resolved) for c in part["components"]]
            return {"type": kind, "id": part["id"], "components": inside}
        if kind == components.LABEL:
            field = self._fill_field(channel, part, part["component"], left, resolved)
            return {"type": kind, "id": part["id"], "component": field}
        return {"type": kind, "id": part["id"]}

    def _fill_field(
        self, channel: Channel, named: Json, field: Json, left: dict[str, object], resolved: Json
    ) -> Json:
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
            ids = [self._upload(channel, file, resolved) for file in files]
            if len(ids) < (field.get("min_values", 1) if field.get("required", True) else 0):
                raise Impossible(f"{names[0]} needs a file")
            return told | {"values": ids}
        if field["type"] in components.SELECTS:
            chosen = given if given is not None else _chosen_beforehand(field)
            values = [chosen] if isinstance(chosen, str) else list(chosen)  # type: ignore[call-overload]
            if values or field.get("required", True):
                _check_chosen(field, values)
            for key, found in self._resolve_ids(field["type"], channel, values).items():
                resolved.setdefault(key, {}).update(found)
            return told | {"values": values}
        if field["type"] == 22:
            return told | {"values": list(given or ())}  # type: ignore[call-overload]
        return told | {"value": given}

    def _send(
        self,
        kind: int,
        channel: Channel,
        data: Json,
        origin: Json,
        source: Message | None = None,
    ) -> Asked:
        sent = interactions.send(self._world, kind, self.user, channel, data, origin, source)
        return Asked(self._world, sent.id)


def _command_data(command: Json, options: list[Json], resolved: Json) -> Json:
    data: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
    if options:
        data["options"] = options
    return data | {"resolved": resolved} if resolved else data


def _nested(path: Sequence[Json], values: list[Json]) -> list[Json]:
    for part in reversed(path):
        values = [{"name": part["name"], "type": part["type"], "options": values}]
    return values


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


def _check_chosen(select: Json, values: Sequence[str]) -> None:
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
