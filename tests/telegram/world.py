"""What this Telegram knows: people, chats, messages, queries, payments.

Values are frozen; the `World` holds the newest of each, remembers every version of a message, and
tells whoever listens. It knows nothing of HTTP, or of who may do what.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.standin.changes import Changes
from tests.standin.clock import Clock
from tests.telegram.files import File, Files

Json = dict[str, Any]

PRIVATE, GROUP, SUPERGROUP = "private", "group", "supergroup"
CREATOR, ADMINISTRATOR, MEMBER, LEFT, KICKED = (
    "creator", "administrator", "member", "left", "kicked",
)  # fmt: skip
PRESENT = (CREATOR, ADMINISTRATOR, MEMBER)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody. stars: what they can pay with."""

    id: int
    first_name: str
    username: str
    language_code: str = "en"
    is_bot: bool = False
    stars: int = 0


@dataclass(frozen=True, slots=True)
class Topic:
    """A forum's topic. id: of the service message that created it."""

    id: int
    name: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """members: user → status. In a private chat with the bot its status says whether the person
    blocked it. moved_to: the supergroup that a group became."""

    id: int
    kind: str
    title: str = ""
    forum: bool = False
    members: dict[int, str] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    moved_to: int | None = None

    def has(self, user_id: int) -> bool:
        return self.members.get(user_id) in PRESENT

    def led_by(self, user_id: int) -> bool:
        return self.members.get(user_id) in (CREATOR, ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Media:
    """What a message carries besides words. kind: photo, video, animation, document, sticker;
    covered: it is blurred until somebody taps it."""

    kind: str
    file: File
    thumbnail: File | None = None
    streaming: bool = False
    covered: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is now. text: its words, or its caption where there is media; entities: in
    the form of the Bot API; markup: its inline keyboard; asks: the ForceReply that opened an answer
    to it in people's apps; topic: a forum's, or 0; special: fields
    of other kinds of message, an invoice say; inline_id: of one that is edited by that alone."""

    chat_id: int
    id: int
    author_id: int
    date: float
    text: str = ""
    entities: tuple[Json, ...] = ()
    media: Media | None = None
    markup: Json | None = None
    asks: Json | None = None
    reply_to: int | None = None
    topic: int = 0
    album: str | None = None
    via_bot: bool = False
    inline_id: str | None = None
    edited: float | None = None
    silent: bool = False
    special: Json = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, int]:
        return self.chat_id, self.id

    @property
    def buttons(self) -> list[Json]:
        rows = (self.markup or {}).get("inline_keyboard", ())
        return [button for row in rows for button in row]


@dataclass(frozen=True, slots=True)
class Version:
    """A message as it was from `at` on. what: created, edited or deleted."""

    at: float
    what: str
    message: Message


@dataclass(frozen=True, slots=True)
class Query:
    """A press, an inline query or a checkout, and the bot's answer to it. kind: callback, inline,
    checkout."""

    id: str
    kind: str
    user_id: int
    sent: float
    asked: str
    source: tuple[int, int] | None = None
    answered: float | None = None
    answer: Json | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """Stars that somebody gave. charge_id: Telegram's own; link: of the subscription that it is
    for, or ""; refunded: when they were given back."""

    charge_id: str
    user_id: int
    amount: int
    payload: str
    at: float
    link: str = ""
    refunded: float | None = None

    @property
    def subscription(self) -> tuple[int, str]:
        return self.user_id, self.link


@dataclass(frozen=True, slots=True)
class Update:
    """Something to tell the bot. kind: the field's name, `message` say."""

    id: int
    kind: str
    body: Json

    def json(self) -> Json:
        return {"update_id": self.id, self.kind: self.body}


@dataclass(frozen=True, slots=True)
class Entry:
    """One request of the bot, and how it was answered. files: names and sizes of its uploads."""

    at: float
    method: str
    fields: Json
    files: dict[str, int]
    status: int
    description: str


@dataclass(frozen=True, slots=True)
class Action:
    """That the bot was seen to be typing, uploading, and the like, in one chat."""

    at: float
    chat_id: int
    topic: int
    action: str


@dataclass(repr=False)
class World(Changes):
    """Everything that is so, now; and what was: versions of messages, requests. privacy: whether
    the bot sees only what is meant for it in groups; inline: whether it may be asked inline;
    domain: what /setdomain was told, for login buttons;
    feedback: whether it is told of chosen inline results; cancelled: subscriptions that are paid
    for no more; answer_seconds, checkout_seconds: how long queries wait."""

    clock: Clock
    files: Files
    bot: User
    token: str
    privacy: bool = True
    inline: bool = True
    domain: str = ""
    feedback: bool = True
    answer_seconds: float = 60.0
    checkout_seconds: float = 10.0
    users: dict[int, User] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    messages: dict[tuple[int, int], Message] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    links: dict[str, Json] = field(default_factory=dict)
    cancelled: set[tuple[int, str]] = field(default_factory=set)
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    reactions: dict[tuple[int, int], str] = field(default_factory=dict)
    history: list[Version] = field(default_factory=list)
    requests: list[Entry] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    listeners: list[Callable[[str, Json], object]] = field(default_factory=list)
    _last: dict[str, int] = field(default_factory=dict)

    def count(self, what: str, start: int = 0) -> int:
        """The next number of a kind."""
        self._last[what] = self._last.get(what, start) + 1
        return self._last[what]

    def message_id(self, chat_id: int) -> int:
        """Every chat counts its own: ids alone say nothing."""
        return self.count(f"message {chat_id}")

    def tell(self, kind: str, body: Json) -> None:
        for listener in self.listeners:
            listener(kind, body)
        self.touch()

    def last(self) -> list[str]:
        requests = [f"{e.method} {e.status} {e.description}" for e in self.requests[-8:]]
        return [*requests, *self.violations[-3:]]

    def keep(self, message: Message, what: str) -> None:
        """Put a new version of a message in its place; `deleted` takes it away."""
        if what == "deleted":
            self.messages.pop(message.key, None)
        else:
            self.messages[message.key] = message
        self.history.append(Version(self.clock.now(), what, message))
        self.touch()

    def private(self, user_id: int) -> Chat | None:
        """The bot's chat with somebody, where one of them began it."""
        chat = self.chats.get(user_id)
        return chat if chat and chat.kind == PRIVATE else None

    def violate(self, why: str) -> None:
        self.violations.append(why)
        self.touch()
