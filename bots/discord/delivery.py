"""Brings an ended job home: into its card, else to its author's direct messages. And takes it off
there where it was deleted.

The card's id was written down before the job was queued, so the clip is edited into it, and a
repeat shows nothing twice. Where the card can't be reached a new message is sent, with a nonce, and
only after looking whether it is there already. Where not even that works, the job is kept for its
author.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from bots.answers import SOON_SECONDS
from bots.card import DONE, at_once
from bots.cards import Cards, TooLarge
from bots.discord.desk import BASE_UPLOAD_BYTES, DIRECT, PLATFORM, DiscordDesk
from bots.discord.draw import drawn
from bots.discord.messages import Messages
from bots.discord.painter import DiscordPainter
from core.errors import NotFound, Transient, Unreachable
from core.job import Job, State
from core.places import Post, place, platform
from core.studio import View

log = logging.getLogger("kinora.discord")

SMALLER = (BASE_UPLOAD_BYTES, 8_000_000, 4_000_000)
"""Limits to try where a place takes less than it said."""


class Delivery:
    """`core.delivery.Carry` for Discord. Call it with an ended job."""

    def __init__(
        self, desk: DiscordDesk, messages: Messages, painter: DiscordPainter, cards: Cards
    ) -> None:
        self._desk = desk
        self._messages = messages
        self._painter = painter
        self._cards = cards

    async def __call__(self, job: Job) -> None:
        """Raises Transient, TimeoutError or Unreachable."""
        async with self._cards.lock(job.place):
            self._cards.forget(job.id)
            post = await self._desk.lobby.post(job.place)
            if job.deleted:
                if post is not None:
                    await self._take_off(post)
                await self._take_off_copies(job)
                return
            if post is None:
                raise Unreachable("nothing is known of its message")
            views = await self._desk.lobby.at(self._desk.studio, job.place)
            if all(view.job.id != job.id for view in views):
                raise Transient("it was moved or deleted on its way", SOON_SECONDS)
            try:
                await self.show(post, views)
                await self._ping(post, views)
            except Unreachable as error:
                if job.state is not State.CANCELLED:
                    log.info("job %s goes to its author: %s", job.id, error)
                    await self._direct(job, post)

    async def show(self, post: Post, views: Sequence[View]) -> None:
        """Edit ended jobs into a post, encoded smaller until the place takes them."""
        limit = post.upload_limit
        while True:
            try:
                await self._painter.show(post, views, limit)
                break
            except TooLarge:
                smaller = [size for size in SMALLER if size < limit]
                if not smaller:
                    raise Unreachable("the place takes no clip, however small") from None
                limit = smaller[0]
        if limit != post.upload_limit:
            await self._desk.lobby.keep(replace(post, upload_limit=limit))

    async def _take_off(self, post: Post) -> None:
        """Of what a post shows some was deleted: the others stay on it."""
        left = await self._desk.lobby.at(self._desk.studio, post.place)
        try:
            if left:
                await self.show(post, left)
            else:
                await self._messages.delete(post)
        except Unreachable as error:
            log.info("what was deleted at %s can't be taken off: %s", post.place, error)
        if not left:
            await self._desk.lobby.drop(post)

    async def _take_off_copies(self, job: Job) -> None:
        """What /show posted of it. Raises Transient or TimeoutError: the rest comes later."""
        for at in await self._desk.lobby.copies(job.id):
            if platform(at) != PLATFORM:
                continue
            try:
                await self._messages.delete(Post(at, "", 0, member=True))
            except Unreachable as error:
                log.info("a copy at %s can't be taken off: %s", at, error)
            await self._desk.lobby.gone(at)

    async def _ping(self, post: Post, views: Sequence[View]) -> None:
        """One short message once all that a post shows has ended."""
        states = [view.job.state for view in views]
        if post.pinged or not all(state.ended for state in states):
            return
        if all(at_once(view.job) for view in views):
            return
        words = next((DONE[state] for state in DONE if state in states), "")
        try:
            owner = (await self._desk.lobby.shown(self._desk.studio, views[0].job.id)).owner
        except NotFound:
            return
        if not words or not owner.ping:
            return
        if State.SUCCEEDED in states and len(views) > 1:
            words = "Your clips are done."
        try:
            await self._messages.ping(post, words, nonce=f"ping-{views[0].job.id}")
        except (Unreachable, Transient, TimeoutError) as error:
            log.info("the author of job %s was not pinged: %s", views[0].job.id, error)
        await self._desk.lobby.keep(replace(post, pinged=True))

    async def _direct(self, job: Job, post: Post) -> None:
        """Send it to the author, unless an earlier try did, and make that its card."""
        channel_id = await self._messages.direct(int(post.author))
        view = self._desk.studio.viewed(job)
        message_id = await self._messages.find(channel_id, job.id)
        if message_id is None:
            async with drawn(self._desk, [view], BASE_UPLOAD_BYTES) as drawing:
                try:
                    message_id = await self._messages.send(
                        channel_id, drawing.view, drawing.new, nonce=f"clip-{job.id}"
                    )
                except TooLarge as error:
                    raise Unreachable("the author's direct messages take no such file") from error
        moved = Post(
            place=place(PLATFORM, DIRECT, str(channel_id), str(message_id)),
            author=post.author,
            upload_limit=BASE_UPLOAD_BYTES,
            member=True,
            hidden=post.hidden,
            adult=post.adult,
            pinged=True,
        )
        await self._desk.lobby.move(job, moved)
