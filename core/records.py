"""What a console lists: people, jobs, and the log; searched, sorted and paged where they lie.

A server is as in `core.places.server`; EVERYWHERE: whatever there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.audit import Row
from core.job import Account, Identity, Job, State
from core.moderation import EVERYWHERE
from core.restraints import Kind


class PeopleOrder(StrEnum):
    RECENT = "recent"
    NAME = "name"
    NEWEST = "newest"
    JOBS = "jobs"
    CREDITS = "credits"


class JobOrder(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    CREDITS = "credits"
    LONGEST = "longest"


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Whom to list: who asked for clips on a server, or is held there. words: of a name, or the
    beginning of an id there; "12#": an account. plan: by name, "" for any."""

    server: str = EVERYWHERE
    words: str = ""
    plan: str = ""
    held: Kind | None = None
    order: PeopleOrder = PeopleOrder.RECENT


@dataclass(frozen=True, slots=True)
class Person:
    """jobs, newest: of what was asked for on that server. identities: on its platform; held: what
    holds for them there, or everywhere. available, waiting: credits, when they were last used."""

    account: Account
    identities: tuple[Identity, ...]
    held: tuple[Kind, ...]
    jobs: int
    newest: datetime | None
    available: int
    waiting: int


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list. states: () for any. words: the beginning of an id."""

    server: str = EVERYWHERE
    states: tuple[State, ...] = ()
    model: str = ""
    account_id: int | None = None
    words: str = ""
    order: JobOrder = JobOrder.NEWEST


@dataclass(frozen=True, slots=True)
class Asked:
    """A job, whose it is, and whether only they see its card."""

    job: Job
    name: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which rows to list. act: a verb; who: a part of the name of who acted; whom: as there.
    number: that row alone."""

    server: str = EVERYWHERE
    act: str = ""
    who: str = ""
    whom: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server where something was asked for. title: "" where nobody who leads it told."""

    server: str
    title: str
    jobs: int


class Records(Protocol):
    """Each list from `skip` on, and at most `limit` of it."""

    async def people(self, asked: PeopleFilter, limit: int, skip: int = 0) -> Sequence[Person]: ...

    async def jobs(self, asked: JobFilter, limit: int, skip: int = 0) -> Sequence[Asked]: ...

    async def log(self, asked: LogFilter, limit: int, skip: int = 0) -> Sequence[Row]:
        """The newest first."""
        ...

    async def servers(self, limit: int) -> Sequence[Server]:
        """Where most was asked for first."""
        ...

    async def names(self, account_ids: Sequence[int]) -> dict[int, str]: ...
