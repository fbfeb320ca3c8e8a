"""What a message says to us: a command, words, a mention; what it answers; who wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from telegram import Message, MessageEntity, User

from bots.card import BUTTON_ID
from bots.telegram.asking import Room, is_ours
from bots.telegram.desk import PLATFORM
from bots.telegram.places import spot_of
from core.errors import BadPrompt, NotFound, WrongState
from core.prompt import parse

_RECIPE = re.compile(r"Clip (?P<job_id>[0-9a-z]{12})\s*$")
"""How a message ends that asks for a line to be changed."""

MENTIONS = (MessageEntity.TEXT_MENTION, MessageEntity.MENTION)
COMMAND_WORDS = 2
"""What may stand before whom it is about, where it answers somebody: /mod grant, /gift 20."""

NOBODY = "I can't tell who you are: ask as yourself, not in the name of a group or channel."

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:s|sec|secs|seconds?)?")


@dataclass(frozen=True, slots=True)
class Said:
    """command: without slash and name, None where there is none. words: without our own name.
    named: we are called by it. others: the command is for another bot."""

    command: str | None
    words: str
    named: bool
    others: bool = False


def read(message: Message, username: str) -> Said:
    """The words of a message, or of what it carries."""
    text = message.text or message.caption or ""
    entities = message.entities or message.caption_entities
    first = entities[0] if entities else None
    command = None
    named = False
    if first is not None and first.type == MessageEntity.BOT_COMMAND and first.offset == 0:
        spoken, text = text[: first.length], text[first.length :]
        name, _, whose = spoken[1:].partition("@")
        command, named = name.lower(), bool(whose)
        if whose and whose.lower() != username.lower():
            return Said(command, "", False, others=True)
    words = re.sub(rf"@{re.escape(username)}\b", "", text, flags=re.IGNORECASE)
    return Said(command, words.strip(), named or words != text)


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
    if entity.user is not None:
        return entity.user.id
    handle = message.parse_entity(entity).removeprefix("@")
    try:
        return int((await room.desk.moderators.called(PLATFORM, handle)).subject)
    except NotFound as error:
        raise NotFound(f"{error.sentence} Answer a message of theirs with it.") from error


def asked_to_change(room: Room, message: Message) -> str | None:
    """The job whose line a message of ours asks to change; None where it asks for nothing. Such a
    message has no buttons: where there are some, its words are somebody's."""
    plainly_ours = is_ours(room, message) and not (message.via_bot or message.reply_markup)
    found = _RECIPE.search(message.text or "") if plainly_ours else None
    return found["job_id"] if found else None


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
