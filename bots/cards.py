"""Keeps the cards of unfinished jobs up to date, no faster than their platform likes it.

What changed is noted; a chat's cards are then drawn one after the other, each from its newest
state, and none more often than its pause allows. The last word on a job is its delivery's, under
the same lock, so that no late edit comes after it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakValueDictionary

from core.bulletin import Bulletin
from core.errors import KinoraError, Transient, Unreachable
from core.job import Job
from core.lobby import Lobby
from core.places import Post, chat, platform
from core.studio import Studio, View

log = logging.getLogger("kinora.cards")

QUEUED_SECONDS = 30.0
"""Between two edits of a card far back in the queue."""

AT_ONCE = 8
"""Edits under way in all chats together: people's commands come first."""

CLOSE_SECONDS = 5.0
LISTEN_SECONDS = 0.25
"""How long news may be awaited before what is due is drawn."""

LOOK_SECONDS = 15.0
"""How often an unfinished card is looked at without news: estimates move by themselves."""


class TooLarge(KinoraError):
    """A file is over what the place takes."""


class Painter(Protocol):
    """How a platform shows cards."""

    platform: str

    def pause(self, place: str) -> float:
        """Seconds between two edits of the card at a place."""
        ...

    async def paint(self, post: Post, views: Sequence[View]) -> Sequence[Job]:
        """Show unfinished jobs at their post, under its lock; those whose card is elsewhere from
        now on. Raises TooLarge, Transient, TimeoutError where no answer came, and Unreachable where
        it can't be shown any more."""
        ...

    def forget(self, place: str) -> None:
        """Nothing at the place changes any more."""
        ...


@dataclass
class Watched:
    """A place whose card changes. drawn: when it was last, due: when it may be again."""

    jobs: set[str]
    drawn: float = -math.inf
    due: float = 0.0
    dirty: bool = True


class Cards:
    """Run it as one task. now: seconds on a monotonic clock."""

    def __init__(
        self,
        studio: Studio,
        lobby: Lobby,
        bulletin: Bulletin,
        painter: Painter,
        now: Callable[[], float],
    ) -> None:
        self._studio = studio
        self._lobby = lobby
        self._bulletin = bulletin
        self._painter = painter
        self._now = now
        self._watched: dict[str, Watched] = {}
        self._places: dict[str, str] = {}
        self._drawing: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock(self, place: str) -> AbstractAsyncContextManager[None]:
        """Held while a message is edited."""
        found = self._locks.get(place)
        if found is None:
            self._locks[place] = found = asyncio.Lock()
        return found

    def watch(self, job: Job, *, drawn: bool = False) -> None:
        """The job's card is to be kept up to date from now on. drawn: it was drawn just now, and
        waits, unless it runs."""
        self.forget(job.id)
        if platform(job.place) == self._painter.platform and not job.state.ended:
            self._places[job.id] = job.place
            watched = self._watched.setdefault(job.place, Watched(set()))
            watched.jobs.add(job.id)
            watched.dirty = True
            if drawn:
                views = [self._studio.viewed(job)]
                watched.due = max(watched.due, self._now() + self._pause(job.place, views))

    def forget(self, job_id: str) -> None:
        """The job has ended, or its card is elsewhere."""
        place = self._places.pop(job_id, None)
        watched = self._watched.get(place) if place is not None else None
        if place is not None and watched is not None:
            watched.jobs.discard(job_id)
            watched.dirty = True
            if not watched.jobs:
                del self._watched[place]
                self._painter.forget(place)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            with self._bulletin.everything() as changes:
                await self._resume()
                looked = self._now()
                while True:
                    for job_id in await changes.changed(LISTEN_SECONDS):
                        self._note(job_id)
                    if self._now() - looked >= LOOK_SECONDS:
                        looked = self._now()
                        for watched in self._watched.values():
                            watched.dirty = True
                    self._start_drawing()
        finally:
            if self._drawing:
                _, late = await asyncio.wait(self._drawing.values(), timeout=CLOSE_SECONDS)
                for task in late:
                    task.cancel()

    async def draw(self, place: str) -> None:
        """Draw a card that is watched now, and not when its turn comes."""
        watched = self._watched.get(place)
        if watched is not None:
            await self._draw(place, watched)

    async def _resume(self) -> None:
        """Watch the cards that were left when Kinora was stopped."""
        while True:
            try:
                waiting = await self._lobby.offered()  # first: those that start meanwhile are both
                for job in (*waiting, *await self._lobby.unfinished()):
                    self.watch(job)
                return
            except Transient as error:
                log.warning("the unfinished cards are not known yet: %s", error)
                await asyncio.sleep(error.retry_after)

    def _note(self, job_id: str) -> None:
        place = self._places.get(job_id, "")
        watched = self._watched.get(place)
        if watched is not None:
            watched.dirty = True
            if self._studio.runs(job_id):
                watched.due = min(watched.due, watched.drawn + self._painter.pause(place))

    def _start_drawing(self) -> None:
        """One task for each chat with something due, for what is due longest: the new come first,
        and where there are more cards than time no card waits for ever."""
        now = self._now()
        self._drawing = {chat: t for chat, t in self._drawing.items() if not t.done()}
        for place, watched in sorted(self._watched.items(), key=lambda one: one[1].due):
            where = chat(place) or place
            if watched.dirty and watched.due <= now and where not in self._drawing:
                self._drawing[where] = asyncio.create_task(self._draw(place, watched))

    async def _draw(self, place: str, watched: Watched) -> None:
        watched.dirty = False
        pause = self._painter.pause(place)
        try:
            async with self.lock(place), self._turns:
                pause = await self._paint(place, watched)
        except Unreachable as error:
            log.info("the card at %s can't be edited any more: %s", place, error)
            self._drop(place)
        except Transient as error:
            pause = max(pause, error.retry_after)
            watched.dirty = True
        except (TimeoutError, TooLarge):
            watched.dirty = True
        except Exception:
            log.exception("the card at %s was not edited", place)
        watched.drawn = self._now()
        watched.due = watched.drawn + pause

    async def _paint(self, place: str, watched: Watched) -> float:
        """The pause that comes after it."""
        post = await self._lobby.post(place)
        views = await self._lobby.at(self._studio, place)
        if post is None:
            return QUEUED_SECONDS
        for view in views:
            if view.job.state.ended:
                self.forget(view.job.id)
        if any(view.outlook for view in views):
            for job in await self._painter.paint(post, views):
                self.watch(job, drawn=True)
        return self._pause(place, views)

    def _pause(self, place: str, views: Sequence[View]) -> float:
        """Between two edits: the further back in the queue, the longer."""
        positions = [view.outlook.position for view in views if view.outlook is not None]
        return min(QUEUED_SECONDS, self._painter.pause(place) * max(1, min(positions, default=1)))

    def _drop(self, place: str) -> None:
        for job_id in tuple(self._watched[place].jobs) if place in self._watched else ():
            self.forget(job_id)
