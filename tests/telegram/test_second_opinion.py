"""aiogram, which others wrote, on the same stand-in: it is shaped to no library.

aiogram 3.31 wants pydantic below 2.14, so it is no part of this project's environment; where it is
installed, this runs: `pip install aiogram==3.31.0` in an environment of its own.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.telegram.server import Standin
from tests.telegram.smallest import CLIP, thumbnail

aiogram = pytest.importorskip("aiogram", reason="aiogram is in an environment of its own")


async def test_the_same_story(telegram_standin: Standin) -> None:
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer

    running = telegram_standin
    running.limits.on = False
    types: Any = aiogram.types
    session = AiohttpSession(api=TelegramAPIServer.from_base(running.api_url))
    bot = aiogram.Bot(running.token, session=session)
    anna = running.scene.user("anna")
    try:
        said = anna.photo(thumbnail(), "the lake freezes")
        updates = await bot.get_updates(timeout=5)
        heard = updates[0].message
        file = await bot.get_file(heard.photo[-1].file_id)
        assert (await bot.download_file(file.file_path)).read()[:2] == b"\xff\xd8"
        keys = types.InlineKeyboardMarkup(
            inline_keyboard=[[types.InlineKeyboardButton(text="Again", callback_data="again 1")]]
        )
        card = await bot.send_message(
            heard.chat.id, "<b>Rendering</b>", parse_mode="HTML", reply_markup=keys,
            reply_parameters=types.ReplyParameters(message_id=heard.message_id),
        )  # fmt: skip
        clip = types.InputMediaVideo(
            media=types.BufferedInputFile(CLIP, "clip.mp4"), caption="done", width=320, height=180,
            duration=2, thumbnail=types.BufferedInputFile(thumbnail(), "thumbnail.jpg"),
        )  # fmt: skip
        await bot.edit_message_media(
            clip, chat_id=heard.chat.id, message_id=card.message_id, reply_markup=keys
        )
        seen = await running.until_clip(anna)
        assert (seen.file.data, seen.message_id) == (CLIP, card.message_id)
        shown = running.world.messages[anna.id, card.message_id]
        assert (shown.reply_to, shown.text) == (said.id, "done")
        pressed = anna.press(shown, "Again")
        updates = await bot.get_updates(offset=updates[-1].update_id + 1, timeout=5)
        await bot.answer_callback_query(updates[0].callback_query.id, text="Once more")
        assert (await pressed.answer())["text"] == "Once more"
        await bot.send_video(heard.chat.id, types.BufferedInputFile(CLIP, "clip.mp4"))
        picture = types.BufferedInputFile(thumbnail(), "a.jpg")
        album = [types.InputMediaPhoto(media=picture), types.InputMediaPhoto(media=picture)]
        assert len(await bot.send_media_group(heard.chat.id, album)) == 2
    finally:
        await session.close()
    assert len(anna.clips()) == 2
