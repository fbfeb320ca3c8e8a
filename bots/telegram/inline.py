"""Inline mode: `@bot words` in any chat. A chosen result becomes a job, whose card it is.

Its clip comes through a chat that the bot may write to: inline_clips.py. Who has none is led to
Start before anything is made, and back.
https://core.telegram.org/bots/api#inlinequeryresultsbutton
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from telegram import (
    Chat,
    ChosenInlineResult,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQuery,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    Update,
)
from telegram.constants import ParseMode
from telegram.error import TelegramError
from telegram.ext import (
    CallbackQueryHandler,
    ChosenInlineResultHandler,
    ContextTypes,
    InlineQueryHandler,
)

from bots.card import NOTHING_CHARGED, offer
from bots.hearing import objection
from bots.telegram.asking import Add, Room, ask
from bots.telegram.card_view import Shown
from bots.telegram.desk import TelegramDesk
from bots.telegram.hearing import answered, door
from bots.telegram.markup import bold, cut, length, plain
from bots.telegram.places import Spot, inline_spot
from core.counter import Consent
from core.errors import KinoraError, UserError
from core.job import Account, Job
from core.prompt import parse

log = logging.getLogger("kinora.telegram")

RESULT = "create"
TITLE_CHARS = 100
BUTTON_CHARS = 64
CACHE_SECONDS = 0
HINT = "Type what you would like to see"
START = "inline"
START_FIRST = "Press Start first: your clips come through our own chat"
NOT_STARTED = (
    f"I may not write to you, so I could not bring the clip. {NOTHING_CHARGED} Press Start in our "
    "own chat, then ask once more."
)
OUR_CHAT = "Our own chat"
WAIT = "kn-wait"
WAITING = InlineKeyboardMarkup([[InlineKeyboardButton("Kinora", callback_data=WAIT)]])
"""Without buttons Telegram would not say which message it became."""

NOT_TOLD = (
    "If this stays so, Telegram did not tell me that it was sent. Whoever runs me finds in kinora "
    "doctor what to do."
)

Context = ContextTypes.DEFAULT_TYPE


def register(add: Add, room: Room) -> None:
    async def typed(update: Update, context: Context) -> None:
        assert update.inline_query is not None
        await suggest(room, update.inline_query)

    async def chosen(update: Update, context: Context) -> None:
        assert update.chosen_inline_result is not None
        await order(room, update.chosen_inline_result)

    async def waited(update: Update, context: Context) -> None:
        async def work() -> str:
            return NOT_TOLD

        assert update.callback_query is not None
        await answered(room.messages, update.callback_query, work)

    add(CallbackQueryHandler(waited, re.compile(WAIT)))
    add(InlineQueryHandler(typed))
    add(ChosenInlineResultHandler(chosen))


async def suggest(room: Room, query: InlineQuery) -> None:
    """Offer to make what was typed, with its price; or say what is wrong with it. Raises
    nothing."""
    user = query.from_user.id
    in_ours = query.chat_type == Chat.SENDER
    if in_ours or room.desk.settings.store_chat is not None or await room.started.supposed(user):
        results, button = _offered(room.desk, query.query)
    else:
        results, button = [], InlineQueryResultsButton(START_FIRST, start_parameter=START)
    if not results:
        room.started.turned_away(user, query.query)
    try:
        await query.answer(results, cache_time=CACHE_SECONDS, is_personal=True, button=button)
    except TelegramError as error:
        log.info("an inline query was not answered: %s", error.message)


def _offered(
    desk: TelegramDesk, words: str
) -> tuple[Sequence[InlineQueryResultArticle], InlineQueryResultsButton | None]:
    if not words.strip():
        return [], InlineQueryResultsButton(HINT, start_parameter=START)
    try:
        draft = parse(words)
        quote_ = desk.studio.quote(draft)
    except UserError as error:
        return [], InlineQueryResultsButton(in_short(error.sentence), start_parameter=START)
    # Words come into the chat once the gate read them.
    shown = InputTextMessageContent(bold("Waiting"), parse_mode=ParseMode.HTML)
    made = InlineQueryResultArticle(
        RESULT,
        cut(f"Create: {draft.prompt}", TITLE_CHARS),
        shown,
        reply_markup=WAITING,
        description=offer(quote_),
    )
    return [made], None


def in_short(sentence: str) -> str:
    """What a button has room for: all of it, or of its sentences the last that fits, which is the
    remedy."""
    said = sentence.replace("`", "")
    if length(said) <= BUTTON_CHARS:
        return said
    parts = re.split(r"(?<=[.?!]) ", said)
    fitting = [part for part in parts if length(part) <= BUTTON_CHARS]
    return fitting[-1] if fitting else cut(parts[-1], BUTTON_CHARS)


async def order(room: Room, chosen: ChosenInlineResult) -> None:
    """Queue what was chosen; its message is the card. Raises nothing."""
    message_id = chosen.inline_message_id
    if message_id is None:
        log.error("an inline result has no message: it was sent without buttons")
        return
    at = inline_spot(chosen.from_user.id, message_id)
    if not await _can_bring(room, chosen.from_user.id):
        await _say(room, at, Shown(NOT_STARTED, door(room.bot.username, OUR_CHAT, START)))
        return

    async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
        return [
            await room.desk.studio.submit(
                account, place, parse(chosen.query), consent=Consent.SEEN, key=key
            )
        ]

    async def work() -> None:
        await ask(room, chosen.from_user, at, f"telegram:inline/{message_id}", queue)

    sentence = await objection(work)
    if sentence:
        await _say(room, at, Shown(plain(sentence), None))


async def _say(room: Room, at: Spot, shown: Shown) -> None:
    try:
        await room.messages.edit_text(at, shown, last=True)
    except (KinoraError, TimeoutError) as error:
        log.info("nobody could be told why an inline message came to nothing: %s", error)


async def _can_bring(room: Room, user: int) -> bool:
    """Whether a clip of theirs will have somewhere to come from."""
    return room.desk.settings.store_chat is not None or await room.started.has(user)
