"""Updates, written down before Telegram hears that we have them, and handled once.

python-telegram-bot asks for updates, puts them into a queue, and then confirms them. Here those of
one answer are written down together before any is put: what came before is dropped, what could not
be written is not confirmed and comes again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from weakref import WeakValueDictionary

from telegram import Bot, Update
from telegram.error import NetworkError
from telegram.ext import BaseUpdateProcessor, ExtBot

from bots.telegram.desk import PLATFORM
from bots.telegram.limiter import Turn
from core.inbox import Inbox
from core.ports import Clock

log = logging.getLogger("kinora.telegram")

AT_ONCE = 256
"""Updates that are handled at the same time; most of them wait for something."""

LEAVING_SECONDS = 5.0
"""How long what is cancelled may take to end."""

REMEMBERED = 256
"""Updates whose repeats are known without looking them up."""


class Heard(asyncio.Queue[object]):
    """The queue of an `Application`. first: called with each update before it is written down; with
    one that comes again maybe again."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        super().__init__()
        self.first: Callable[[Update], object] = lambda update: None
        self._inbox = inbox
        self._clock = clock
        self._newest: deque[int] = deque(maxlen=REMEMBERED)
        self._new: set[int] = set()
        self._done: list[int] = []
        self._noting = asyncio.Lock()

    async def keep(self, updates: Sequence[Update]) -> None:
        """Write down what was not. Raises NetworkError where that can't be done."""
        unknown = [one for one in updates if one.update_id not in self._newest]
        if not unknown:
            return
        for one in unknown:
            self.first(one)
        bodies = {one.update_id: one.to_json() for one in unknown}
        try:
            new = await self._inbox.keep(PLATFORM, bodies, self._clock())
        except Exception as error:
            log.exception("updates could not be written down; they come again")
            raise NetworkError("updates could not be written down") from error
        self._newest.extend(bodies)
        self._new |= new

    async def put(self, item: object) -> None:
        """Raises NetworkError where an update can't be written down."""
        if isinstance(item, Update):
            await self.keep([item])
            if item.update_id not in self._new:
                return
            self._new.remove(item.update_id)
        await super().put(item)

    async def resume(self, bot: Bot) -> None:
        """Put in again what was not done when Kinora was stopped."""
        for body in await self._inbox.pending(PLATFORM):
            update = told(json.loads(body), bot)
            if update is not None:
                self.first(update)
                await super().put(update)

    async def done(self, updates: Sequence[Update]) -> None:
        """Together: of an album none is handled again without the others. With those that were done
        while others were noted."""
        self._done += [update.update_id for update in updates]
        async with self._noting:
            done, self._done = self._done, []
            try:
                if done:
                    await self._inbox.done(PLATFORM, done)
            except Exception:
                self._done += done
                raise


class Listening(ExtBot[Turn]):
    """Asks for updates, and writes down those of each answer together. heard: where."""

    __slots__ = ("_heard",)

    def __init__(self, heard: Heard, **options: Any) -> None:
        """options: of the library's own."""
        super().__init__(**options)
        self._heard = heard

    async def get_updates(self, *args: Any, **options: Any) -> tuple[Update, ...]:
        """Raises NetworkError too where they can't be written down."""
        updates = await super().get_updates(*args, **options)
        await self._heard.keep(updates)
        return updates


class Handling(BaseUpdateProcessor):
    """Handles updates beside each other, but what one person types in its order, and notes that
    they are done. Who waits for their own turn takes nobody's place."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(max_concurrent_updates=sys.maxsize)
        self._heard = heard
        self._places = asyncio.Semaphore(AT_ONCE)
        self._typing: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        if not isinstance(update, Update):
            await coroutine
            return
        task = asyncio.current_task()
        assert task is not None, "the library makes one for each update"
        self._tasks.add(task)
        try:
            async with self._turn(update), self._place(update):
                await coroutine
            if not self._closing:
                await self._heard.done([update])
        finally:
            self._tasks.discard(task)
            if isinstance(coroutine, Coroutine):
                coroutine.close()  # it never began where its turn did not come

    def _place(self, update: Update) -> AbstractAsyncContextManager[None]:
        """Who is about to pay waits for nobody: Telegram gives ten seconds."""
        return self._places if update.pre_checkout_query is None else nullcontext()

    def _turn(self, update: Update) -> AbstractAsyncContextManager[None]:
        """Pictures take their time, and those of an album wait for each other."""
        message = update.message
        if message is None or message.text is None or message.from_user is None:
            return nullcontext()
        user = message.from_user.id
        turn = self._typing.get(user)
        if turn is None:
            self._typing[user] = turn = asyncio.Lock()
        return turn

    async def initialize(self) -> None:
        """There is nothing to open."""

    async def shutdown(self) -> None:
        """Cancel what is still handled, which is not done: it is heard again at the next start."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LEAVING_SECONDS)


def told(body: dict[str, Any], bot: Bot) -> Update | None:
    """An update as Telegram says it; None for what is none."""
    try:
        return Update.de_json(body, bot)
    except Exception:
        log.exception("an update can't be read")
        return None
