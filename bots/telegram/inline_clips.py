"""Clips in inline messages, where an edit can't upload.

What one shows is sent to the store chat or to its author's own chat first, and comes into the
message by its file_id.
https://core.telegram.org/bots/api#editmessagemedia
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from bots.desk import fitted
from bots.telegram.card_view import Shown
from bots.telegram.clips import GONE, take_off, video_of
from bots.telegram.desk import TelegramDesk
from bots.telegram.markup import plain
from bots.telegram.messages import Messages
from bots.telegram.painter import TelegramPainter
from bots.telegram.places import Spot, spot
from bots.telegram.refusals import CardGone, HasMedia, NoMedia
from bots.thumb import blank
from core.errors import Unreachable
from core.job import Clip
from core.places import Post
from core.studio import View

log = logging.getLogger("kinora.telegram")

TOO = "It is in your inline message, too."
COPY = Shown("The clip of your inline message comes here first.", None)
NO_COPY = (
    "The clip is done, but I can't bring it here. Open a chat with me, press Start, and send "
    "/show {}."
)
STAYS = Shown(
    "Deleted, but I can't take the clip out of this message: only who sent it can, by deleting the "
    "message.",
    None,
)


class InlineClips:
    """Raises as `Messages`, of the messages that take the uploads, too."""

    def __init__(self, desk: TelegramDesk, messages: Messages, painter: TelegramPainter) -> None:
        self._desk = desk
        self._messages = messages
        self._painter = painter

    async def bring(self, post: Post, view: View, clip: Clip) -> None:
        """Bring a clip into its inline message. Raises Transient, TimeoutError; or Unreachable,
        when the message says where the clip is."""
        at = spot(post.place)
        file_id = self._painter.file_id(view.job.id)
        if file_id is None:
            try:
                file_id = await self._uploaded(post, view, clip)
            except Unreachable:
                words = plain(NO_COPY.format(view.job.id))
                await self._messages.edit_text(at, Shown(words, None), last=True)
                raise
            self._painter.remember(view.job.id, file_id)
        await self._messages.edit_video(at, self._painter.drawn(view, at, caption=True), file_id)

    async def take_off(self, post: Post) -> None:
        """An inline message can't be deleted, and one with a clip can't be words alone again: a
        picture of nothing takes the clip's place. Its copy goes, too."""
        at, copy = spot(post.place), _copy(post)
        if copy is not None:
            with suppress(Unreachable):
                await take_off(self._messages, copy)
        else:  # no clip came; where one did, Telegram may take a text for its caption
            with suppress(HasMedia):
                await self._messages.edit_text(at, GONE, last=True)
                return
        home = self._home(at)
        try:
            sent, file_id = await self._messages.send_photo(home, GONE, blank())
        except Unreachable as error:
            log.info("a deleted clip stays in an inline message: %s", error)
            try:
                await self._messages.edit_caption(at, STAYS, last=True)
            except NoMedia:
                await self._messages.edit_text(at, GONE, last=True)
            return
        try:
            await self._messages.edit_photo(at, GONE, file_id, last=True)
        finally:
            await self._messages.delete(home.at(sent))

    def _home(self, at: Spot) -> Spot:
        """Where an inline message's files are uploaded."""
        store = self._desk.settings.store_chat
        return Spot(at.chat if store is None else store)

    async def _uploaded(self, post: Post, view: View, clip: Clip) -> str:
        """The file_id of a clip that was uploaded elsewhere."""
        home = self._home(spot(post.place))
        async with fitted(self._desk, clip, self._desk.settings.upload_bytes) as file:
            if not file.is_clip:
                raise Unreachable("no clip is small enough for Telegram")
            video = await video_of(view.job.id, clip, file)
            if self._desk.settings.store_chat is not None:
                sent, file_id = await self._messages.send_video(home, Shown("", None), video)
                await self._keep(post, home.at(sent))
                return file_id
            shown = self._painter.drawn(view, home, caption=True)
            elsewhere = self._painter.drawn(view, home, caption=True, notice=TOO)
            for _ in range(2):
                copy = _copy(post)
                if copy is None:
                    copy = home.at(await self._messages.send(home, COPY))
                    post = await self._keep(post, copy)
                try:
                    file_id = await self._messages.edit_video(copy, shown, video)
                    return file_id or await self._known(copy, (shown, elsewhere))
                except CardGone:  # its author deleted it
                    post = replace(post, token=None)
            raise Unreachable("the copy is deleted again and again")

    async def _keep(self, post: Post, copy: Spot) -> Post:
        """Write down where an inline message's clip is, too."""
        post = replace(post, token=f"{copy.chat}/{copy.message}", token_until=None)
        await self._desk.lobby.keep(post)
        return post

    async def _known(self, copy: Spot, words: Sequence[Shown]) -> str:
        """The file_id of a clip that was there already, which only a change of its words tells."""
        for shown in words:
            if file_id := await self._messages.edit_caption(copy, shown, last=True):
                return file_id
        raise Unreachable("Telegram does not tell the clip's file_id")


def _copy(post: Post) -> Spot | None:
    """Where the clip of an inline message is, too; a number alone is in its author's own chat."""
    if not post.token:
        return None
    chat, _, message = post.token.rpartition("/")
    return Spot(int(chat or spot(post.place).chat), message=int(message))
