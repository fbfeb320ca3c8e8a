"""Shows jobs at their post: as a layout that changed, with the files that are new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bots.discord.desk import PLATFORM, DiscordDesk
from bots.discord.draw import Drawing, Part, drawn
from bots.discord.messages import Attached, Messages
from core.errors import Unreachable
from core.job import Job, State
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


REMEMBERED = 512
"""Posts of which it is known what they show."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a post shows: its parts, its layout, and Discord's word for the files on it."""

    parts: tuple[Part, ...]
    content: str
    attached: tuple[Attached, ...]


class DiscordPainter:
    """`bots.cards.Painter`."""

    platform = PLATFORM

    def __init__(self, desk: DiscordDesk, messages: Messages) -> None:
        self._desk = desk
        self._messages = messages
        self._told: dict[str, Told] = {}

    def pause(self, place: str) -> float:
        return EDIT_SECONDS

    def forget(self, place: str) -> None:
        """Its last word is still to come, which takes over what is there: the oldest are forgotten
        where there are many."""
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]

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
    ) -> None:
        """Edit a post so that it shows its jobs, unless it does; under its lock. limit: bytes of a
        file. What is attached already stays. Raises as `Messages.edit`."""
        before = self._told.pop(post.place, None)
        known = before.parts if before else ()
        async with drawn(self._desk, views, limit, notice, known) as drawing:
            attached = await self._edited(post, drawing, before)
        here = {file.name for file in attached}
        if any(not view.job.state.ended for view in views) and here >= drawing.names:
            parts = tuple(replace(part, new=()) for part in drawing.parts)
            self._told[post.place] = Told(parts, drawing.content, attached)

    async def _edited(
        self, post: Post, drawing: Drawing, before: Told | None
    ) -> tuple[Attached, ...]:
        """What is attached to the post then."""
        if before is None:
            return await self._messages.edit(post, drawing.view, drawing.new)
        kept = [file for file in before.attached if file.name in drawing.kept]
        if drawing.new or len(kept) < len(before.attached):
            return await self._messages.edit(post, drawing.view, [*kept, *drawing.new])
        if drawing.content != before.content:
            return await self._messages.edit(post, drawing.view)
        return before.attached

    def _farewell(self, post: Post, views: Sequence[View]) -> str:
        """The last words on a card that can't be reached for much longer; "" before that."""
        if post.member or post.token_until is None:
            return ""
        if self._desk.clock() < post.token_until - LAST_WORDS:
            return ""
        unfinished = [view.job for view in views if not view.job.state.ended]
        if unfinished and all(job.state is State.QUOTED for job in unfinished):
            return ""  # nothing is on its way, and its buttons reach the card anew
        return FAREWELL.format(min((job.id for job in unfinished), default=""))
