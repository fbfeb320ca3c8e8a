"""Shows jobs at their messages: words that change, a preview, and in the end the clip.

A card begins as words. It may carry a picture later, and never words alone again: then its words
are a caption.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from telegram import InlineKeyboardMarkup
from telegram.constants import ChatAction

from bots.card import VARIANTS, card, veiled
from bots.cards import TooLarge
from bots.desk import fitted
from bots.telegram.card_view import Extra, Shown, card_view, keyboard
from bots.telegram.clips import video_of
from bots.telegram.desk import PLATFORM, TelegramDesk
from bots.telegram.messages import Messages, Video
from bots.telegram.places import Spot, spot
from bots.telegram.refusals import HasMedia, Moved, NoMedia
from bots.thumb import blank
from core.errors import Transient, Unreachable
from core.job import Clip, Job, State
from core.places import Post
from core.studio import View

ALONE_SECONDS, GROUP_SECONDS = 2.0, 6.0
"""Between two edits of a card, in somebody's own chat and in a group, which takes 20 a minute."""

SMALLER = (20_000_000, 8_000_000)
"""Limits to try where Telegram takes less than it says."""

KNOWN_CLIPS = 256
KNOWN_CARDS = 1024

SECOND = "If another card of this clip waits above, this one takes its place."
"""Telegram can't be asked for a message whose number was lost."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a message shows. preview: the number of the one that it carries; media: whether it
    carries anything."""

    shown: Shown | None
    preview: int = 0
    media: bool = False


class TelegramPainter:
    """`bots.cards.Painter`."""

    platform = PLATFORM

    def __init__(self, desk: TelegramDesk, messages: Messages) -> None:
        self._desk = desk
        self._messages = messages
        self._began = desk.clock()
        self._second: set[str] = set()
        self._told: OrderedDict[str, Told] = OrderedDict()
        self._clips: OrderedDict[str, str] = OrderedDict()

    def pause(self, place: str) -> float:
        at = spot(place)
        return ALONE_SECONDS if at.private or at.inline else GROUP_SECONDS

    def forget(self, place: str) -> None:
        """What its message carries is known until the last word is said, which comes yet."""

    def file_id(self, job_id: str) -> str | None:
        """By which a clip can be sent again without its bytes, while it is remembered."""
        return self._clips.get(job_id)

    async def paint(self, post: Post, views: Sequence[View]) -> Sequence[Job]:
        if spot(post.place).sent:
            for view in views[:1]:
                await self.show(post, view)
            return ()
        sent: list[Job] = []
        try:
            for view in views:
                _, job = await self.send(post, view)
                sent.append(job)
        except (Transient, TimeoutError):
            if not sent:
                raise
        return sent

    async def send(self, post: Post, view: View) -> tuple[Post, Job]:
        """Send the card of a job that has none; where it is now. Follows a group that moved. Where
        one may have been sent before, by whoever died before knowing it, it says so.

        Raises Unreachable, Transient, or TimeoutError where it may have been sent.
        """
        if view.job.created_at < self._began and not spot(view.job.place).sent:
            self._second.add(view.job.id)
        at, shown = spot(post.place), self.drawn(view, spot(post.place))
        try:
            message = await self._messages.send(at, shown)
        except Moved as moved:
            at = replace(at, chat=moved.chat, answers=0)
            message = await self._messages.send(at, shown)
        except TimeoutError:
            self._second.add(view.job.id)
            raise
        there = replace(post, place=at.at(message).place, token_until=None)
        job = await self._desk.lobby.move(view.job, there)
        self._note(there.place, Told(shown))
        return there, job

    async def show(self, post: Post, view: View) -> None:
        """Show a job without a clip, unless its message does. Where it was refused, a preview goes
        with it. Raises as `Messages.edit_text`."""
        at, told = spot(post.place), self._told.get(post.place) or _supposed(view.job)
        self._note(post.place, replace(told, shown=None))
        last = view.job.state.ended
        shown = self.drawn(view, at, caption=told.media)
        number = view.outlook.preview_number if view.outlook else 0
        preview = self._desk.studio.preview(view.job) if number != told.preview else None
        if veiled(view.job):
            preview = blank() if last and told.media else None
        if preview is not None and not at.inline:
            shown = self.drawn(view, at, caption=True)
            await self._messages.edit_photo(at, shown, preview, last=last)
            told = Told(shown, number, media=True)
        elif told.shown != shown:
            told = await self._reword(at, view, told)
        if last:
            self._second.discard(view.job.id)
            self._told.pop(post.place, None)
        else:
            self._note(post.place, told)

    async def finish(self, post: Post, view: View, clip: Clip) -> None:
        """Bring a clip into its message, encoded smaller until Telegram takes it.

        Raises as `Messages.edit_video`.
        """
        at, most = spot(post.place), self._desk.settings.upload_bytes
        self._told.pop(post.place, None)
        for limit in (most, *(size for size in SMALLER if size < most)):
            try:
                await self._bring(at, view, clip, limit)
            except TooLarge:
                continue
            self._second.discard(view.job.id)
            return
        raise Unreachable("Telegram takes no clip, however small")

    def drawn(self, view: View, at: Spot, *, caption: bool = False, notice: str = "") -> Shown:
        """A job in words and buttons."""
        second = SECOND if view.job.id in self._second else ""
        notice = " ".join(filter(None, (notice, second)))
        shown = card(view, self._desk.studio.catalogue)
        return card_view(shown, self._extra(view, at, notice), caption=caption)

    def keyboard(self, view: View, at: Spot, *, more: bool) -> InlineKeyboardMarkup | None:
        """A job's buttons alone; those that are folded away where `more` is True."""
        shown = card(view, self._desk.studio.catalogue)
        return keyboard(shown, self._extra(view, at), more=more)

    def _extra(self, view: View, at: Spot, notice: str = "") -> Extra:
        return Extra(
            notice=notice,
            larger=self._desk.studio.larger(view.job),
            four=self._desk.studio.varied(view.job, VARIANTS),
            page=self._desk.page_link is not None,
            inline=bool(at.inline),
        )

    def remember(self, job_id: str, file_id: str) -> None:
        if file_id:
            self._clips[job_id] = file_id
            while len(self._clips) > KNOWN_CLIPS:
                self._clips.popitem(last=False)

    async def _reword(self, at: Spot, view: View, told: Told) -> Told:
        last = view.job.state.ended
        for media in (told.media, not told.media):  # the other where it was wrongly supposed
            shown = self.drawn(view, at, caption=media)
            with suppress(HasMedia, NoMedia):
                if media:
                    await self._messages.edit_caption(at, shown, last=last)
                else:
                    await self._messages.edit_text(at, shown, last=last)
                return Told(shown, told.preview, media)
        raise Unreachable("the message has neither words nor a caption")

    def _note(self, place: str, told: Told) -> None:
        self._told[place] = told
        self._told.move_to_end(place)
        while len(self._told) > KNOWN_CARDS:
            self._told.popitem(last=False)

    async def _bring(self, at: Spot, view: View, clip: Clip, limit: int) -> None:
        async with fitted(self._desk, clip, limit) as file:
            shown = self.drawn(view, at, caption=True, notice=file.said)
            if not file.is_clip:
                still = await asyncio.to_thread(file.path.read_bytes)
                await self._messages.edit_photo(at, shown, still, last=True)
                return
            video: Video | str = self.file_id(view.job.id) or await video_of(
                view.job.id, clip, file
            )
            async with self._messages.acting(at, ChatAction.UPLOAD_VIDEO):
                self.remember(view.job.id, await self._messages.edit_video(at, shown, video))


def _supposed(job: Job) -> Told:
    """What the card of a job shows that was sent before a restart: an attempt leaves a preview
    there, as a rule."""
    attempts = job.attempt - (job.state is State.RUNNING)
    return Told(None, media=attempts > 0)
