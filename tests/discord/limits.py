"""Rate limits: one bucket for each route and its place, 50 requests a second in all, and the count
of invalid requests. https://docs.discord.com/developers/topics/rate-limits"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field

from tests.standin.clock import Clock

GLOBAL_REQUESTS, GLOBAL_SECONDS = 50, 1.0
INVALID_REQUESTS, INVALID_SECONDS = 10_000, 600.0
INVALID = (401, 403, 429)

# Requests and seconds, by the route's beginning; the first that fits.
BUDGETS: tuple[tuple[str, tuple[int, float]], ...] = (
    ("POST /interactions/", (1000, 1.0)),
    ("POST /channels/{channel_id}/messages", (5, 5.0)),
    ("PATCH /channels/{channel_id}/messages", (5, 5.0)),
    ("DELETE /channels/{channel_id}/messages", (5, 1.0)),
    ("POST /users/@me/channels", (10, 10.0)),
)
WEBHOOKS = (5, 2.0)
ORDINARY = (50, 1.0)
EXEMPT = ("/interactions/", "/webhooks/")  # from the global limit


@dataclass
class Bucket:
    """A window that opens with its first request."""

    name: str
    limit: int
    seconds: float
    opened: float = 0.0
    used: int = 0

    def take(self, now: float) -> bool:
        if now - self.opened >= self.seconds:
            self.opened, self.used = now, 0
        self.used += 1
        return self.used <= self.limit

    def headers(self, now: float) -> dict[str, str]:
        after = max(0.0, self.opened + self.seconds - now)
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": f"{now + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": self.name,
        }


@dataclass(frozen=True, slots=True)
class Spent:
    """Too many. scope: `user` for a bucket, `global`, or `banned` (by IP, without a Via header)."""

    retry_after: float
    scope: str


@dataclass
class Limits:
    """Whose turn it is. on: a test may let everything pass."""

    clock: Clock
    on: bool = True
    invalid_allowed: int = INVALID_REQUESTS
    buckets: dict[str, Bucket] = field(default_factory=dict)
    exceeded: list[str] = field(default_factory=list)
    _recent: deque[float] = field(default_factory=deque)
    _invalid: deque[float] = field(default_factory=deque)

    def take(self, route: str, place: str) -> tuple[Bucket, Spent | None]:
        """Count a request. route: `METHOD /path/{with}/names`; place: its major parameters."""
        now = self.clock.now()
        bucket = self._bucket(route, place)
        if not self.on:
            return bucket, None
        spent = self._banned(now) or self._globally(route, now)
        if spent is None and not bucket.take(now):
            spent = Spent(max(0.01, bucket.opened + bucket.seconds - now), "user")
        if spent is not None:
            self.exceeded.append(f"{route} {place} {spent.scope}")
        return bucket, spent

    def note(self, status: int) -> None:
        """Count an invalid request towards the ban."""
        if status in INVALID:
            self._invalid.append(self.clock.now())

    @property
    def invalid(self) -> int:
        """Invalid requests in the last ten minutes."""
        return len(_within(self._invalid, self.clock.now(), INVALID_SECONDS))

    def _banned(self, now: float) -> Spent | None:
        recent = _within(self._invalid, now, INVALID_SECONDS)
        if len(recent) < self.invalid_allowed:
            return None
        return Spent(recent[0] + INVALID_SECONDS - now, "banned")

    def _globally(self, route: str, now: float) -> Spent | None:
        if any(part in route for part in EXEMPT):
            return None
        recent = _within(self._recent, now, GLOBAL_SECONDS)
        if len(recent) >= GLOBAL_REQUESTS:
            return Spent(max(0.01, recent[0] + GLOBAL_SECONDS - now), "global")
        recent.append(now)
        return None

    def _bucket(self, route: str, place: str) -> Bucket:
        # All that goes through one interaction's token shares a bucket (recalled).
        key = f"webhook {place}" if " /webhooks/" in route else f"{route} {place}"
        if key not in self.buckets:
            fits = (budget for start, budget in BUDGETS if route.startswith(start))
            limit, seconds = WEBHOOKS if key.startswith("webhook") else next(fits, ORDINARY)
            name = hashlib.md5(route.encode(), usedforsecurity=False).hexdigest()
            self.buckets[key] = Bucket(name, limit, seconds)
        return self.buckets[key]


def _within(times: deque[float], now: float, seconds: float) -> deque[float]:
    while times and times[0] <= now - seconds:
        times.popleft()
    return times
