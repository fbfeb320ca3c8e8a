"""People: what they type, press and see. They can do no more than Discord's own app lets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.discord import components, interactions, messages, payloads, permissions
from tests.discord.asked import Asked
from tests.discord.cdn import Attachment, Upload
from tests.discord.given import GROUP, STRING, SUBCOMMAND, Given, Impossible, check_chosen
from tests.discord.messages import Body
from tests.discord.permissions import Permission
from tests.discord.world import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    DM,
    EPHEMERAL,
    GROUP_DM,
    MESSAGE_COMMAND,
    MODAL,
    PUBLIC_THREAD,
    SILENT,
    SLASH,
    Channel,
    Message,
    User,
    World,
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file that somebody could see, in one message."""

    at: float
    message_id: int
    channel_id: int
    attachment: Attachment


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

    def slash(self, name: str, channel: Channel, /, **options: object) -> Asked:
        """Type a command. name: `settings show` with its subcommand; options: by name, files as
        `Upload` or bytes.

        Raises:
            Impossible: the command is not there, or the options are not what it takes.
        """
        command, path, taken = self._command(name, SLASH, channel)
        given = Given(self._world, self.user, channel)
        values = given.values(taken, options)
        data = _command_data(command, _nested(path, values), given.resolved)
        return self._send(COMMAND, channel, data, {"type": COMMAND})

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
        check_chosen(select, values)
        given = Given(self._world, self.user, self._place(message))
        given.name(select["type"], values)
        data = {
            "component_type": select["type"],
            "custom_id": select["custom_id"],
            "values": list(values),
        }
        return self._use(
            message, select, data | ({"resolved": given.resolved} if given.resolved else {})
        )

    async def submit_modal(self, asked: Asked, filled: Mapping[str, object]) -> Asked:
        """Fill in the form that came of `asked`, and send it. filled: by label or custom_id; what
        is not named stays as it was.

        Raises:
            Impossible: a field is unknown, missing, too short or too long.
        """
        modal = await asked.modal()
        before = asked.now
        channel = self._world.channels[before.channel_id]
        given = Given(self._world, self.user, channel)
        answers = given.filled(modal["components"], filled)
        data: Json = {"custom_id": modal["custom_id"], "components": answers}
        if given.resolved:
            data["resolved"] = given.resolved
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
