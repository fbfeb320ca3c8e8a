"""Places: where cards live, what a server's administrators decided, and the messages themselves.

    platform:server/chat/message, as in "discord:81/92/103"; the page is just "web:page".

The chat of a thread names the channel that it is in before it: "discord:81/92.95/103". Knows no
platform: ids are the platform's own, as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from core.catalog import Model
from core.errors import BadPrompt
from core.request import Draft, Request
from core.safety.level import Level


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds on one server. channels: where Kinora may be used, () for everywhere.

    seconds, resolution, model: where nobody says otherwise; longest (seconds), largest
    (resolution): the most there. private: cards are for who asked alone, unless they say.
    ping: where a chat has to ask for it, that a short message tells when a clip is done. level: of
    the gates, as `core.safety.level.level_at` has it; None: as the operator does.
    """

    channels: tuple[str, ...] = ()
    seconds: float | None = None
    longest: float | None = None
    resolution: str | None = None
    largest: str | None = None
    model: str | None = None
    private: bool = False
    ping: bool = False
    level: Level | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Rules:
        level = Level(values["level"]) if values.get("level") else None
        channels = tuple(values.get("channels", ()))
        return cls(**{**values, "channels": channels, "level": level})


NO_RULES = Rules()

LEFT = "was-"
"""How a message begins to be named that its chat left behind when it became another."""


@dataclass(frozen=True, slots=True)
class Post:
    """The message at a place. author: who asked, by the platform's id.

    member: the bot is there by itself; else it reaches the message only by `token`, until
    `token_until`; past that a post is forgotten that no job names. upload_limit: bytes of one
    file. hidden: only the author sees it. adult: the chat is for adults. pinged: the author was
    told that it is done.
    """

    place: str
    author: str
    upload_limit: int
    member: bool
    token: str | None = field(default=None, repr=False)
    token_until: datetime | None = None
    hidden: bool = False
    adult: bool = False
    pinged: bool = False

    def reply_token(self, now: datetime) -> str | None:
        """The token, while it is good."""
        return self.token if self.token_until is not None and now < self.token_until else None


def place(platform: str, server: str, chat: str, message: str) -> str:
    return f"{platform}:{server}/{chat}/{message}"


def within(channel: str, thread: str) -> str:
    """The chat of a place in a thread of a channel."""
    return f"{channel}.{thread}"


def platform(place: str) -> str:
    return place.partition(":")[0]


def server(place: str) -> str:
    """The first part of a place, which its rules are known by: "discord:81"."""
    return place.partition("/")[0]


def chat(place: str) -> str | None:
    """All but the message; None for a place that is no message in a chat."""
    return place.rpartition("/")[0] or None


def parts(place: str) -> tuple[str, str, str]:
    """Server, chat and message, by the platform's ids. Raises ValueError."""
    server_id, chat_id, message_id = place.partition(":")[2].split("/")
    return server_id, chat_id.rpartition(".")[2], message_id


def channels(place: str) -> Sequence[str]:
    """The ids of its chat and, for a thread, of the channel that it is in; none for the page."""
    chats = place.partition("/")[2].rpartition("/")[0]
    return chats.split(".") if chats else ()


def with_defaults(draft: Draft, rules: Rules, model: Model) -> Draft:
    """The draft with what the server says where nobody else did, as far as `model` can."""
    seconds, resolution = draft.seconds, draft.resolution
    if seconds is None and (rules.seconds is not None or rules.longest is not None):
        usual = model.seconds.default if rules.seconds is None else rules.seconds
        most = model.seconds.high if rules.longest is None else rules.longest
        seconds = max(model.seconds.low, min(usual, most, model.seconds.high))
    if resolution is None and (rules.resolution is not None or rules.largest is not None):
        usual_size = rules.resolution if rules.resolution in model.resolutions else model.resolution
        most_lines = lines(rules.largest) if rules.largest else lines(usual_size)
        fitting = [r for r in model.resolutions if lines(r) <= most_lines]
        within = [r for r in fitting if lines(r) <= lines(usual_size)]
        resolution = max(within or fitting, key=lines, default=None)
    return replace(draft, seconds=seconds, resolution=resolution)


def room(rules: Rules, whole_seconds: float, model: Model) -> float | None:
    """How much a clip is extended by where nobody says, if the server allows less than the model
    does; None: as the model has it."""
    if rules.longest is None:
        return None
    left = min(rules.longest, model.seconds.high) - whole_seconds
    return left if model.seconds.low <= left < model.seconds.default else None


def check(request: Request, whole_seconds: float, rules: Rules) -> None:
    """Raises BadPrompt where the server allows less. whole_seconds: with what it goes on from."""
    slack = 1 / request.frame_rate
    if rules.longest is not None and whole_seconds > rules.longest + slack:
        raise BadPrompt(
            f"Here a clip can be up to {rules.longest:g} seconds; this would be "
            f"{whole_seconds:.3g}. The server's administrators set that.",
            flag="seconds",
        )
    if rules.largest is not None and lines(request.resolution) > lines(rules.largest):
        raise BadPrompt(
            f"Here a clip can be up to {rules.largest}; you asked for {request.resolution}. "
            "The server's administrators set that.",
            flag="res",
        )


def larger(resolution: str, resolutions: Sequence[str]) -> str | None:
    """The next resolution up; None at the top."""
    above = [r for r in resolutions if lines(r) > lines(resolution)]
    return min(above, key=lines, default=None)


def lines(resolution: str) -> int:
    """Of the short side: 720 for "720p"."""
    return int(resolution.removesuffix("p"))
