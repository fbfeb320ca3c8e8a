"""/privacy export and /forget: what is kept of somebody goes to them, or goes for good."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from telegram import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from telegram.constants import ChatAction

from bots import privacy
from bots.telegram import talk
from bots.telegram.asking import Room
from bots.telegram.card_view import Shown
from bots.telegram.hearing import (
    OPEN_FIRST,
    SENT,
    account_of,
    as_far_as_telegram_lets,
    is_theirs,
    privately,
    say,
)
from bots.telegram.markup import plain
from bots.telegram.places import Spot, answer_to, spot_of
from bots.telegram.reading import known_author
from core.errors import Refused, Unreachable

FORGET, PAYLOAD = "kn-forget", "forget"
"""What its button carries, and what /start does."""

SPARE_BYTES = 1_000_000


async def export(room: Room, message: Message) -> None:
    """A file in their own chat. Raises UserError or Transient."""
    user, here = known_author(message), answer_to(message)
    theirs = Spot(user.id)
    if not await room.started.has(user.id):
        await say(room.messages, here, OPEN_FIRST.text)
        return
    account = await account_of(room.desk.studio, user)
    async with room.files.turn(), room.messages.acting(theirs, ChatAction.UPLOAD_DOCUMENT):
        made = await room.desk.privacy.export(account)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, privacy.ARCHIVE_NAME)
            most = room.desk.settings.upload_bytes - SPARE_BYTES
            whole = await asyncio.to_thread(privacy.pack, made, file, most)
            words = Shown(plain(privacy.ALL_OF_IT if whole else privacy.ROWS_ALONE), None)
            with as_far_as_telegram_lets():
                await room.messages.send_document(theirs, words, file)
    if not here.private:
        await say(room.messages, here, SENT.text)


async def forget(room: Room, message: Message, said: str) -> None:
    """Say what would go, in their own chat, with a button. Raises UserError or Transient."""
    user = known_author(message)
    account = await account_of(room.desk.studio, user)
    left = (await room.desk.studio.wallet(account)).available
    button = InlineKeyboardButton(privacy.FORGET_LABEL, callback_data=FORGET)
    told = Shown(plain(privacy.warning(left)), InlineKeyboardMarkup([[button]]))
    with as_far_as_telegram_lets():
        await privately(room.messages, answer_to(message), user.id, told, PAYLOAD)


async def forgotten(room: Room, query: CallbackQuery) -> str:
    """Forget who pressed. Raises UserError or Transient."""
    message = query.message
    if not isinstance(message, Message) or not is_theirs(query):
        raise Refused("This message is too old: type /forget again. Nothing was deleted.")
    account = await account_of(room.desk.studio, query.from_user)
    receipt = await room.desk.privacy.forget(account)
    told = Shown(talk.drawn(privacy.told(receipt)), None)
    with as_far_as_telegram_lets():
        try:
            await room.messages.edit_text(spot_of(message), told, last=True)
        except Unreachable:
            await room.messages.send(spot_of(message), told)
    return "Forgotten."
