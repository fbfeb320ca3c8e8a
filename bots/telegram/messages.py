"""Messages sent, edited and deleted: Telegram's answers, told in our own errors.

Editing twice shows once. What timed out may have been done: that is a TimeoutError.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from telegram import (
    ForceReply,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaPhoto,
    InputMediaVideo,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bots.telegram.card_view import Shown
from bots.telegram.limiter import Turn
from bots.telegram.places import Spot
from bots.telegram.refusals import CardGone, HasMedia, told
from core.errors import KinoraError, Unreachable

TAKEN_SECONDS = 120.0
"""From the last byte of a clip to Telegram's answer: a server of one's own first passes it on."""

ACTION_SECONDS = 4.0
"""Telegram shows that the bot is busy for 5 s."""

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, slots=True)
class Video:
    """A clip as it is sent. Sides in pixels; thumbnail: a JPEG of 320 pixels at most."""

    path: Path
    name: str
    width: int
    height: int
    seconds: int
    thumbnail: bytes


class Messages:
    """Everything raises CardGone or Unreachable, Moved, TooLarge, Transient, or TimeoutError where
    no answer came."""

    def __init__(self, bot: ExtBot[Turn]) -> None:
        self._bot = bot

    @property
    def username(self) -> str:
        """The bot's."""
        return self._bot.username

    async def send(self, spot: Spot, shown: Shown, *, reply: ForceReply | None = None) -> int:
        """A new message; its id. It answers what `spot` does, where that is still there."""
        async with told():
            sent = await self._bot.send_message(
                spot.chat,
                shown.text,
                message_thread_id=spot.topic,
                parse_mode=ParseMode.HTML,
                link_preview_options=_NO_PREVIEW,
                reply_parameters=_answer(spot),
                reply_markup=reply or shown.markup,
            )
            return sent.message_id
        raise AssertionError("either sent or raised")

    async def edit_text(self, spot: Spot, shown: Shown, *, last: bool = False) -> None:
        """Raises HasMedia too. last: nothing newer will come."""
        async with told():
            await self._bot.edit_message_text(
                shown.text,
                chat_id=None if spot.inline else spot.chat,
                message_id=spot.message,
                inline_message_id=spot.inline or None,
                parse_mode=ParseMode.HTML,
                link_preview_options=_NO_PREVIEW,
                reply_markup=shown.markup,
                rate_limit_args=_turn(last),
            )

    async def edit_caption(self, spot: Spot, shown: Shown, *, last: bool = False) -> str:
        """The file_id of the clip there, as in `edit_video`. Raises NoMedia too."""
        edited: Message | bool = True
        async with told():
            edited = await self._bot.edit_message_caption(
                chat_id=None if spot.inline else spot.chat,
                message_id=spot.message,
                inline_message_id=spot.inline or None,
                caption=shown.text,
                parse_mode=ParseMode.HTML,
                reply_markup=shown.markup,
                rate_limit_args=_turn(last),
            )
        return _file_id(edited)

    async def reword(self, spot: Spot, shown: Shown) -> None:
        """Its last words, whatever it carries."""
        try:
            await self.edit_text(spot, shown, last=True)
        except HasMedia:
            await self.edit_caption(spot, shown, last=True)

    async def edit_buttons(self, spot: Spot, markup: InlineKeyboardMarkup | None) -> None:
        async with told():
            await self._bot.edit_message_reply_markup(
                chat_id=None if spot.inline else spot.chat,
                message_id=spot.message,
                inline_message_id=spot.inline or None,
                reply_markup=markup,
                rate_limit_args=Turn.SOON,
            )

    async def edit_photo(
        self, spot: Spot, shown: Shown, photo: bytes | str, *, last: bool = False
    ) -> None:
        """In place of what the message carries. photo: or its file_id, as in `edit_video`."""
        media = InputMediaPhoto(
            photo, caption=shown.text, parse_mode=ParseMode.HTML, filename="preview.jpg"
        )
        async with told():
            await self._bot.edit_message_media(
                media,
                chat_id=None if spot.inline else spot.chat,
                message_id=spot.message,
                inline_message_id=spot.inline or None,
                reply_markup=shown.markup,
                rate_limit_args=_turn(last),
            )

    async def edit_video(self, spot: Spot, shown: Shown, video: Video | str) -> str:
        """Bring a clip into a message; its file_id. video: or the file_id that it has already,
        which is all that an inline message takes."""
        edited: Message | bool = True
        async with told(), _opened(video) as media:
            edited = await self._bot.edit_message_media(
                _media(media, video, shown),
                chat_id=None if spot.inline else spot.chat,
                message_id=spot.message,
                inline_message_id=spot.inline or None,
                reply_markup=shown.markup,
                read_timeout=TAKEN_SECONDS,
                rate_limit_args=Turn.SOON,
            )
        return _file_id(edited)

    async def send_photo(
        self, spot: Spot, shown: Shown, photo: bytes, *, covered: bool = False
    ) -> tuple[int, str]:
        """A new message that nobody is told of; its id, and the picture's file_id. covered: it is
        blurred until it is tapped."""
        async with told():
            sent = await self._bot.send_photo(
                spot.chat,
                photo,
                caption=shown.text,
                parse_mode=ParseMode.HTML,
                has_spoiler=covered or None,
                disable_notification=True,
                filename="picture.jpg",
                reply_markup=shown.markup,
            )
            return sent.message_id, sent.photo[-1].file_id
        raise AssertionError("either sent or raised")

    async def send_video(
        self, spot: Spot, shown: Shown, video: Video | str, *, covered: bool = False
    ) -> tuple[int, str]:
        """A new message with a clip; its id, and the clip's file_id. Not for what may be repeated:
        a repeat is seen twice. covered: as in `send_photo`."""
        known = None if isinstance(video, str) else video
        async with told(), _opened(video) as media:
            sent = await self._bot.send_video(
                spot.chat,
                media,
                message_thread_id=spot.topic,
                caption=shown.text,
                parse_mode=ParseMode.HTML,
                has_spoiler=covered or None,
                supports_streaming=True,
                reply_parameters=_answer(spot),
                reply_markup=shown.markup,
                read_timeout=TAKEN_SECONDS,
                width=known.width if known else None,
                height=known.height if known else None,
                duration=known.seconds if known else None,
                thumbnail=known.thumbnail if known else None,
            )
            return sent.message_id, _file_id(sent)
        raise AssertionError("either sent or raised")

    async def send_document(self, spot: Spot, shown: Shown, file: Path) -> None:
        """A new message with a file, as it is."""
        async with told():
            with await asyncio.to_thread(file.open, "rb") as opened:
                await self._bot.send_document(
                    spot.chat,
                    InputFile(opened, filename=file.name, read_file_handle=False),
                    caption=shown.text,
                    parse_mode=ParseMode.HTML,
                    disable_content_type_detection=True,
                    read_timeout=TAKEN_SECONDS,
                )

    async def delete(self, spot: Spot) -> None:
        """Nothing where it is gone already."""
        with suppress(CardGone):
            async with told():
                await self._bot.delete_message(spot.chat, spot.message or 0)

    async def act(self, spot: Spot, action: ChatAction = ChatAction.TYPING) -> None:
        """Show that something is being done, for 5 s. Raises nothing."""
        with suppress(TelegramError):
            await self._bot.send_chat_action(spot.chat, action, message_thread_id=spot.topic)

    async def react(self, spot: Spot, emoji: str) -> bool:
        """Put a sign on the message that `spot` answers; whether that could be done, which not
        every group allows."""
        try:
            return await self._bot.set_message_reaction(spot.chat, spot.answers, emoji)
        except TelegramError:
            return False

    async def reaches(self, spot: Spot) -> bool:
        """Whether we may write there, found out without a message. True where Telegram does not
        tell."""
        try:
            async with told():
                await self._bot.send_chat_action(spot.chat, ChatAction.TYPING)
        except Unreachable:
            return False
        except (KinoraError, TimeoutError):
            return True
        return True

    @asynccontextmanager
    async def acting(self, spot: Spot, action: ChatAction) -> AsyncIterator[None]:
        """Show it for as long as the block lasts."""

        async def go_on() -> None:
            while True:
                await self.act(spot, action)
                await asyncio.sleep(ACTION_SECONDS)

        showing = asyncio.create_task(go_on())
        try:
            yield
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing


def _turn(last: bool) -> Turn:
    """Progress gives way to what somebody waits for."""
    return Turn.SOON if last else Turn.LATER


def _media(media: InputFile | str, video: Video | str, shown: Shown) -> InputMediaVideo:
    known = None if isinstance(video, str) else video
    return InputMediaVideo(
        media,
        caption=shown.text,
        parse_mode=ParseMode.HTML,
        supports_streaming=True,
        width=known.width if known else None,
        height=known.height if known else None,
        duration=known.seconds if known else None,
        thumbnail=known.thumbnail if known else None,
    )


def _answer(spot: Spot) -> ReplyParameters | None:
    if not spot.answers:
        return None
    return ReplyParameters(spot.answers, allow_sending_without_reply=True)


def _file_id(answer: Message | bool) -> str:
    """ "" where Telegram does not say: of inline messages, and of what it did not change."""
    if isinstance(answer, Message) and answer.video is not None:
        return answer.video.file_id
    return ""


@asynccontextmanager
async def _opened(video: Video | str) -> AsyncIterator[InputFile | str]:
    """A clip that is read as it is sent, and not before; or the id that it has already."""
    if isinstance(video, str):
        yield video
        return
    with await asyncio.to_thread(video.path.open, "rb") as file:
        yield InputFile(file, filename=video.name, attach=True, read_file_handle=False)
