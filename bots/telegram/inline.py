"""Inline mode: `@bot words` in any chat. A chosen result becomes a job, whose card it is.

Where the bot is no member an edit can't upload: the clip is sent to the store chat or to its
author's own chat first, and comes into the message by its file_id.
https://core.telegram.org/bots/api#editmessagemedia
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import replace

from telegram import (
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

from bots.card import offer
from bots.desk import fitted
from bots.hearing import objection
from bots.telegram.asking import Add, Room, ask
from bots.telegram.card_view import Shown
from bots.telegram.clips import video_of
from bots.telegram.desk import TelegramDesk
from bots.telegram.hearing import answered
from bots.telegram.markup import bold, cut, length, plain, quote
from bots.telegram.messages import Messages
from bots.telegram.painter import TelegramPainter
from bots.telegram.places import Spot, inline_spot, spot
from bots.telegram.refusals import CardGone
from core.counter import Consent
from core.errors import KinoraError, Unreachable, UserError
from core.job import Account, Clip, Job
from core.places import Post
from core.prompt import parse
from core.studio import View

log = logging.getLogger("kinora.telegram")

RESULT = "create"
TITLE_CHARS = 100
BUTTON_CHARS = 64
CACHE_SECONDS = 0
HINT = "Type what you would like to see"
START = "inline"
WAIT = "kn-wait"
WAITING = InlineKeyboardMarkup([[InlineKeyboardButton("Kinora", callback_data=WAIT)]])
"""Without buttons Telegram would not say which message it became."""

TOO = "It is in your inline message, too."
COPY = Shown("The clip of your inline message comes here first.", None)
NO_COPY = (
    "The clip is done, but I can't bring it here. Open a chat with me, press Start, and send "
    "/show {}."
)
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
    results, button = _offered(room.desk, query.query)
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
    shown = InputTextMessageContent(
        f"{bold('Waiting')}\n{quote(draft.prompt)}", parse_mode=ParseMode.HTML
    )
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
        try:
            await room.messages.edit_text(at, Shown(plain(sentence), None), last=True)
        except (KinoraError, TimeoutError) as error:
            log.info("nobody could be told why an inline message came to nothing: %s", error)


async def bring(
    desk: TelegramDesk,
    messages: Messages,
    painter: TelegramPainter,
    post: Post,
    view: View,
    clip: Clip,
) -> None:
    """Bring a clip into its inline message. Raises Transient, TimeoutError; or Unreachable, when
    the message says where the clip is."""
    at = spot(post.place)
    file_id = painter.file_id(view.job.id)
    if file_id is None:
        try:
            file_id = await _uploaded(desk, messages, painter, post, view, clip)
        except Unreachable:
            words = plain(NO_COPY.format(view.job.id))
            await messages.edit_text(at, Shown(words, None), last=True)
            raise
        painter.remember(view.job.id, file_id)
    await messages.edit_video(at, painter.drawn(view, at, caption=True), file_id)


async def _uploaded(
    desk: TelegramDesk,
    messages: Messages,
    painter: TelegramPainter,
    post: Post,
    view: View,
    clip: Clip,
) -> str:
    """The file_id of a clip that was uploaded elsewhere. Raises as `Messages`."""
    store = desk.settings.store_chat
    home = Spot(spot(post.place).chat if store is None else store)
    async with fitted(desk, clip, desk.settings.upload_bytes) as file:
        if not file.is_clip:
            raise Unreachable("no clip is small enough for Telegram")
        video = await video_of(view.job.id, clip, file)
        if store is not None:
            _, file_id = await messages.send_video(home, Shown("", None), video)
            return file_id
        shown = painter.drawn(view, home, caption=True)
        elsewhere = painter.drawn(view, home, caption=True, notice=TOO)
        for _ in range(2):
            copy = home.at(int(post.token)) if post.token else None
            if copy is None:
                copy = home.at(await messages.send(home, COPY))
                post = replace(post, token=str(copy.message), token_until=None)
                await desk.lobby.keep(post)
            try:
                file_id = await messages.edit_video(copy, shown, video)
                return file_id or await _known(messages, copy, (shown, elsewhere))
            except CardGone:  # its author deleted it
                post = replace(post, token=None)
        raise Unreachable("the copy is deleted again and again")


async def _known(messages: Messages, copy: Spot, words: Sequence[Shown]) -> str:
    """The file_id of a clip that was there already, which only a change of its words tells."""
    for shown in words:
        if file_id := await messages.edit_caption(copy, shown, last=True):
            return file_id
    raise Unreachable("Telegram does not tell the clip's file_id")
