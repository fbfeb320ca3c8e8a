"""Brings an ended job home: into its card, which is sent first where there is none.

Editing a clip into a card again shows it once, so whatever breaks in between is simply repeated.
A card that is gone is sent anew, once; where its chat is closed to us the clip goes to its author.
Where not even that works, the job is kept for them.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bots.card import DONE, at_once
from bots.cards import Cards
from bots.telegram.card_view import Shown
from bots.telegram.clips import take_off
from bots.telegram.desk import PLATFORM, TelegramDesk
from bots.telegram.inline_clips import InlineClips
from bots.telegram.markup import plain
from bots.telegram.messages import Messages
from bots.telegram.painter import TelegramPainter
from bots.telegram.places import UNSENT_TIME, Spot, server_of, spot
from bots.telegram.refusals import CardGone, Moved
from core.errors import NotFound, Transient, Unreachable
from core.job import Job, State
from core.places import Post, platform
from core.studio import View

log = logging.getLogger("kinora.telegram")


class Delivery:
    """`core.delivery.Carry` for Telegram. Call it with an ended job."""

    def __init__(
        self,
        desk: TelegramDesk,
        messages: Messages,
        painter: TelegramPainter,
        cards: Cards,
        inline: InlineClips,
    ) -> None:
        self._desk = desk
        self._messages = messages
        self._painter = painter
        self._cards = cards
        self._inline = inline

    async def __call__(self, job: Job) -> None:
        """Raises Transient, TimeoutError or Unreachable."""
        async with self._cards.lock(job.place):
            self._cards.forget(job.id)
            if job.deleted:
                await self._take_off_copies(job)
                await self._take_down(job)
                return
            now = await self._now(job)
            if now is None:
                return
            if now.job.place == job.place:
                await self._deliver(now)
                return
        await self(now.job)  # its card was sent meanwhile

    async def _now(self, job: Job) -> View | None:
        """The job as it is; None where it was deleted meanwhile."""
        try:
            return (await self._desk.lobby.shown(self._desk.studio, job.id)).view
        except NotFound:
            return None

    async def _deliver(self, view: View) -> None:
        post = await self._desk.lobby.post(view.job.place)
        if post is None:
            raise Unreachable("nothing is known of its message")
        try:
            await self._show(post, view)
        except Unreachable as error:
            shut = spot(post.place).private and not isinstance(error, CardGone)
            if view.job.state is State.CANCELLED and not shut:
                return  # somebody wanted it gone
            again = _elsewhere(post, error)
            if post.pinged or again is None:
                raise
            log.info("job %s gets a new card: %s", view.job.id, error)
            until = self._desk.clock() + UNSENT_TIME
            job = await self._desk.lobby.move(view.job, replace(again, token_until=until))
            await self._deliver(replace(view, job=job))

    async def _show(self, post: Post, view: View) -> None:
        if not spot(post.place).sent:
            post, job = await self._painter.send(post, view)
            view = replace(view, job=job)
        clip = view.job.clip
        if clip is None:
            await self._painter.show(post, view)
        elif spot(post.place).inline:
            await self._inline.bring(post, view, clip)
        else:
            await self._painter.finish(post, view, clip)
        await self._ping(post, view)

    async def _ping(self, post: Post, view: View) -> None:
        """A short message, which an edit is not, where the chat asked for it."""
        at, words = spot(post.place), DONE.get(view.job.state)
        wanted = self._desk.lobby.rules(server_of(at.chat)).ping and not at.inline
        if post.pinged or not wanted or words is None or at_once(view.job):
            return
        owner = (await self._desk.lobby.shown(self._desk.studio, view.job.id)).owner
        if not owner.ping:
            return
        await self._desk.lobby.keep(replace(post, pinged=True))
        answer = Spot(at.chat, at.topic, answers=at.message or 0)
        name = "" if at.private else f"{_mention(post, owner.name)} "
        try:
            await self._messages.send(answer, Shown(name + words, None))
        except (Unreachable, Transient, TimeoutError) as error:
            log.info("the author of job %s was not pinged: %s", view.job.id, error)

    async def _take_down(self, job: Job) -> None:
        """The card of a deleted job; one too old to be deleted shows it no more."""
        post = await self._desk.lobby.post(job.place)
        if post is None:
            return
        at = spot(post.place)
        try:
            if at.inline:
                await self._inline.take_off(post)
            elif at.sent:
                await take_off(self._messages, at)
        except Unreachable as error:
            log.info("the card of job %s stays: %s", job.id, error)
        await self._desk.lobby.drop(post)

    async def _take_off_copies(self, job: Job) -> None:
        """What /show posted of it. Raises Transient or TimeoutError: the rest comes later."""
        for at in await self._desk.lobby.copies(job.id):
            if platform(at) != PLATFORM:
                continue
            try:
                await take_off(self._messages, spot(at))
            except Unreachable as error:
                log.info("a copy of job %s stays: %s", job.id, error)
            await self._desk.lobby.gone(at)


def _elsewhere(post: Post, why: Unreachable) -> Post | None:
    """Where a card that can't be reached is sent once more; None where nowhere is left."""
    at = spot(post.place)
    if at.inline:
        return None
    if isinstance(why, Moved):
        again = Spot(why.chat)
    elif isinstance(why, CardGone):
        again = Spot(at.chat, at.topic)
    elif at.private:
        return None
    else:
        again = Spot(int(post.author))
    return replace(post, place=again.place, pinged=True)


def _mention(post: Post, name: str) -> str:
    return f'<a href="tg://user?id={post.author}">{plain(name)}</a>'
