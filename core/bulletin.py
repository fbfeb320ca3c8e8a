"""Tells who watches that something about a job changed. Holds no state of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Subscription:
    """The ids of jobs that changed since they were last asked for; repeats count once."""

    def __init__(self) -> None:
        self._changed: set[str] = set()
        self._event = asyncio.Event()

    def note(self, job_id: str) -> None:
        self._changed.add(job_id)
        self._event.set()

    async def changed(self, timeout_seconds: float) -> frozenset[str]:
        """Wait for a change; empty where none came in time."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._event.wait()
        except TimeoutError:
            return frozenset()
        self._event.clear()
        changed, self._changed = frozenset(self._changed), set()
        return changed


class Bulletin:
    """Publish by job and account; subscribe to either, or to everything."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, set[Subscription]] = {}

    def publish(self, job_id: str, account_id: int) -> None:
        for topic in (_of_job(job_id), _of_account(account_id), _EVERYTHING):
            for subscription in self._subscriptions.get(topic, ()):
                subscription.note(job_id)

    @contextmanager
    def job(self, job_id: str) -> Iterator[Subscription]:
        with self._subscribed(_of_job(job_id)) as subscription:
            yield subscription

    @contextmanager
    def account(self, account_id: int) -> Iterator[Subscription]:
        with self._subscribed(_of_account(account_id)) as subscription:
            yield subscription

    @contextmanager
    def everything(self) -> Iterator[Subscription]:
        with self._subscribed(_EVERYTHING) as subscription:
            yield subscription

    @contextmanager
    def _subscribed(self, topic: str) -> Iterator[Subscription]:
        subscription = Subscription()
        self._subscriptions.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[topic].discard(subscription)
            if not self._subscriptions[topic]:
                del self._subscriptions[topic]


_EVERYTHING = "*"


def _of_job(job_id: str) -> str:
    return f"job:{job_id}"


def _of_account(account_id: int) -> str:
    return f"account:{account_id}"
