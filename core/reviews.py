"""What people decide where the gate did not, or not for good: appeals, a moderator's queue, consent
of who is shown, reports; and the strikes of who asked.

Moderators decide by acts of `core.moderation`: `Approve`, `Deny`, `TakeDown`, `DismissReports`,
`LiftStrikes`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.conduct import Conduct, Known, Standing
from core.errors import BadPrompt, NotFound, WrongState
from core.inspection import DECIDE_WITHIN, Attested
from core.job import NO_CLIP, Account, Asks, Identity, Job, State
from core.ports import Accounts, Clock, Jobs, Moderation
from core.restraints import Means
from core.safety.verdict import POLICY, Finding

PLEA_CHARS = 300
LISTED_MOST = 100
TOO_LATE = "No moderator looked at it in time."
NOT_AGREED = "The person in the picture did not agree."
NOT_ASKED = "The person in the picture did not answer in time."
BY_NO_MODERATOR = TOO_LATE, NOT_AGREED, NOT_ASKED
"""Why a job was refused that no moderator denied."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job that waits for a moderator. since: when it was held; words: why its author thinks that
    it may be made, which may be nothing. appealed: they asked for it; else the gate did."""

    job: Job
    author: Account

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.job.findings

    @property
    def since(self) -> datetime:
        return self.job.held_at or self.job.created_at

    @property
    def decide_by(self) -> datetime | None:
        return self.job.decide_by

    @property
    def appealed(self) -> bool:
        return self.job.appealed

    @property
    def words(self) -> str:
        return self.job.plea


@dataclass(frozen=True, slots=True)
class Reported:
    """A clip that people find wrong. by: how many of them; since: when the first did."""

    job: Job
    author: Account
    by: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Overturned:
    """What the gate refused or held, and a moderator approved: a test of its rules."""

    text: str
    finding: Finding
    level: str


class ReviewBook(Known, Attested, Protocol):
    """What is written down of all that. Each change is one transaction, and a repeat of it gives
    what the first one gave."""

    async def appeal(
        self, job_id: str, plea: str, decide_by: datetime, now: datetime
    ) -> Job | None:
        """refused → held. None: it can't be, or not any more."""
        ...

    async def explain(self, job_id: str, plea: str) -> Job | None:
        """Of one that was appealed without a word. None: it waits no more, or has words."""
        ...

    async def agree(
        self, job_id: str, agreed: bool, means: Means, decide_by: datetime, now: datetime
    ) -> Job | None:
        """Of one that waits for the consent of who is shown: held → queued, or → quoted where it
        can't be paid; it stays held where the gate held it, too; → refused where they don't."""
        ...

    async def overdue(self, now: datetime) -> Sequence[Job]:
        """Held jobs that nobody decided about in time."""
        ...

    async def lapse(self, job_id: str, why: str, now: datetime) -> Job | None:
        """held → refused, of one that is overdue."""
        ...

    async def held(self, server: str | None, limit: int, after: str | None) -> Sequence[Job]:
        """Those that wait for a moderator, the nearest deadline first."""
        ...

    async def asked(self, account_id: int) -> Sequence[Job]:
        """Those that wait for the consent of whom they show."""
        ...

    async def reported(
        self, server: str | None, limit: int, after: str | None
    ) -> Sequence[tuple[Job, int, datetime]]:
        """Clips that were reported, and that nobody dismissed since, with how many people did, and
        when the first; those by most people first."""
        ...

    async def is_reported(self, job_id: str) -> bool:
        """And nobody decided about it since."""
        ...

    async def attestations(self, account_id: int) -> int:
        """Of how many pictures it said so."""
        ...

    async def overturned(self, limit: int) -> Sequence[Job]:
        """What was approved by moderators, the newest first."""
        ...


class Reviews:
    def __init__(
        self,
        book: ReviewBook,
        jobs: Jobs,
        accounts: Accounts,
        moderation: Moderation,
        means: Callable[[Job], Awaitable[Means]],
        changed: Callable[[Job], None],
        conduct: Conduct,
        clock: Clock,
        within: timedelta = DECIDE_WITHIN,
    ) -> None:
        """means: what a job that is admitted may be paid with. changed: hears of each that did.
        within: the time that moderators, and those who are shown, have."""
        self._book = book
        self._jobs = jobs
        self._accounts = accounts
        self._moderation = moderation
        self._means = means
        self._changed = changed
        self._clock = clock
        self._conduct = conduct
        self._within = within

    async def appeal(self, account: Account, job_id: str, words: str = "") -> Job:
        """refused → held, for a moderator to decide. Only its author may, once. words: why it may
        be made. A repeat changes nothing."""
        job = await self._jobs.job(job_id)
        if job is None or job.deleted or job.account_id != account.id:
            raise NotFound(NO_CLIP)
        if job.state is State.HELD and job.appealed:
            return job
        if not job.appealable:
            raise WrongState(_no_appeal(job))
        _check_plea(words)
        await self._conduct.check_waiting(account.id)
        now = self._clock()
        held = await self._book.appeal(job.id, words.strip(), now + self._within, now)
        if held is None:
            raise WrongState("This clip was changed meanwhile: look again.")
        self._changed(held)
        return held

    async def explain(self, account: Account, job_id: str, words: str) -> Job:
        """Why what they appealed may be made, where they did not say so with it."""
        job = await self._jobs.job(job_id)
        if job is None or job.deleted or job.account_id != account.id:
            raise NotFound(NO_CLIP)
        _check_plea(words)
        explained = await self._book.explain(job.id, words.strip()) if words.strip() else job
        if explained is None:
            raise WrongState("It waits for no moderator any more, or you said why already.")
        return explained

    async def pending(
        self, server: str | None, limit: int = 20, after: str | None = None
    ) -> Sequence[Held]:
        """What waits for a moderator of a server, or anywhere, the nearest deadline first; behind
        the job `after`."""
        jobs = await self._book.held(server, min(limit, LISTED_MOST), after)
        return [Held(job, await self._author(job)) for job in jobs]

    async def held(self, server: str | None, job_id: str) -> Held:
        """One of those. Raises NotFound where it waits no more, or is another server's."""
        job = await self._jobs.job(job_id)
        elsewhere = server is not None and job and not job.place.startswith(f"{server}/")
        if job is None or elsewhere or job.state is not State.HELD or job.asks is Asks.SUBJECT:
            raise NotFound("That clip waits for no moderator here any more.")
        return Held(job, await self._author(job))

    async def reports(
        self, server: str | None, limit: int = 20, after: str | None = None
    ) -> Sequence[Reported]:
        """Clips that people reported on a server, or anywhere."""
        found = await self._book.reported(server, min(limit, LISTED_MOST), after)
        return [Reported(job, await self._author(job), by, at) for job, by, at in found]

    async def reported(self, server: str | None, job_id: str) -> Job:
        """One of those. Raises NotFound where nobody reported it, a moderator decided about it, or
        it is another server's."""
        job = await self._jobs.job(job_id)
        elsewhere = server is not None and job and not job.place.startswith(f"{server}/")
        if job is None or job.deleted or elsewhere or not await self._book.is_reported(job_id):
            raise NotFound("That clip is not reported here, or not any more.")
        return job

    async def counts(self, server: str | None) -> tuple[int, int]:
        """How many clips wait for a moderator, and how many are reported; of each `LISTED_MOST` at
        most."""
        held = await self._book.held(server, LISTED_MOST, None)
        return len(held), len(await self._book.reported(server, LISTED_MOST, None))

    async def consent(self, subject: Identity, job_id: str, agreed: bool) -> Job:
        """What somebody whom a picture shows says to it. A repeat changes nothing. Raises NotFound
        for anybody else."""
        job = await self._jobs.job(job_id)
        person = await self._moderation.person(subject)
        if job is None or person is None or job.subject != person.id:
            raise NotFound(NO_CLIP)
        if job.state is not State.HELD or job.asks is not Asks.SUBJECT:
            return job
        now = self._clock()
        decided = await self._book.agree(
            job.id, agreed, await self._means(job), now + self._within, now
        )
        if decided is None:
            raise WrongState("This clip was changed meanwhile: look again.")
        self._changed(decided)
        return decided

    async def asked(self, subject: Account) -> Sequence[Job]:
        """What waits for somebody's consent."""
        return await self._book.asked(subject.id)

    async def strikes(self, account_id: int) -> Standing:
        """Those that count, and until when nothing is taken from them."""
        return await self._conduct.standing(account_id)

    async def attestations(self, account_id: int) -> int:
        """Of how many pictures somebody said that they may use them."""
        return await self._book.attestations(account_id)

    async def overturned(self, limit: int = 1000) -> Sequence[Overturned]:
        """What moderators approved that the gate had found something in."""
        found = []
        for job in await self._book.overturned(limit):
            found += [
                Overturned(job.request.prompt, one, job.level)
                for one in job.findings
                if one.ruling and "prompt" in one.where and job.request.prompt
            ]
        return found

    async def sweep(self) -> None:
        """Refuse what nobody decided about in time. Safe to repeat."""
        now = self._clock()
        for job in await self._book.overdue(now):
            why = NOT_ASKED if job.asks is Asks.SUBJECT else TOO_LATE
            if (ended := await self._book.lapse(job.id, why, now)) is not None:
                self._changed(ended)

    async def _author(self, job: Job) -> Account:
        author = await self._accounts.account_by_id(job.account_id)
        assert author is not None, "accounts are never removed"
        return author


def _check_plea(words: str) -> None:
    if len(words) > PLEA_CHARS:
        raise BadPrompt(f"Up to {PLEA_CHARS} characters, please; these are {len(words)}.")


def _no_appeal(job: Job) -> str:
    if job.state is not State.REFUSED:
        return "Only a clip that was refused can be appealed."
    if job.appealed:
        return "A moderator was asked about this clip already, and that is final."
    if job.clause is not None and job.clause.appealable:
        return "The picture was not kept, so nobody can look at it: send another one."
    why = POLICY[job.clause] if job.clause else "A rule of this place forbids it."
    return f"Nobody can be asked about this one. {why}"
