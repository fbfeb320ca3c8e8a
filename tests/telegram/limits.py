"""Telegram's rates: about one message a second in a chat, twenty a minute in a group, thirty a
second in all; edits count as messages do. The exact limits are not published:
https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

from tests.standin.clock import Clock
from tests.telegram.refusals import flooded

OVERALL, OVERALL_SECONDS = 30, 1.0
CHAT, CHAT_SECONDS = 1, 1.0
GROUP, GROUP_SECONDS = 20, 60.0


@dataclass
class Limits:
    """Whose turn it is. on: a test may let everything pass; burst: how many messages beyond one
    a second pass in a chat, since Telegram lets short bursts through, but says not how long."""

    clock: Clock
    on: bool = True
    burst: int = 2
    exceeded: list[str] = field(default_factory=list)
    _overall: deque[float] = field(default_factory=deque)
    _chats: defaultdict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _groups: defaultdict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _flooded: dict[int, float] = field(default_factory=dict)

    def flood(self, chat_id: int, seconds: float) -> None:
        """Let nothing through in one chat for a while, as after a flood."""
        self._flooded[chat_id] = self.clock.now() + seconds

    def take(self, method: str, chat_id: int, group: bool, count: int = 1) -> None:
        """Count a request that sends or edits. count: the messages of an album.

        Raises:
            Refused: 429 with retry_after, in whole seconds.
        """
        now = self.clock.now()
        waits = [self._flooded.get(chat_id, 0.0) - now]
        if self.on:
            waits += [
                _wait(self._overall, now, OVERALL - count + 1, OVERALL_SECONDS),
                _wait(self._chats[chat_id], now, CHAT + self.burst, CHAT_SECONDS),
            ]
            if group:
                waits.append(_wait(self._groups[chat_id], now, GROUP - count + 1, GROUP_SECONDS))
        wait = max(waits)
        if wait > 0:
            self.exceeded.append(f"{method} {chat_id}")
            raise flooded(math.ceil(wait))
        self._overall.extend([now] * count)
        self._chats[chat_id].append(now)
        if group:
            self._groups[chat_id].extend([now] * count)


def _wait(times: deque[float], now: float, limit: int, seconds: float) -> float:
    """Seconds until one more may come."""
    while times and times[0] <= now - seconds:
        times.popleft()
    return times[0] + seconds - now if len(times) >= max(limit, 1) else 0.0
