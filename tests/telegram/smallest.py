"""The smallest bot with the unmodified python-telegram-bot: no part of Kinora, only of the tests.

A picture or words become a card, which becomes the clip by an edit.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from PIL import Image
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InputMediaPhoto,
    InputMediaVideo,
    InputTextMessageContent,
    LabeledPrice,
    Update,
)
from telegram.constants import ChatAction
from telegram.error import Conflict
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChosenInlineResultHandler,
    CommandHandler,
    ContextTypes,
    InlineQueryHandler,
    MessageHandler,
    PreCheckoutQueryHandler,
    filters,
)

from tests.telegram.server import Standin

Context = ContextTypes.DEFAULT_TYPE
App = Application[Any, Any, Any, Any, Any, Any]

CLIP = b"\x00\x00\x00\x18ftypisom" + bytes(2000)
KEYS = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again 1")]])


def thumbnail() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 180), "navy").save(out, "JPEG")
    return out.getvalue()


async def animate(update: Update, context: Context) -> None:
    message = update.effective_message
    assert message is not None
    words = message.caption or message.text or ""
    if message.photo:
        file = await message.photo[-1].get_file()
        assert await file.download_as_bytearray()
    card = await message.reply_html(f"<b>Rendering</b> {len(words)} characters", do_quote=True)
    await message.reply_chat_action(ChatAction.UPLOAD_VIDEO)
    clip = InputMediaVideo(
        CLIP, caption="<i>done</i>", parse_mode="HTML", width=320, height=180, duration=2,
        supports_streaming=True, thumbnail=thumbnail(), filename="clip.mp4",
    )  # fmt: skip
    await card.edit_media(clip, reply_markup=KEYS)


async def again(update: Update, context: Context) -> None:
    query = update.callback_query
    assert query is not None
    await query.answer("Once more")
    await query.edit_message_caption("again", reply_markup=KEYS)


async def offer(update: Update, context: Context) -> None:
    query = update.inline_query
    assert query is not None
    words = InputTextMessageContent(f"<b>{query.query}</b>", parse_mode="HTML")
    await query.answer([InlineQueryResultArticle("1", "Draw", words, reply_markup=KEYS)])


async def chosen(update: Update, context: Context) -> None:
    result = update.chosen_inline_result
    assert result is not None
    sent = await context.bot.send_video(result.from_user.id, CLIP, width=2, height=2, duration=1)
    assert sent.video is not None
    await context.bot.edit_message_media(
        InputMediaVideo(sent.video.file_id), inline_message_id=result.inline_message_id
    )


async def sell(update: Update, context: Context) -> None:
    message = update.effective_message
    assert message is not None
    prices = [LabeledPrice("Credits", 5)]
    await message.reply_invoice("Credits", "Ten credits", "ten", currency="XTR", prices=prices)


async def checkout(update: Update, context: Context) -> None:
    assert update.pre_checkout_query is not None
    await update.pre_checkout_query.answer(ok=True)


async def paid(update: Update, context: Context) -> None:
    message = update.effective_message
    assert message is not None
    assert message.successful_payment is not None
    assert message.from_user is not None
    charge = message.successful_payment.telegram_payment_charge_id
    await context.bot.refund_star_payment(message.from_user.id, charge)


async def pair(update: Update, context: Context) -> None:
    message = update.effective_message
    assert message is not None
    picture = thumbnail()
    await message.reply_media_group(
        [InputMediaPhoto(picture, caption="a"), InputMediaPhoto(picture)]
    )


def built(running: Standin) -> App:
    app = (
        Application.builder()
        .token(running.token)
        .base_url(running.base_url)
        .base_file_url(running.base_file_url)
        .build()
    )
    app.add_handler(CommandHandler("buy", sell))
    app.add_handler(CommandHandler("pair", pair))
    app.add_handler(PreCheckoutQueryHandler(checkout))
    app.add_handler(MessageHandler(filters.SUCCESSFUL_PAYMENT, paid))
    app.add_handler(MessageHandler(filters.PHOTO | filters.TEXT, animate))
    app.add_handler(CallbackQueryHandler(again))
    app.add_handler(InlineQueryHandler(offer))
    app.add_handler(ChosenInlineResultHandler(chosen))
    return app


@asynccontextmanager
async def polling(running: Standin, conflicts: list[Conflict] | None = None) -> AsyncIterator[App]:
    """The bot, asking for updates. conflicts: where to put what a second poller causes."""

    def failed(error: Exception) -> None:
        if conflicts is not None and isinstance(error, Conflict):
            conflicts.append(error)

    app = built(running)
    async with app:
        assert app.updater is not None
        await app.start()
        await app.updater.start_polling(timeout=5, error_callback=failed)
        await running.polling()
        try:
            yield app
        finally:
            await app.updater.stop()
            await app.stop()
