"""What this Discord knows: people, servers, channels, messages, interactions.

Values are frozen; the `World` holds the newest of each, remembers every version of a message, and
tells whoever listens. It knows nothing of HTTP, of gateways, or of who may do what.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.discord.cdn import Attachment, Cdn
from tests.standin.changes import Changes
from tests.standin.clock import Clock

Json = dict[str, Any]

EPOCH_MS = 1_420_070_400_000  # Discord's first second, 2015

TEXT, DM, GROUP_DM, PUBLIC_THREAD = 0, 1, 3, 11
EPHEMERAL, LOADING, SILENT, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 12, 1 << 15
SLASH, USER_COMMAND, MESSAGE_COMMAND = 1, 2, 3
COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5  # types of interaction


@dataclass(frozen=True, slots=True)
class User:
    """Somebody. limit: bytes that they may upload anywhere, as Nitro gives; dms_open: whether
    apps may write to them; installed: whether they added the app to their account."""

    id: int
    name: str
    bot: bool = False
    locale: str = "en-US"
    limit: int = 0
    dms_open: bool = True
    installed: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    id: int
    name: str
    permissions: int
    position: int = 1
    managed: bool = False


@dataclass(frozen=True, slots=True)
class Guild:
    """A server. roles: by id, @everyone's being the guild's own; members: user → ids of roles."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role]
    members: dict[int, tuple[int, ...]]
    tier: int = 0
    locale: str = "en-US"


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a role (kind 0) or a member (kind 1) is given or denied in one channel."""

    id: int
    kind: int
    allow: int
    deny: int


@dataclass(frozen=True, slots=True)
class Channel:
    """kind: a channel type; people: who is in a direct message or group; parent_id: of a thread."""

    id: int
    kind: int
    name: str = ""
    guild_id: int | None = None
    parent_id: int | None = None
    nsfw: bool = False
    archived: bool = False
    owner_id: int = 0
    overwrites: tuple[Overwrite, ...] = ()
    people: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is now. components: in the form of Discord's responses, with attachment://
    left in; mentioned: whom it names and may; audience: who alone sees it; application: whether it
    came by an interaction's webhook; origin: the interaction_metadata."""

    id: int
    channel_id: int
    author_id: int
    created: float
    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    flags: int = 0
    kind: int = 0
    edited: float | None = None
    nonce: str | int | None = None
    reply_to: int | None = None
    mentioned: tuple[int, ...] = ()
    audience: int | None = None
    application: bool = False
    origin: Json | None = None

    @property
    def v2(self) -> bool:
        return bool(self.flags & COMPONENTS_V2)

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        return bool(self.flags & LOADING)


@dataclass(frozen=True, slots=True)
class Version:
    """A message as it was from `at` on. what: created, edited or deleted."""

    at: float
    what: str
    message: Message


@dataclass(frozen=True, slots=True)
class Interaction:
    """Something that a person asked of the app. source_id: the message whose component it was;
    answer: the type of the callback; original_id: the message that @original means; modal, choices:
    what the callback carried; limit: bytes in a file; followups_left: None without a limit."""

    id: int
    token: str
    kind: int
    user_id: int
    channel_id: int
    guild_id: int | None
    sent: float
    origin: Json
    limit: int
    followups_left: int | None
    source_id: int | None = None
    forced_private: bool = False
    acknowledged: float | None = None
    answer: int | None = None
    original_id: int | None = None
    modal: Json | None = None
    choices: tuple[Json, ...] | None = None

    @property
    def latency(self) -> float | None:
        """Seconds from sending to its acknowledgement."""
        return None if self.acknowledged is None else self.acknowledged - self.sent


@dataclass(frozen=True, slots=True)
class Event:
    """What the gateway may have to tell. guild_id: decides the shard; intent: the bit that one must
    have asked for, 0 for none; content: whether the message_content intent hides part of it."""

    name: str
    data: Json
    guild_id: int | None = None
    intent: int = 0
    content: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One request of the bot, and how it was answered."""

    at: float
    method: str
    path: str
    route: str
    status: int
    code: int | None
    body: Any


@dataclass(repr=False)
class World(Changes):
    """Everything that is so, now; and what was: gone channels, versions of messages, requests.
    intents_allowed: those that the developer portal grants; base_limit: bytes in a file;
    acknowledge_seconds: how long an interaction waits for its first answer; portal: what the
    developer portal says of the app, in place of what is usual."""

    clock: Clock
    cdn: Cdn
    app: User
    token: str
    intents_allowed: int = (1 << 26) - 1
    base_limit: int = 10 * 1024 * 1024
    acknowledge_seconds: float = 3.0
    portal: Json = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    guilds: dict[int, Guild] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    gone: dict[int, Channel] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    interactions: dict[int, Interaction] = field(default_factory=dict)
    commands: dict[int, Json] = field(default_factory=dict)
    entitlements: dict[int, Json] = field(default_factory=dict)
    skus: dict[int, Json] = field(default_factory=dict)
    subscriptions: dict[int, Json] = field(default_factory=dict)
    history: list[Version] = field(default_factory=list)
    requests: list[Entry] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    listeners: list[Callable[[Event], None]] = field(default_factory=list)
    _last_id: int = 0

    def new_id(self) -> int:
        """A snowflake: larger than every one before it."""
        milliseconds = int(self.clock.now() * 1000) - EPOCH_MS
        self._last_id = max(self._last_id + 1, milliseconds << 22)
        return self._last_id

    def direct(self, user_id: int) -> Channel:
        """The app's direct channel with somebody, made when it is first asked for."""
        pair = {user_id, self.app.id}
        for where in self.channels.values():
            if where.kind == DM and set(where.people) == pair:
                return where
        where = Channel(self.new_id(), DM, people=(user_id, self.app.id))
        self.channels[where.id] = where
        return where

    def tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)
        self.touch()

    def last(self) -> list[str]:
        requests = [f"{e.method} {e.path} {e.status}" for e in self.requests[-8:]]
        return [*requests, *self.violations[-3:]]

    def keep(self, message: Message, what: str) -> None:
        """Put a new version of a message in its place; `deleted` takes it away."""
        if what == "deleted":
            self.messages.pop(message.id, None)
        else:
            self.messages[message.id] = message
        self.history.append(Version(self.clock.now(), what, message))

    def update(self, interaction: Interaction, **changes: Any) -> Interaction:
        changed = replace(interaction, **changes)
        self.interactions[changed.id] = changed
        self.touch()
        return changed

    def violate(self, why: str) -> None:
        self.violations.append(why)
        self.touch()
