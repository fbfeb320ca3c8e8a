"""What moderators do: whether they may, done with its row in the log, and told to who runs it.

Knows no platform: who leads a server there, and who is led, is for its room to say.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from core.audit import Row, fault
from core.days import beginning, day_of
from core.errors import BadPrompt, NotFound
from core.job import OWNER, Account, Grant, Identity, Job, Wallet
from core.moderation import (
    EVERYWHERE,
    Act,
    Actor,
    Approve,
    Cancel,
    Delete,
    Merge,
    OnPerson,
    Pause,
    Rank,
    Resume,
    TakeDown,
    person,
)
from core.permits import check, may
from core.plans import Plans
from core.ports import Accounts, Clock, Entry, Jobs, Moderation
from core.restraints import OWN, Kind, Means, Restraint
from core.sentences import told
from core.treasury import Policy

PAGE = 1000
LISTED = 10
KNOWN_MOST = 10_000
NOBODY = "Nobody is known here by that name."


@dataclass(frozen=True, slots=True)
class Done:
    """words: what was done, or would be. jobs: ids of those that were cancelled or deleted.
    number: of its row in the log; 0 where nothing is done yet."""

    words: str
    jobs: tuple[str, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is to know of a person. wallet, entries: None and () for who leads one server.

    spent: today, on the server; rows: of the log, the newest first.
    """

    account: Account
    plan: str
    restraints: Sequence[Restraint]
    rows: Sequence[Row]
    unfinished: Sequence[Job]
    spent: int | None
    wallet: Wallet | None = None
    entries: Sequence[Entry] = ()
    identities: Sequence[Identity] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of the log: how many rows, the newest number and hash, and what is wrong, or ""."""

    rows: int
    head: str
    fault: str


@dataclass(frozen=True, slots=True)
class Funds:
    """Of a treasury: what it is for, and what is in it."""

    policy: Policy
    wallet: Wallet


async def unheard(job: object) -> None:
    """Where nothing runs, nobody needs to be told."""


class Moderators:
    def __init__(
        self,
        moderation: Moderation,
        accounts: Accounts,
        jobs: Jobs,
        plans: Plans,
        zone: tzinfo,
        clock: Clock,
        operators: frozenset[Identity] = frozenset(),
        cancelled: Callable[[str], Awaitable[None]] = unheard,
        deleted: Callable[[Job], Awaitable[None]] = unheard,
        means: Callable[[Job], Awaitable[Means]] | None = None,
    ) -> None:
        """operators: beside the owner. cancelled: hears of each job that was, or was decided about,
        by its id; deleted: of what it was before. means: what one that is approved may be paid
        with, beside its account's own."""
        self._moderation = moderation
        self._accounts = accounts
        self._jobs = jobs
        self._plans = plans
        self._zone = zone
        self._clock = clock
        self._operators = operators | {OWNER}
        self._cancelled = cancelled
        self._deleted = deleted
        self._means = means

    def is_operator(self, identity: Identity) -> bool:
        return identity in self._operators

    def operators(self, platform: str) -> Sequence[Identity]:
        """Those whom the settings name there."""
        theirs = (one for one in self._operators if one.platform == platform)
        return sorted(theirs, key=lambda one: one.subject)

    async def ban(self, account_id: int) -> Restraint | None:
        """What keeps somebody from this Kinora everywhere."""
        held = await self._moderation.restraints([account_id], self._clock())
        whole = (one for one in held if (one.kind, one.server) == (Kind.BAN, EVERYWHERE))
        return next((one for one in whole if one.whom == person(account_id)), None)

    async def identities(self, account_id: int) -> Sequence[Identity]:
        return await self._moderation.identities(account_id)

    async def role_plans(self, server: str) -> Mapping[str, str]:
        """The plans that roles of a server give, by the roles' ids."""
        return await self._moderation.role_plans(server)

    async def known(self, platform: str) -> Mapping[str, int]:
        """Accounts by the names that people have on a platform. Raises BadPrompt where they are
        too many to be asked about."""
        found = await self._moderation.known(platform, KNOWN_MOST + 1)
        if len(found) > KNOWN_MOST:
            raise BadPrompt(f"More than {KNOWN_MOST} people are known here: name them one by one.")
        return found

    async def person(self, identity: Identity) -> Account:
        """Raises NotFound."""
        found = await self._moderation.person(identity)
        if found is None:
            raise NotFound(NOBODY)
        return found

    async def called(self, platform: str, handle: str) -> Identity:
        """Raises NotFound."""
        found = await self._accounts.called(platform, handle)
        if found is None:
            raise NotFound(f"I have not met @{handle} yet.")
        return found

    async def account(self, account_id: int) -> Account | None:
        return await self._accounts.account_by_id(account_id)

    async def owner(self, job_id: str) -> tuple[Job, Account]:
        """A job, and whose it is. Raises NotFound."""
        job = await self._jobs.job(job_id)
        owner = await self._accounts.account_by_id(job.account_id) if job else None
        if job is None or owner is None:
            raise NotFound("There is no such clip.")
        return job, owner

    async def do(
        self, actor: Actor, act: Act, key: str, theirs: Rank = Rank.MEMBER, *, dry: bool = False
    ) -> Done:
        """key: a repeat's is the same, and does nothing more. theirs: the rank on the server of
        whom it is done to. dry: only say what would be done, or what was, where it is a repeat.

        Raises UserError; then nothing was done.
        """
        account_id = act.account_id if isinstance(act, OnPerson | Pause | Resume) else None
        name = ""
        if account_id is not None:
            theirs = max(theirs, await self._rank(account_id))
        if isinstance(act, Merge):
            theirs = max(theirs, await self._rank(act.into))
        may(actor, act, theirs)
        check(act, self._clock(), self._plans)
        if account_id is not None:
            account = await self._accounts.account_by_id(account_id)
            if account is None:
                raise NotFound(NOBODY)
            name = account.name
            await self._accounts.renew(account.id, self._due(account))
        doomed = await self._doomed(act)
        outcome = await self._moderation.perform(
            act, actor, key, dry=dry, means=await self._paying(act)
        )
        if not dry:
            for job_id in outcome.jobs:
                await self._cancelled(job_id)
            for job in doomed:
                if job.id in outcome.jobs:
                    await self._deleted(job)
        return Done(told(act, name, outcome), outcome.jobs, outcome.number)

    async def show(self, actor: Actor, account: Account) -> Shown:
        """What they may know of somebody: who leads a server, what is that server's."""
        may(actor, Cancel(server=actor.server, account_id=account.id, job_id=""))
        now, everything = self._clock(), actor.server == EVERYWHERE
        held = await self._moderation.restraints([account.id], now)
        mine = [one for one in held if one.whom == person(account.id)]
        unfinished = await self._jobs.unfinished()
        theirs = [job for job in unfinished if job.account_id == account.id]
        server = None if everything else actor.server
        plan = self._plans.of(account, now).name
        rows = await self._moderation.rows(
            LISTED, newest=True, server=server, whom=person(account.id)
        )
        names = await self._moderation.identities(account.id)
        if everything:
            wallet = await self._accounts.renew(account.id, self._due(account))
            return Shown(
                account, plan, mine, rows, theirs, None, wallet,
                await self._accounts.entries(account.id, LISTED), names,
            )  # fmt: skip
        return Shown(
            account,
            plan,
            [one for one in mine if one.server in (EVERYWHERE, actor.server)],
            rows,
            [job for job in theirs if job.place.startswith(f"{actor.server}/")],
            await self.spent_today(account, actor.server),
            identities=names,
        )

    async def spent_today(self, account: Account, server: str) -> int:
        since = beginning(day_of(self._clock(), self._zone), self._zone)
        return await self._moderation.spent(account.id, server, since)

    async def holding(self, actor: Actor, server: str) -> Sequence[Restraint]:
        """What is paused there, or everywhere, that is not one person alone."""
        may(actor, Cancel(server=actor.server, account_id=0, job_id=""))
        return [
            one
            for one in await self._moderation.restraints((), self._clock())
            if server == EVERYWHERE or one.server in (EVERYWHERE, server)
        ]

    async def treasury(self, actor: Actor, server: str) -> Funds | None:
        """What a server has; None where it has no treasury."""
        may(actor, Cancel(server=actor.server, account_id=0, job_id=""))
        treasury = await self._accounts.treasury(server)
        if treasury is None:
            return None
        return Funds(treasury.policy, await self._accounts.renew(treasury.account_id, ()))

    async def log(self, actor: Actor, limit: int = LISTED) -> Sequence[Row]:
        """The newest rows of what was done where they lead; all of them for an operator."""
        may(actor, Cancel(server=actor.server, account_id=0, job_id=""))
        server = None if actor.server == EVERYWHERE else actor.server
        return await self._moderation.rows(limit, newest=True, server=server)

    async def whole_log(self) -> AsyncIterator[Row]:
        """Every row, the oldest first."""
        number = 0
        while page := await self._moderation.rows(PAGE, after=number):
            for row in page:
                yield row
            number = page[-1].number

    async def name(self, whom: str) -> str:
        """Of whom a row is about, for people."""
        kind, _, number = whom.partition(":")
        known = await self._accounts.account_by_id(int(number)) if kind == "account" else None
        return f"{known.name} ({whom})" if known else whom

    async def verify(self, noted: str = "") -> Verdict:
        """Look through the whole log. noted: a head that was noted elsewhere, "NUMBER:HASH", which
        has to be in it."""
        before: Row | None = None
        seen = noted in ("", head_of(None))
        async for row in self.whole_log():
            if wrong := fault(before, row):
                return Verdict(row.number, head_of(before), wrong)
            before = row
            seen = seen or head_of(row) == noted
        count = before.number if before else 0
        wrong = "" if seen else f"the head that was noted, {noted}, is not in it"
        return Verdict(count, head_of(before), wrong)

    async def _doomed(self, act: Act) -> Sequence[Job]:
        """What it deletes, as it was before."""
        if isinstance(act, TakeDown):
            return await self._jobs.lineage(act.job_id)
        job = await self._jobs.job(act.job_id) if isinstance(act, Delete) else None
        return [job] if job is not None else []

    async def _paying(self, act: Act) -> Means:
        job = await self._jobs.job(act.job_id) if isinstance(act, Approve) else None
        return await self._means(job) if job is not None and self._means is not None else OWN

    async def _rank(self, account_id: int) -> Rank:
        known = await self._moderation.identities(account_id)
        return Rank.OPERATOR if self._operators & set(known) else Rank.MEMBER

    def _due(self, account: Account) -> Sequence[Grant]:
        return self._plans.due(account, self._clock(), self._zone)


def head_of(row: Row | None) -> str:
    return f"{row.number}:{row.hash}" if row else "0"
