"""Where cards live on Telegram.

    telegram:CHAT/TOPIC/MESSAGE         a message; "@" where there is no topic
    telegram:CHAT/TOPIC/re-MESSAGE      the answer to a message, not sent yet
    telegram:CHAT/TOPIC/was-MESSAGE     a message in the group that this one was: out of reach
    telegram:inline/USER/MESSAGE        a message that somebody sent by inline mode

A job is written down at a place that is not sent yet, and moves to the message once it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from telegram import Message

from bots.telegram.desk import PLATFORM
from core.places import LEFT, parts, place

NO_TOPIC = "@"
INLINE = "inline"
_UNSENT = "re-"
UNSENT_TIME = timedelta(hours=1)
"""How long one is remembered where nothing came of it: answers to the same message share it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place, taken apart. message: None while it is not sent; answers: the message that it is an
    answer to, once it is sent; 0 for none. inline: the id of an inline message, or ""; was: what
    the group called it that became this one, or ""."""

    chat: int
    topic: int | None = None
    message: int | None = None
    answers: int = 0
    inline: str = ""
    was: str = ""

    @property
    def place(self) -> str:
        if self.inline:
            return place(PLATFORM, INLINE, str(self.chat), self.inline)
        unsent = f"{LEFT}{self.was}" if self.was else f"{_UNSENT}{self.answers}"
        message = unsent if self.message is None else str(self.message)
        return place(PLATFORM, str(self.chat), str(self.topic or NO_TOPIC), message)

    @property
    def sent(self) -> bool:
        return self.message is not None or bool(self.inline)

    @property
    def private(self) -> bool:
        """Whether it is in somebody's own chat with the bot."""
        return self.chat > 0 and not self.inline

    def at(self, message: int) -> Spot:
        """The same, once it is sent."""
        return replace(self, message=message, was="")


def spot(place: str) -> Spot:
    """Raises ValueError where it is none of Telegram's."""
    chat, topic, message = parts(place)
    if chat == INLINE:
        return Spot(int(topic), inline=message)
    at = None if topic == NO_TOPIC else int(topic)
    if message.startswith(LEFT):
        return Spot(int(chat), at, was=message.removeprefix(LEFT))
    if message.startswith(_UNSENT):
        return Spot(int(chat), at, answers=int(message.removeprefix(_UNSENT)))
    return Spot(int(chat), at, int(message))


def answer_to(message: Message) -> Spot:
    """Where an answer to a message will be."""
    return Spot(message.chat.id, topic_of(message), answers=message.message_id)


def spot_of(message: Message) -> Spot:
    """Where a message is."""
    return Spot(message.chat.id, topic_of(message), message.message_id)


def inline_spot(user: int, inline_message: str) -> Spot:
    """An inline message, and who sent it."""
    return Spot(user, inline=inline_message)


def server_of(chat: int) -> str:
    """A chat as in `core.places.server`: what its rules are known by."""
    return f"{PLATFORM}:{chat}"


def topic_of(message: Message) -> int | None:
    """The forum topic that a message is in; threads of answers elsewhere are none."""
    return message.message_thread_id if message.is_topic_message else None
