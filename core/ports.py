"""What the core asks of the outer rooms, in its own words. Storage and model implement these.

What it asks of an engine is in `core.engine`; what gifts, vouchers, purchases, leaders, records,
usage, reviews and what platforms tell alone need is beside them.
"""

from __future__ import annotations

from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from core.audit import Row
from core.engine import Rendered
from core.job import Account, Claim, Clip, Grant, Identity, Job, Lot, Wallet
from core.lanes import Lane
from core.moderation import Act, Actor, Outcome
from core.places import Post, Rules
from core.request import Picture
from core.restraints import OWN, Allowance, Means, Restraint
from core.safety.verdict import Finding
from core.treasury import Share, Treasury

Clock = Callable[[], datetime]
"""The time, in UTC."""


# Storage


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a wallet's ledger. Changes are in whole credits."""

    kind: str
    available_change: int
    held_change: int
    job_id: str | None
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """An ended job whose card still has to hear how it ended, or that it was deleted.

    tries: with this one. It is a fencing token, as a job's attempt is.
    """

    id: int
    job_id: str
    place: str
    tries: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What one finished job took. priced_seconds: as in `core.pricing`; 0 where nobody asks."""

    model: str
    work: float
    seconds: float
    priced_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Used:
    """GPU-seconds that an account's job took, and when it ended."""

    account_id: int
    seconds: float
    ended_at: datetime


class Accounts(Protocol):
    async def account(self, identity: Identity, name: str) -> Account:
        """The account behind an identity; made when it is new."""
        ...

    async def account_by_id(self, account_id: int) -> Account | None:
        """Of one that was joined into another: that one."""
        ...

    async def known_as(self, identity: Identity, handle: str) -> None:
        """From now on others call them so, and nobody else; capitals don't count."""
        ...

    async def called(self, platform: str, handle: str) -> Identity | None:
        """Whom others call so, as far as they were met."""
        ...

    async def set_ping(self, account_id: int, ping: bool) -> None: ...

    async def set_claims(self, account_id: int, source: str, claims: Sequence[Claim]) -> None:
        """These in place of the one of that source, such as "moderator"; or, where it ends with
        a slash, of all below it, such as the roles of a server, "role:discord:81/".

        Raises LookupError for an unknown account."""
        ...

    async def wallet(self, account_id: int) -> Wallet:
        """As it was when it was last used: without what was due since, with what expired since."""
        ...

    async def renew(self, account_id: int, grants: Sequence[Grant]) -> Wallet:
        """Let expire what is past its time, and give each grant that was not given before."""
        ...

    async def lots(self, account_id: int) -> Sequence[Lot]:
        """What may be spent, in the order in which it will be: soonest to expire first."""
        ...

    async def treasury(self, server: str) -> Treasury | None:
        """By server, as in `core.places.server`; None where it has none."""
        ...

    async def spendable(self, account_id: int, share: Share) -> int:
        """What a job of the account may take of the share now, in credits."""
        ...

    async def sweep(self, now: datetime) -> None:
        """Let expire what is past its time, whoever's it is."""
        ...

    async def entries(self, account_id: int, limit: int) -> Sequence[Entry]:
        """The newest lines first."""
        ...


class Jobs(Protocol):
    """The truth about jobs. A method that names an attempt does nothing and returns None unless
    the job is running that very attempt; but a repeat of the call that ended the attempt gives the
    job as it is now, while nothing followed."""

    async def submit(
        self,
        job: Job,
        key: str | None,
        fingerprint: str,
        share: Share | None = None,
        allowance: Allowance | None = None,
    ) -> Job:
        """Hold the price, of the share first, and queue the job; of one that is quoted, held or
        refused nothing. A refusal may be a strike. A repeat of (account, key) gives the first job
        back.

        Raises NotEnoughCredits, Refused where it is beyond the allowance, or WrongState where the
        key came with another fingerprint.
        """
        ...

    async def repeated(self, account_id: int, key: str, fingerprint: str) -> Job | None:
        """The job that (account, key) already made. Raises WrongState as `submit` does."""
        ...

    async def job(self, job_id: str) -> Job | None: ...

    async def history(
        self, account_id: int, limit: int, before: str | None = None
    ) -> Sequence[Job]:
        """The account's jobs, newest first, without deleted ones; those before job `before`."""
        ...

    async def at(self, place: str) -> Sequence[Job]:
        """The jobs that one message shows, in the order of asking, without deleted ones."""
        ...

    async def queued(self) -> Sequence[Job]:
        """Every queued job, oldest first."""
        ...

    async def quoted(
        self, account_id: int | None = None, before: datetime | None = None
    ) -> Sequence[Job]:
        """Jobs that wait for their author's word, oldest first: of an account, from before then."""
        ...

    async def held(self) -> Sequence[Job]: ...

    async def accept(
        self,
        job: Job,
        credits: int,
        lane: Lane,
        now: datetime,
        share: Share | None = None,
        allowance: Allowance | None = None,
    ) -> Job | None:
        """quoted → queued, as if it was asked for now; hold so much. None: it waits no more. Raises
        as `submit`."""
        ...

    async def running(self) -> Sequence[Job]: ...

    async def unfinished(self) -> Sequence[Job]:
        """Those that run, then those that are queued, each oldest first, all of one moment:
        a job that starts meanwhile is not missed."""
        ...

    async def claim(self, job_id: str, now: datetime) -> Job | None:
        """queued → running, with the next attempt; None where it is queued no more."""
        ...

    async def progress(self, job_id: str, attempt: int, stage: str, step: int, steps: int) -> bool:
        """Note how far it has come. False: the attempt no longer holds the job."""
        ...

    async def requeue(self, job_id: str, attempt: int, *, lost: bool) -> Job | None:
        """running → queued, or → cancelled where that was asked for. lost: it counts."""
        ...

    async def finish(
        self,
        job_id: str,
        attempt: int,
        clip: Clip,
        run_seconds: float,
        now: datetime,
        hashes: Sequence[str] = (),
    ) -> Job | None:
        """running → succeeded; capture the hold; add the delivery to the outbox. hashes: of what
        the clip shows, by which it is known again once it was taken down.

        → cancelled where that was asked for, without the clip.
        """
        ...

    async def refuse(
        self, job_id: str, attempt: int, findings: Sequence[Finding], now: datetime
    ) -> Job | None:
        """running → refused; release the hold; add the delivery to the outbox. Its clip is
        nobody's."""
        ...

    async def fail(
        self, job_id: str, attempt: int, failure: str, reference: str, now: datetime
    ) -> Job | None:
        """running → failed; release the hold; add the delivery to the outbox."""
        ...

    async def cancel(self, job_id: str, now: datetime) -> Job | None:
        """queued → cancelled; release the hold; add the delivery to the outbox.

        A running job is only marked. None: it has ended.
        """
        ...

    async def stopped(self, job_id: str, attempt: int, now: datetime) -> Job | None:
        """running → cancelled; add the delivery to the outbox. Of the hold, take what
        `core.pricing.due` says, and release the rest."""
        ...

    async def delete(self, job_id: str) -> None:
        """Hide an ended job from its history, forget its clip and its words, and let its card hear
        of it through the outbox."""
        ...

    async def needs_picture(self, picture_id: str) -> bool:
        """Whether a job that is not deleted was made from that picture."""
        ...

    async def lineage(self, job_id: str) -> Sequence[Job]:
        """A job and those that were made from it, and from those, whoever's they are."""
        ...

    async def expired(self, now: datetime) -> Sequence[Job]:
        """Jobs whose clip is past its time."""
        ...

    async def expire(self, job_id: str) -> None:
        """Forget the job's clip; the job stays in the history."""
        ...

    async def measured(
        self, limit: int, before: datetime | None = None, model: str | None = None
    ) -> Sequence[Measured]:
        """What the newest succeeded jobs took, of those that ended before then, and of a model;
        oldest first, work as in `core.eta.work`."""
        ...

    async def used(self, since: datetime, limit: int) -> Sequence[Used]:
        """What the newest succeeded jobs since then took, and of whom."""
        ...


class Outbox(Protocol):
    """What is said of a delivery counts while it is leased to who says it, and its job was not
    deleted meanwhile: then it is due again."""

    async def recover(self, now: datetime) -> None:
        """Before the first lease: whoever was sending is gone, and how far they came is unknown."""
        ...

    async def lease(self, now: datetime, seconds: float, limit: int) -> Sequence[Delivery]:
        """Take due deliveries for `seconds`: nobody else gets them meanwhile, nor another one of
        the same chat."""
        ...

    async def sent(self, delivery: Delivery) -> None: ...

    async def retry(self, delivery: Delivery, at: datetime) -> None: ...

    async def unknown(self, delivery: Delivery, at: datetime) -> None:
        """No answer came: it may have been sent, and is to be looked for at `at`."""
        ...

    async def kept(self, delivery: Delivery, now: datetime) -> None:
        """Nobody can be reached: it waits for its author to come by, and of a clip the price comes
        back, where its account had that not too often lately. `Job.charged` says so."""
        ...

    async def tell_kept(self, account_id: int) -> Sequence[str]:
        """The ids of the account's kept jobs, which count as told from now on."""
        ...


class Places(Protocol):
    """What is known of servers and of messages in them."""

    async def all_rules(self) -> Mapping[str, Rules]:
        """By server, as in `core.places.server`."""
        ...

    async def set_rules(self, server: str, rules: Rules) -> None: ...

    async def follow(self, old: str, new: str) -> None:
        """A server with one chat became another; both as in `core.places.chat`. Its rules,
        restraints and treasury are the new one's, unless that has its own. Its messages are out of
        reach, and named by `core.places.LEFT`. A repeat does nothing."""
        ...

    async def post(self, place: str) -> Post | None: ...

    async def keep(self, post: Post, instead_of: str | None = None) -> None:
        """Add a post, or put it in place of an older one: at its place, and at `instead_of`."""
        ...

    async def drop(self, place: str) -> None: ...

    async def move(self, job_id: str, post: Post) -> None:
        """From now on the job's card is at this post, and so goes its delivery."""
        ...

    async def copied(self, job_id: str, place: str) -> None:
        """Note that a clip was posted once more, in a message that is no card. Repeats are one."""
        ...

    async def copies(self, job_id: str) -> Sequence[str]:
        """Where that was, and the message is still there."""
        ...

    async def gone(self, place: str) -> None:
        """Such a message was deleted, or is out of reach."""
        ...

    async def unanswered(self, now: datetime) -> Sequence[Post]:
        """Posts whose token is good and that no job ever named, the oldest first."""
        ...

    async def sweep(self, now: datetime) -> None:
        """Forget tokens past their time, and posts past it that no job names."""
        ...

    async def report(self, job_id: str, account_id: int, place: str, now: datetime) -> bool:
        """Note that somebody reports a job. False: they had done so before."""
        ...


class Moderation(Protocol):
    """What moderators did, and what holds of it."""

    async def perform(
        self, act: Act, actor: Actor, key: str, *, dry: bool = False, means: Means = OWN
    ) -> Outcome:
        """Do it and write it down, in one transaction; a repeat of the key does nothing, and gives
        the first outcome. dry: then undo it. means: of a job that is approved.

        Raises UserError where it can't be done, LookupError for an unknown account.
        """
        ...

    async def restraints(self, account_ids: Collection[int], now: datetime) -> Sequence[Restraint]:
        """What holds now for these accounts, for channels, and for all."""
        ...

    async def spent(self, account_id: int, server: str, since: datetime) -> int:
        """What an account's jobs on a server, from `since` on, cost or may cost yet."""
        ...

    async def person(self, identity: Identity) -> Account | None:
        """Who is known by that name; nobody is made."""
        ...

    async def identities(self, account_id: int) -> Sequence[Identity]: ...

    async def rows(
        self,
        limit: int,
        *,
        after: int = 0,
        newest: bool = False,
        server: str | None = None,
        whom: str | None = None,
    ) -> Sequence[Row]:
        """Of the log, behind number `after`, in its order; or the newest first. server, whom: only
        what was done there, or to them; to a person under every account that was theirs."""
        ...

    async def role_plans(self, server: str) -> Mapping[str, str]:
        """The plans that roles of a server give, by the roles' ids."""
        ...

    async def begun(self) -> Sequence[Row]:
        """Of the log, what was begun for a role and has no end there, the oldest first."""
        ...

    async def known(self, platform: str, limit: int) -> Mapping[str, int]:
        """Accounts by the names that people have on a platform."""
        ...


class Files(Protocol):
    """Clips and pictures on disk. Blocking work happens in a thread."""

    async def new_folder(self, job_id: str, attempt: int) -> Path:
        """An empty folder for one attempt; what an earlier call left there is gone."""
        ...

    async def drop_folder(self, job_id: str, attempt: int) -> None: ...

    async def keep_clip(self, rendered: Rendered, now: datetime) -> Clip:
        """Move an attempt's files to where clips live."""
        ...

    async def drop_clip(self, clip: Clip) -> None: ...

    async def drop_clips(self, job_id: str) -> None:
        """Whatever attempts of a job left where clips live."""
        ...

    async def keep_picture(
        self, data: bytes, width: int, height: int, marks: bytes = b""
    ) -> Picture:
        """marks: as in `DecodedPicture`; they stay as long as the picture, beside it."""
        ...

    async def drop_picture(self, picture_id: str) -> None: ...

    async def picture(self, picture_id: str) -> Path | None:
        """Where a picture lies; None when it is gone. Looking changes nothing."""
        ...

    async def renew_picture(self, picture_id: str) -> Path | None:
        """As `picture`, for a job that will need it: it stays as long as one that came now."""
        ...

    async def sweep(self, now: datetime) -> None:
        """Remove what no job can need any more: leftover folders and expired pictures."""
        ...


# Model


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A picture decoded and encoded again: upright, RGB, without metadata. Sides in pixels.

    marks: what it said of where it came from, as `model.provenance` keeps it; b"": nothing.
    """

    data: bytes
    width: int
    height: int
    marks: bytes = b""


DecodePicture = Callable[[bytes], Awaitable[DecodedPicture]]
"""Decode bytes from a stranger in a limited child process. Raises BadPicture."""


Shrink = Callable[[Path, int], Awaitable[Path | None]]
"""A clip encoded again so that it has at most so many bytes, as a file of the caller's own; None
where it can't be made that small and still be worth seeing."""
