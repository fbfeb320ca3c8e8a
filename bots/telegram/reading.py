"""What a message says to us: a command, words, a mention; what it answers; who wrote it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from telegram import Message, MessageEntity, User

from bots.card import BUTTON_ID
from bots.telegram.asking import Room, is_ours
from bots.telegram.desk import PLATFORM
from bots.telegram.places import spot_of
from core.errors import BadPrompt, NotFound, WrongState
from core.prompt import parse

_QUESTION = re.compile(
    r"^(?P<what>Clip|Appeal|Deny) (?P<job_id>[0-9a-z]{12})(?:/(?P<about>\d{1,20}))?\s*\Z", re.M
)
"""How a message ends that asks for words."""

MENTIONS = (MessageEntity.TEXT_MENTION, MessageEntity.MENTION)
COMMAND_WORDS = 2
"""What may stand before whom it is about, where it answers somebody: /mod grant, /gift 20."""

NOBODY = "I can't tell who you are: ask as yourself, not in the name of a group or channel."

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:s|sec|secs|seconds?)?")


_SUBJECT = re.compile(r"--subject\s+$")
"""What stands before the name of whom a picture shows."""


@dataclass(frozen=True, slots=True)
class Said:
    """command: without slash and name, None where there is none. words: without our own name.
    named: we are called by it. others: the command is for another bot. subject: a mention of whom
    the picture shows, by `--subject @name`, which is not among the words."""

    command: str | None
    words: str
    named: bool
    others: bool = False
    subject: MessageEntity | None = None


def read(message: Message, username: str) -> Said:
    """The words of a message, or of what it carries."""
    entities = message.entities or message.caption_entities
    first = entities[0] if entities else None
    text, subject = _without_subject(message.text or message.caption or "", entities)
    command = None
    named = False
    if first is not None and first.type == MessageEntity.BOT_COMMAND and first.offset == 0:
        spoken, text = text[: first.length], text[first.length :]
        name, _, whose = spoken[1:].partition("@")
        command, named = name.lower(), bool(whose)
        if whose and whose.lower() != username.lower():
            return Said(command, "", False, others=True)
    words = re.sub(rf"@{re.escape(username)}\b", "", text, flags=re.IGNORECASE)
    return Said(command, words.strip(), named or words != text, subject=subject)


def _without_subject(
    text: str, entities: Sequence[MessageEntity]
) -> tuple[str, MessageEntity | None]:
    whole = text.encode("utf-16-le")
    for entity in entities:  # counted in UTF-16
        before = whole[: 2 * entity.offset].decode("utf-16-le")
        if entity.type in MENTIONS and (found := _SUBJECT.search(before)):
            behind = whole[2 * (entity.offset + entity.length) :].decode("utf-16-le")
            return f"{before[: found.start()].rstrip()} {behind.lstrip()}".rstrip(), entity
    return text, None


def mentioned(message: Message) -> MessageEntity | None:
    """Whom a command is about, as in "/mod grant @anna 20": a mention among the first two words
    behind it; where it answers nobody, the first mention."""
    whole, replies = (message.text or "").encode("utf-16-le"), answered(message) is not None
    for entity in message.entities:  # counted in UTF-16
        before = whole[: 2 * entity.offset].decode("utf-16-le").split()
        if entity.type in MENTIONS and (not replies or len(before) <= COMMAND_WORDS):
            return entity
    return None


def unnamed(message: Message) -> str:
    """The text of a message without whom it is about."""
    text, entity = message.text or "", mentioned(message)
    if entity is None:
        return text
    whole, end = text.encode("utf-16-le"), 2 * (entity.offset + entity.length)
    return (whole[: 2 * entity.offset] + whole[end:]).decode("utf-16-le")


async def user_mentioned(room: Room, message: Message) -> int | None:
    """Their id; None where a command names nobody. Raises NotFound for a @name never met."""
    entity = mentioned(message)
    if entity is None:
        return None
    try:
        return await user_of(room, message, entity)
    except NotFound as error:
        raise NotFound(f"{error.sentence} Answer a message of theirs with it.") from error


async def user_of(room: Room, message: Message, mention: MessageEntity) -> int:
    """The id of whom a message mentions. Raises NotFound for a @name never met."""
    if mention.user is not None:
        return mention.user.id
    parsed = message.parse_entity if message.text else message.parse_caption_entity
    handle = parsed(mention).removeprefix("@")
    return int((await room.desk.moderators.called(PLATFORM, handle)).subject)


class What(StrEnum):
    """What a question of ours is about: a line to be changed, why something may be made, why it
    may not."""

    CLIP = "Clip"
    APPEAL = "Appeal"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Question:
    """What a message of ours asks, about which job. about: the message that it settles, or 0."""

    what: What
    job_id: str
    about: int = 0

    @property
    def mark(self) -> str:
        """The last line of its message."""
        about = f"/{self.about}" if self.about else ""
        return f"{self.what} {self.job_id}{about}"


def question_in(room: Room, message: Message) -> Question | None:
    """None where it asks for nothing. Such a message has no buttons: where there are some, its
    words are somebody's."""
    plainly_ours = is_ours(room, message) and not (message.via_bot or message.reply_markup)
    found = _QUESTION.search(message.text or "") if plainly_ours else None
    if found is None:
        return None
    return Question(What(found["what"]), found["job_id"], int(found["about"] or 0))


async def our_job(room: Room, message: Message) -> str | None:
    """The job that a message of ours shows; None where it shows none."""
    if not is_ours(room, message):
        return None
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    for button in (button for row in rows for button in row):
        found = BUTTON_ID.fullmatch(str(button.callback_data or ""))
        if found is not None:
            return found["job_id"]
    views = await room.desk.lobby.at(room.desk.studio, spot_of(message).place)
    return views[0].job.id if views else None


def answered(message: Message) -> Message | None:
    """What a message answers. In a topic all answer its first message: that is no answer."""
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None:
        return None
    begins_topic = message.is_topic_message and replied.message_id == message.message_thread_id
    return None if begins_topic else replied


def author(message: Message) -> User | None:
    """Who wrote it; None for bots, channels, and administrators who hide behind their group."""
    user = message.from_user
    return None if user is None or user.is_bot or message.sender_chat is not None else user


def known_author(message: Message) -> User:
    """Raises WrongState where nobody is known to have written it."""
    user = author(message)
    if user is None:
        raise WrongState(NOBODY)
    return user


def seconds_of(words: str) -> float | None:
    """Raises BadPrompt."""
    if not words:
        return None
    if found := _SECONDS.fullmatch(words):
        return float(found[1])
    draft = parse(words)
    if draft.seconds is None or draft.prompt:
        raise BadPrompt("/extend takes seconds alone, as in /extend 5.")
    return draft.seconds
