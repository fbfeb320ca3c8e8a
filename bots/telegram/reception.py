"""What people ask by commands that make nothing: /start with its deep links, /help, /me and the
like, /show and /cancel, and /settings.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from telegram import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    MessageEntity,
    Update,
)
from telegram.ext import CallbackQueryHandler, CommandHandler, ContextTypes, filters

from bots.card import offer
from bots.gifts import GIFT_ID
from bots.hearing import costless
from bots.linking import JOIN_ID, PART_ID
from bots.telegram import (
    chats,
    consenting,
    console,
    gifts,
    inline,
    linking,
    moderation,
    personal,
    reviewing,
    shop,
    showing,
    support,
    talk,
)
from bots.telegram.asking import Add, Room, ask, tell_kept
from bots.telegram.card_view import Shown
from bots.telegram.desk import TelegramDesk
from bots.telegram.hearing import account_of, answered, as_far_as_telegram_lets, guarded, privately
from bots.telegram.markup import bold, plain, quote
from bots.telegram.places import NO_TOPIC, answer_to, spot_of
from bots.telegram.reading import known_author
from core.counter import Consent
from core.errors import NotFound, Refused
from core.job import Account, Job
from core.prompt import parse

CREATE, SHOW = "create_", "show_"
"""How the payloads of deep links begin: https://t.me/BOT?start=create_a_red_ball."""

MAKE = "kn-make"
QUOTED = (MessageEntity.BLOCKQUOTE, MessageEntity.EXPANDABLE_BLOCKQUOTE)

Context = ContextTypes.DEFAULT_TYPE
Handling = Callable[[Update, Context], Coroutine[Any, Any, None]]
Telling = Callable[[TelegramDesk, Account, str], Awaitable[Shown]]
"""What is told to somebody who asks at a place."""
Hearing = Callable[[Room, Message, str], Awaitable[None]]
"""Room, message, and the words behind the command. Raises UserError or Transient."""

Pressing = Callable[[Room, CallbackQuery], Awaitable[str]]
"""The words that answer a press, or "". Raises UserError or Transient."""

TELLINGS: dict[str, Telling] = {
    "start": talk.start,
    "help": talk.help_,
    "me": talk.me,
    "queue": talk.queue,
    "models": talk.models,
    "privacy": talk.privacy,
    "terms": talk.terms,
}

HELP, EXPORT = "help", "export"
PERSONAL = ("me", "queue")
"""What others in a group need not read."""


def register(add: Add, room: Room) -> None:
    hearings: dict[str, Hearing] = {name: _told(name) for name in TELLINGS}
    hearings |= {
        "start": start,
        "show": show,
        "cancel": cancel,
        "settings": settings,
        "mod": moderation.mod,
        "gift": gifts.gift,
        "redeem": gifts.redeem,
        "link": linking.link,
        "unlink": linking.unlink,
        "buy": shop.buy,
        "paysupport": support.paysupport,
        "console": console.console,
        "privacy": privacy,
        "forget": personal.forget,
    }
    for name, hearing in hearings.items():
        handling = _command(room, hearing)
        add(CommandHandler(name, handling, filters.UpdateType.MESSAGE))
    for pattern, pressing in (
        (chats.BUTTON, press_setting),
        (re.compile(MAKE), make),
        (moderation.CONFIRM, moderation.confirm),
        (reviewing.BUTTON, reviewing.press),
        (consenting.BUTTON, consenting.press),
        (GIFT_ID, gifts.give),
        (JOIN_ID, linking.join),
        (PART_ID, linking.part),
        (shop.BUTTON, shop.choose),
        (re.compile(personal.FORGET), personal.forgotten),
    ):
        add(CallbackQueryHandler(_button(room, pressing), pattern))


async def start(room: Room, message: Message, said: str) -> None:
    """Welcome somebody; a deep link may bring words, a clip's id, or somebody to /buy."""
    if said.startswith(SHOW):
        await show(room, message, said.removeprefix(SHOW))
    elif said.startswith(CREATE):
        await _offer(room, message, said.removeprefix(CREATE).replace("_", " "))
    elif said == shop.START:
        await shop.buy(room, message, "")
    elif said == support.START:
        await support.paysupport(room, message, "")
    elif said == personal.PAYLOAD:
        await personal.forget(room, message, "")
    elif said in TELLINGS:
        await _told(said)(room, message, "")
    else:
        await _welcome(room, message, said)


async def _welcome(room: Room, message: Message, said: str) -> None:
    """Who came from inline mode goes back there by a button, with the words that they typed."""
    words = room.started.came(message.chat.id)
    if not words and said != inline.START:
        await _told("start")(room, message, said)
        return
    with as_far_as_telegram_lets():
        await room.messages.send(answer_to(message), talk.start_inline(words))


async def show(room: Room, message: Message, said: str) -> None:
    await showing.show(room, known_author(message), answer_to(message), said)


async def cancel(room: Room, message: Message, said: str) -> None:
    choice = await showing.cancel(room, known_author(message), message, said)
    if choice is not None:
        with as_far_as_telegram_lets():
            await room.messages.send(answer_to(message), choice)


async def privacy(room: Room, message: Message, said: str) -> None:
    if said.strip().lower() == EXPORT:
        await personal.export(room, message)
    else:
        await _told("privacy")(room, message, said)


async def settings(room: Room, message: Message, said: str) -> None:
    """Raises Refused for who may not change them."""
    assert message.from_user is not None
    here = _here(message)
    anonymous = message.sender_chat is not None and message.sender_chat.id == here.chat
    if not anonymous:
        await _check_leads(room, here, message.from_user.id)
    with as_far_as_telegram_lets():
        await room.messages.send(answer_to(message), chats.settings(room.desk, here))


async def press_setting(room: Room, query: CallbackQuery) -> str:
    """Do what a button of /settings says."""
    message, found = _pressed(query), chats.BUTTON.fullmatch(query.data or "")
    if found is None:
        raise Refused("This button is of another version of Kinora: type /settings.")
    here = _here(message)
    await _check_leads(room, here, query.from_user.id)
    shown = await chats.press(room.desk, here, found["what"], found["value"])
    with as_far_as_telegram_lets():
        if shown is None:
            await room.messages.delete(spot_of(message))
        else:
            await room.messages.edit_text(spot_of(message), shown, last=True)
    return "" if found["value"] is None else "Set."


async def make(room: Room, query: CallbackQuery) -> str:
    """Make what a deep link brought, once."""
    message = _pressed(query)
    words = "\n".join(message.parse_entities(list(QUOTED)).values())

    async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
        draft, seen = parse(words), Consent.SEEN
        return [await room.desk.studio.submit(account, place, draft, consent=seen, key=key)]

    key = f"telegram:{message.chat.id}/{message.message_id}"
    room.soon(room.messages.act(answer_to(message)))
    await ask(room, query.from_user, answer_to(message), key, queue)
    with as_far_as_telegram_lets():
        await room.messages.edit_buttons(spot_of(message), None)
    return ""


async def _offer(room: Room, message: Message, words: str) -> None:
    """A link may come from anybody: what it brings is made when a button is pressed."""
    with costless():
        quoted = room.desk.studio.quote(parse(words), place=answer_to(message).place)
    text = f"{bold('Make this clip?')}\n{quote(words)}\n{plain(offer(quoted))}"
    button = InlineKeyboardButton("Make it", callback_data=MAKE)
    with as_far_as_telegram_lets():
        await room.messages.send(answer_to(message), Shown(text, InlineKeyboardMarkup([[button]])))


def _told(name: str) -> Hearing:
    async def hearing(room: Room, message: Message, said: str) -> None:
        assert message.from_user is not None
        user = known_author(message) if name in PERSONAL else message.from_user
        account = await account_of(room.desk.studio, user)
        here = answer_to(message)
        told = await TELLINGS[name](room.desk, account, here.place)
        there = here
        with as_far_as_telegram_lets():
            if name in PERSONAL:
                there = await privately(room.messages, here, user.id, told, name)
            elif name == HELP and not here.private:
                await room.messages.send(here, talk.help_in_short(room.bot.username))
            else:
                await room.messages.send(here, told)
        await tell_kept(room, there, account)

    return hearing


def _command(room: Room, hearing: Hearing) -> Handling:
    async def heard(update: Update, context: Context) -> None:
        message = update.effective_message
        if message is None or message.from_user is None:
            return  # a channel's, which nobody in particular asks
        said = " ".join(context.args or ())
        await guarded(room.messages, message, lambda: hearing(room, message, said))

    return heard


def _button(room: Room, pressing: Pressing) -> Handling:
    async def heard(update: Update, context: Context) -> None:
        query = update.callback_query
        assert query is not None
        await answered(room.messages, query, lambda: pressing(room, query))

    return heard


def _pressed(query: CallbackQuery) -> Message:
    """Raises NotFound for a message that Telegram shows no more."""
    if not isinstance(query.message, Message):
        raise NotFound("This message is too old: ask for a new one.")
    return query.message


def _here(message: Message) -> chats.Here:
    spot = spot_of(message)
    topic = str(spot.topic or NO_TOPIC) if message.chat.is_forum else None
    return chats.Here(spot.chat, topic, spot.private)


async def _check_leads(room: Room, here: chats.Here, user: int) -> None:
    if not (here.private or await chats.leads(room.bot, here.chat, user)):
        raise Refused(chats.NOT_LEADING)
