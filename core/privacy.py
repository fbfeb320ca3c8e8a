"""What is kept of people: shown to them, forgotten when they say so, and in the end by itself.

    asked to forget ─> jobs are called off and deleted, keys and sessions end, names go   at once
                    ─> the account has no identity any more                      `NAMED` later

What an account is called on a platform stays for a while, and for longer where something holds
against it: else whoever is banned, or spent today's credits, would only have to be forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from core.errors import UserError
from core.job import Account, Job, new_id
from core.ports import Clock, Files

NAMED = timedelta(days=3)
"""How long an account that was forgotten can be known again; daily credits are kept so long."""

SWEPT = 500
"""Jobs that one sweep lets go of; the next does the rest."""

log = logging.getLogger("kinora.privacy")


@dataclass(frozen=True, slots=True)
class Retention:
    """How long an ended job keeps its words. words: of any; refused: of one that was refused."""

    words: timedelta = timedelta(days=365)
    refused: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Export:
    """All that is kept of somebody. tables: what the database has, as JSON can say it; files: clips
    and pictures, by the names that they are handed out under."""

    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    files: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was forgotten, and when. clips: with how many the words went; stopping: those that are
    being made still, which follow; keys: that open nothing any more. credits: that stay behind.
    named_until: when the account's last names go, at the earliest."""

    number: str
    at: datetime
    clips: int
    stopping: int
    keys: int
    credits: int
    named_until: datetime


class People(Protocol):
    """What a database keeps of people."""

    async def everything(self, account_id: int) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Every row that names them, by table, without secrets and without other people's names."""
        ...

    async def jobs(self, account_id: int, asked_by: datetime | None = None) -> Sequence[Job]:
        """All of them that are not deleted, oldest first; those asked for by then."""
        ...

    async def forget(self, account_id: int, receipt: Receipt) -> int:
        """Its name, handles, keys, sessions and what it leads; write the receipt down. How many
        keys there were."""
        ...

    async def forgotten(self) -> Sequence[tuple[int, datetime]]:
        """Accounts whose receipt is not settled, and when they were forgotten last."""
        ...

    async def part(
        self, account_id: int, forgotten_at: datetime, now: datetime, fade: timedelta
    ) -> bool:
        """Take its identities off an account, and where its jobs were posted; its receipts are
        settled. False, and nothing changes, while something holds against it, strikes within
        `fade` included, or something is left of it. One that came back keeps them, and its
        receipts are settled too."""
        ...

    async def outlived(self, words: datetime, refused: datetime, limit: int) -> Sequence[str]:
        """Take the words out of jobs that ended by then, refused ones by `refused`, and whose clip
        is gone. Their cards don't hear of it. The pictures that no job needs any more."""
        ...


Undo = Callable[[Account, str], Awaitable[object]]
"""A job of an account, by its id: cancelled, or deleted. Raises UserError where it can't be."""


class Privacy:
    def __init__(
        self,
        people: People,
        files: Files,
        clock: Clock,
        retention: Retention,
        cancel: Undo,
        delete: Undo,
        left: Callable[[Account], Awaitable[int]],
        account: Callable[[int], Awaitable[Account | None]],
        fade: timedelta,
    ) -> None:
        """cancel, delete: as in `core.studio.Studio`. left: what somebody has, in credits. fade:
        after which strikes are forgotten."""
        self.retention = retention
        self._people = people
        self._files = files
        self._clock = clock
        self._cancel = cancel
        self._delete = delete
        self._left = left
        self._account = account
        self._fade = fade

    async def export(self, account: Account) -> Export:
        """All that is kept of them."""
        files: dict[str, Path] = {}
        for job in await self._people.jobs(account.id):
            if job.clip is not None:
                files[f"clips/{job.id}{job.clip.video.suffix}"] = job.clip.video
            for picture in job.request.pictures:
                path = await self._files.picture(picture)
                if path is not None:
                    files[f"pictures/{path.name}"] = path
        return Export(await self._people.everything(account.id), files)

    async def forget(self, account: Account) -> Receipt:
        """Everything that is theirs and can go. A repeat forgets what came since."""
        now = self._clock()
        jobs = await self._people.jobs(account.id)
        for job in jobs:
            if not job.state.ended:
                with suppress(UserError):  # it ended meanwhile
                    await self._cancel(account, job.id)
        gone = await self._clear(account, jobs)
        receipt = Receipt(
            number=new_id(),
            at=now,
            clips=gone,
            stopping=len(jobs) - gone,
            keys=0,
            credits=await self._left(account),
            named_until=now + NAMED,
        )
        keys = await self._people.forget(account.id, receipt)
        log.info("account %d was forgotten, receipt %s", account.id, receipt.number)
        return replace(receipt, keys=keys)

    async def sweep(self) -> None:
        """Finish what was begun, and let go of what is past its time. Safe to repeat."""
        now = self._clock()
        for account_id, at in await self._people.forgotten():
            account = await self._account(account_id)
            if account is not None:
                await self._clear(account, await self._people.jobs(account.id, at))
            if at <= now - NAMED:
                await self._people.part(account_id, at, now, self._fade)
        for picture in await self._people.outlived(
            now - self.retention.words, now - self.retention.refused, SWEPT
        ):
            await self._files.drop_picture(picture)

    async def _clear(self, account: Account, jobs: Sequence[Job]) -> int:
        """Delete those that ended: how many."""
        gone = 0
        for job in jobs:
            with suppress(UserError):  # it is being made still: the sweep comes by
                await self._delete(account, job.id)
                gone += 1
        return gone
