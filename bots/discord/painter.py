"""Shows jobs at their post: as a layout that changed, with the files that are new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bots.discord.desk import PLATFORM, DiscordDesk
from bots.discord.draw import Drawing, drawn
from bots.discord.messages import Messages
from core.errors import Unreachable
from core.job import Job
from core.places import Post
from core.studio import View

EDIT_SECONDS = 2.5
"""Between two edits of one message."""

LAST_WORDS = timedelta(seconds=90)
"""Before a token ends that is the only way to a card."""

FAREWELL = (
    "This takes longer than Discord lets me keep this card up to date. The clip comes to your "
    "direct messages, and `/show {}` shows it too."
)


class DiscordPainter:
    """`bots.cards.Painter`."""

    platform = PLATFORM

    def __init__(self, desk: DiscordDesk, messages: Messages) -> None:
        self._desk = desk
        self._messages = messages
        self._told: dict[str, Drawing] = {}

    def pause(self, place: str) -> float:
        return EDIT_SECONDS

    def forget(self, place: str) -> None:
        self._told.pop(place, None)

    async def paint(self, post: Post, views: Sequence[View]) -> Sequence[Job]:
        farewell = self._farewell(post, views)
        await self.show(post, views, post.upload_limit, notice=farewell)
        if farewell:
            raise Unreachable("its interaction ends")
        return ()

    async def show(
        self,
        post: Post,
        views: Sequence[View],
        limit: int,
        *,
        notice: str = "",
        afresh: bool = False,
    ) -> None:
        """Edit a post so that it shows its jobs, unless it does; under its lock. limit: bytes of a
        file. afresh: whatever it was told before. Raises as `Messages.edit`."""
        before = None if afresh else self._told.get(post.place)
        self._told.pop(post.place, None)
        async with drawn(self._desk, views, limit, notice, before) as drawing:
            if before is None or drawing.content != before.content or drawing.files is not None:
                await self._messages.edit(post, drawing.view, drawing.files)
        if any(not view.job.state.ended for view in views):
            self._told[post.place] = replace(drawing, files=None)

    def _farewell(self, post: Post, views: Sequence[View]) -> str:
        """The last words on a card that can't be reached for much longer; "" before that."""
        if post.member or post.token_until is None:
            return ""
        if self._desk.clock() < post.token_until - LAST_WORDS:
            return ""
        unfinished = [view.job.id for view in views if not view.job.state.ended]
        return FAREWELL.format(min(unfinished, default=""))
