"""Whose turn it is to write on Telegram: every chat waits for itself alone.

A request that writes books its place in the windows of its chat and of the whole bot, and waits for
it, if that is not long. Knows nothing of cards: who is sent away draws the newest later.

The limits are not published exactly:
https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right, insort
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

Json = dict[str, Any]
Answer = bool | Json | list[Json]
ChatId = int | str

WRITES = ("send", "edit", "copy", "forward")
"""How the methods begin that count."""

FREE = frozenset({"sendChatAction"})
CHATS_KEPT = 256
"""Chats that may be remembered before the idle ones are looked for."""


class Turn(StrEnum):
    """SOON: an answer that somebody waits for. LATER: what a newer edit makes needless; it leaves
    room for answers. Given as `rate_limit_args`; else edits come later and all else soon."""

    SOON = "soon"
    LATER = "later"


PATIENCE_SECONDS = {Turn.SOON: 40.0, Turn.LATER: 5.0}
"""How long a request may wait; one that would wait longer is told so at once."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in any `seconds`, and so many of them edits. A little slack is in the
    seconds, since what left in time may arrive together."""

    count: int
    edits: int
    seconds: float


OVERALL = (Rate(30, 20, 1.1),)
CHAT = (Rate(3, 2, 1.25), Rate(6, 3, 6.0))
GROUP = (*CHAT, Rate(20, 12, 61.0))


@dataclass
class Window:
    """Booked times in order, at most `count` of them in any `seconds`."""

    count: int
    seconds: float
    booked: list[float] = field(default_factory=list)

    def earliest(self, at: float) -> float:
        """The first time from `at` on that one more may have, whatever is booked after it."""
        while True:
            place = bisect_right(self.booked, at)
            before = self.booked[max(0, place - self.count) : place]
            after = self.booked[place : place + self.count]
            times = [*before, at, *after]
            full = [
                first
                for first, last in zip(times, times[self.count :], strict=False)
                if last < first + self.seconds
            ]
            if not full:
                return at
            leaves = full[-1] + self.seconds
            at = leaves if full[-1] < at else min([leaves, *after[:1]])

    def forget(self, before: float) -> None:
        """Drop what no window from `before` on can hold."""
        self.booked = [time for time in self.booked if time > before - self.seconds]


@dataclass
class Book:
    """The windows of one chat, or of all. closed_until: Telegram asked to wait till then."""

    rates: tuple[Rate, ...]
    closed_until: float = float("-inf")
    every: tuple[Window, ...] = field(init=False)
    edits: tuple[Window, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.every = tuple(Window(rate.count, rate.seconds) for rate in self.rates)
        self.edits = tuple(Window(rate.edits, rate.seconds) for rate in self.rates)

    def windows(self, turn: Turn) -> tuple[Window, ...]:
        return (*self.every, *self.edits) if turn is Turn.LATER else self.every

    def idle(self, now: float) -> bool:
        for window in self.every:
            window.forget(now)
        return self.closed_until <= now and not any(window.booked for window in self.every)


class Limiter(BaseRateLimiter[Turn]):
    """now: seconds on a monotonic clock; sleep: waits so many of them."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._all = Book(OVERALL)
        self._chats: dict[ChatId, Book] = {}

    async def initialize(self) -> None:
        """There is nothing to open."""

    async def shutdown(self) -> None:
        """There is nothing to close."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Answer]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Turn | None,
    ) -> Answer:
        """Call when it is time to. Raises RetryAfter where that is too far off, or where Telegram
        says so to an edit."""
        chat_id = data.get("chat_id") or data.get("inline_message_id")
        if chat_id is None or endpoint in FREE or not endpoint.startswith(WRITES):
            return await callback(*args, **kwargs)
        turn = rate_limit_args or (Turn.LATER if endpoint.startswith("edit") else Turn.SOON)
        until = self._now() + PATIENCE_SECONDS[turn]
        inline = not data.get("chat_id")
        while True:
            await self._wait(self._book(chat_id, inline=inline), turn, until)
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:
                again = self._now() + seconds_of(error)
                book = self._book(chat_id, inline=inline)
                book.closed_until = max(book.closed_until, again)
                if turn is Turn.LATER or again > until:
                    raise

    async def _wait(self, book: Book, turn: Turn, until: float) -> None:
        """Until it is this request's turn. Raises RetryAfter."""
        windows = (*book.windows(turn), *self._all.windows(turn))
        while True:
            now = self._now()
            at = _earliest(windows, max(now, book.closed_until))
            if at > until:
                raise RetryAfter(timedelta(seconds=at - now))
            for window in windows:
                window.forget(now)
                insort(window.booked, at)
            if at > now:
                try:
                    await self._sleep(at - now)
                except asyncio.CancelledError:
                    _give_back(windows, at)
                    raise
            if book.closed_until <= self._now():
                return
            _give_back(windows, at)

    def _book(self, chat_id: ChatId, *, inline: bool) -> Book:
        """An inline message counts as a chat of its own."""
        with suppress(ValueError):
            chat_id = chat_id if inline else int(chat_id)
        found = self._chats.get(chat_id)
        if found is None:
            if len(self._chats) >= CHATS_KEPT:
                now = self._now()
                self._chats = {key: book for key, book in self._chats.items() if not book.idle(now)}
            alone = inline or (isinstance(chat_id, int) and chat_id > 0)
            self._chats[chat_id] = found = Book(CHAT if alone else GROUP)
        return found


def seconds_of(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _earliest(windows: tuple[Window, ...], at: float) -> float:
    """The first time from `at` on that suits every window."""
    while True:
        later = at
        for window in windows:
            later = window.earliest(later)
        if later == at:
            return at
        at = later


def _give_back(windows: tuple[Window, ...], at: float) -> None:
    for window in windows:
        if at in window.booked:
            window.booked.remove(at)
