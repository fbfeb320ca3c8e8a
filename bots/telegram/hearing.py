"""How every message and button is heard: answered in any case."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from telegram import (
    CallbackQuery,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    User,
)
from telegram.constants import ReactionEmoji
from telegram.error import TelegramError
from telegram.helpers import create_deep_linked_url

from bots.hearing import objection
from bots.telegram.card_view import Shown
from bots.telegram.markup import ALERT_CHARS, cut, plain
from bots.telegram.messages import Messages
from bots.telegram.places import Spot, answer_to
from core.errors import KinoraError, Unreachable
from core.job import Account, Identity
from core.studio import Studio

log = logging.getLogger("kinora.telegram")

ANSWER_SECONDS = 4.0
"""A button is seen to wait until it is answered, whatever becomes of what it asks."""

NAME_CHARS = 80

SENT = Shown("I sent it to you in our own chat.", None)
OPEN_FIRST = Shown("That is for you alone: open our own chat, press Start, and ask there.", None)

LED = "That is for you alone: I tell you in our own chat."


async def guarded(
    messages: Messages, message: Message, work: Callable[[], Awaitable[None]]
) -> None:
    """Do it, and tell who asked where it can't be done. Raises nothing."""
    sentence = await objection(work)
    if sentence:
        await say(messages, answer_to(message), plain(sentence))


async def answered(
    messages: Messages, query: CallbackQuery, work: Callable[[], Awaitable[str]]
) -> None:
    """Do what a button asks, and answer it within seconds. work: gives a few words to say, or "".
    Raises nothing."""
    said = ""

    async def worked() -> None:
        nonlocal said
        said = await work()

    working = asyncio.create_task(objection(worked))
    try:
        done, _ = await asyncio.wait({working}, timeout=ANSWER_SECONDS)
        if not done:
            await _answer(query, "")
        sentence = await working
    finally:
        working.cancel()
        await asyncio.wait({working})
    if done:
        await _answer(query, sentence or said, alert=bool(sentence))
    elif sentence and isinstance(query.message, Message):
        await say(messages, answer_to(query.message), plain(sentence))


async def say(
    messages: Messages, spot: Spot, html: str, *, reply: ForceReply | None = None
) -> None:
    """A message that is only words. Raises nothing."""
    with as_far_as_telegram_lets():
        await messages.send(spot, Shown(html, None), reply=reply)


@contextmanager
def as_far_as_telegram_lets() -> Iterator[None]:
    """What can't be shown is nothing that who asked could mend."""
    try:
        yield
    except (KinoraError, TimeoutError) as error:
        log.warning("a command or a button was not answered: %s", error)


async def privately(messages: Messages, here: Spot, user: int, told: Shown, payload: str) -> Spot:
    """Tell somebody what is for their eyes alone, in their own chat; where that is, or `here` where
    they never pressed Start. In a group a sign says so, or a button leads there. payload: of
    /start, by which they are told there."""
    if here.private:
        await messages.send(here, told)
        return here
    try:
        await messages.send(Spot(user), told)
    except Unreachable:
        led = door(messages.username, "Our own chat", payload)
        await messages.send(here, Shown(LED, led))
        return here
    if not await messages.react(here, ReactionEmoji.OK_HAND_SIGN):
        await messages.send(here, SENT)
    return Spot(user)


async def alone(messages: Messages, theirs: Spot, told: Shown) -> Shown:
    """Tell somebody in their own chat; what to say where they asked."""
    try:
        await messages.send(theirs, told)
    except Unreachable:
        return OPEN_FIRST
    return SENT


def door(username: str, label: str, payload: str) -> InlineKeyboardMarkup:
    """A button that opens the chat with a bot and says `/start payload` there."""
    link = create_deep_linked_url(username, payload)
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, url=link)]])


async def account_of(studio: Studio, user: User) -> Account:
    """The account of somebody on Telegram; new ones begin with their free grant."""
    identity = Identity("telegram", str(user.id))
    return await studio.account(identity, user.full_name[:NAME_CHARS], user.username or "")


def key_of(message: Message) -> str:
    """What makes a repeat of the same message one request."""
    return f"telegram:{message.chat.id}/{message.message_id}"


def is_theirs(query: CallbackQuery) -> bool:
    """Whether its message is in the own chat of who presses: an app may send what any button
    carries, of any message of ours."""
    return query.message is not None and query.message.chat.id == query.from_user.id


async def _answer(query: CallbackQuery, text: str, *, alert: bool = False) -> None:
    try:
        await query.answer(cut(text, ALERT_CHARS) or None, show_alert=alert)
    except TelegramError as error:
        log.info("a button was not answered: %s", error.message)
