"""What a bot may do: quote, submit, cancel, vary, extend, delete, and look.

Every door leads through here, so that a rule holds on every platform. Nothing is charged, and
nothing stays on disk, unless the job was written down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from core import intake, prompt
from core.catalog import Model, extension, frame_size, named, reseeded
from core.counter import Consent, Counter, Promised, Quote, Terms, new_seed
from core.dispatch import Dispatch, Outlook
from core.errors import NotFound, Transient, UserError, WrongState
from core.eta import Estimator, Range
from core.inspection import NOTHING_SAID, Inspection, Said
from core.intake import Asked, Intake
from core.job import NO_CLIP, Account, Identity, Job, Lot, State, Wallet
from core.lanes import Lane
from core.places import NO_RULES, Rules, larger, room, server
from core.plans import Plan
from core.ports import (
    Accounts,
    Clock,
    DecodePicture,
    Entry,
    Files,
    Jobs,
    Moderation,
)
from core.pricing import Bases
from core.refusals import Count
from core.replay import Replay, line_of
from core.request import Draft, Picture, Request
from core.restraints import Means
from core.sources import Sources, dropped, pictures_of, unseen

QUOTED_FOR = timedelta(hours=24)
"""How long a quoted job waits for its author's word."""


@dataclass(frozen=True, slots=True)
class View:
    """A job and, while it is unfinished, its outlook. relaxed: of one that was quoted at more than
    its author has, when it could be done for nothing; None where it can't."""

    job: Job
    outlook: Outlook | None
    relaxed: Range | None = None


class Studio:
    def __init__(
        self,
        accounts: Accounts,
        jobs: Jobs,
        files: Files,
        moderation: Moderation,
        decode: DecodePicture,
        dispatch: Dispatch,
        estimator: Estimator,
        catalogue: Sequence[Model],
        terms: Terms,
        clock: Clock,
        inspection: Inspection,
        rules: Callable[[str], Rules] = lambda server: NO_RULES,
        bases: Bases | None = None,
        refused: Count | None = None,
        replay: Replay | None = None,
    ) -> None:
        """refused: hears of each ask that is not taken."""
        self._accounts = accounts
        self._jobs = jobs
        self._files = files
        self._sources = Sources(jobs, files)
        self._dispatch = dispatch
        self._estimator = estimator
        self.catalogue = tuple(catalogue)
        self.terms = terms
        self._clock = clock
        self._rules = rules
        self._inspection = inspection
        self._replay = replay
        self._counter = Counter(
            accounts, jobs, moderation, dispatch, estimator, self.catalogue, terms, clock, rules,
            bases,
        )  # fmt: skip
        self._intake = Intake(
            jobs, self._sources, decode, self._counter, inspection, dispatch, clock, refused,
            replay,
        )  # fmt: skip

    # Accounts

    async def account(self, identity: Identity, name: str, handle: str = "") -> Account:
        """The account behind an identity; a new one begins with its grants. handle: what others
        call them there, by which moderators find them."""
        account = await self._accounts.account(identity, name)
        if handle:
            await self._accounts.known_as(identity, handle)
        await self.wallet(account)
        return account

    async def wallet(self, account: Account) -> Wallet:
        """What the account has, after what its plan gives today."""
        return await self._counter.wallet(account)

    async def lots(self, account: Account) -> Sequence[Lot]:
        """What the account has, in the order in which it is spent."""
        return await self._accounts.lots(account.id)

    def plan(self, account: Account) -> Plan:
        return self._counter.plan(account)

    async def promised(self, account: Account, place: str) -> Promised:
        """The limits that hold for them there, and when the next credits come."""
        return await self._counter.promised(account, place)

    async def entries(self, account: Account, limit: int = 50) -> Sequence[Entry]:
        return await self._accounts.entries(account.id, limit)

    # Asking

    def quote(
        self,
        draft: Draft,
        picture: Picture | None = None,
        last_picture: Picture | None = None,
        place: str = "",
        account: Account | None = None,
    ) -> Quote:
        """As `Counter.quote`."""
        first, last = picture or unseen(draft.first), last_picture or unseen(draft.last)
        return self._counter.quote(draft, first, last, place, account)

    async def submit(
        self,
        account: Account,
        place: str,
        draft: Draft,
        *,
        picture: bytes | None = None,
        last_picture: bytes | None = None,
        variant_of: str | None = None,
        remix: bool = False,
        consent: Consent = Consent.GIVEN,
        key: str | None = None,
        said: Said = NOTHING_SAID,
    ) -> Job:
        """Queue a clip, or quote it, as the consent has it; hold or refuse it, as the gates do: a
        job in that state comes back, and costs nothing. picture, last_picture: its first frame
        and its last, as they were sent.

        variant_of: a job of theirs; each picture that is not given is the one that it has.
        remix: it may be somebody else's, who showed it to them.
        key: a repeat with the same key and the same words gives the first job back.
        Raises UserError; then nothing is charged and nothing is kept.
        """
        whole: list[str | bytes] = [prompt.recipe(draft), picture or b"", variant_of or ""]
        whole += [] if last_picture is None else [last_picture]
        whole += [one.id for one in (draft.first, draft.last) if one is not None]
        whole += [] if said.subject is None else [str(said.subject.id)]
        fingerprint = await asyncio.to_thread(intake.fingerprint, *whole)
        if (repeated := await self._repeated(account, key, fingerprint)) is not None:
            return repeated
        parent = None
        if variant_of is not None:
            parent = await (self._shown(variant_of) if remix else self._own(account, variant_of))
        first, last = pictures_of(parent.request) if parent is not None else (None, None)
        given = (
            first if picture is None else picture,
            last if last_picture is None else last_picture,
        )
        try:
            asked = Asked(account, place, parent, consent, key, fingerprint, said)
            return await self._intake.given(asked, draft, *given)
        except UserError:  # the same, asked at the same time, may have taken what there was
            if (repeated := await self._repeated(account, key, fingerprint)) is not None:
                return repeated
            raise

    async def accept(
        self, account: Account, job_id: str, *, relaxed: bool = False, attest: bool = False
    ) -> Job:
        """Queue a job that was quoted, at the price that was shown, or for nothing in the relaxed
        lane. attest: they may use the face in its picture, and say so. A repeat changes nothing."""
        job = await self._own(account, job_id)
        if job.state.ended:
            raise WrongState(f"This offer is over: the clip {_ended(job)}.")
        if job.state is not State.QUOTED or job.price is None:
            return job
        if job.asks is not None:
            if not attest:
                raise WrongState("Say first that you may use the picture: there is a face in it.")
            await self._inspection.attest(job)
        lane = Lane.RELAXED if relaxed else job.lane
        parent = await self._jobs.job(job.parent) if job.parent else None
        quote = Quote(job.request, job.price, self._estimator.estimate(job.request), lane)
        allowance = await self._counter.allowed(account, job.place, quote.request, parent)
        share = await self._counter.share(account, job.place, quote.request, parent)
        available = await self._counter.available(account, quote.credits, share)
        if available < quote.credits:
            raise self._counter.too_dear(account, job.place, quote, available)
        await self._sources.check(job.request)
        async with self._counter.turn(account):
            self._counter.check_waiting(account, lane)
            now = self._clock()
            accepted = await self._jobs.accept(job, quote.credits, lane, now, share, allowance)
            if accepted is not None:
                self._dispatch.changed(accepted)
        return accepted or await self.accept(account, job_id, attest=attest)

    async def again(
        self,
        account: Account,
        place: str,
        job_id: str,
        *,
        consent: Consent = Consent.GIVEN,
        key: str | None = None,
    ) -> Job:
        """The same request with a new seed, in the same lane."""
        fingerprint = intake.fingerprint("again", job_id)
        if (repeated := await self._repeated(account, key, fingerprint)) is not None:
            return repeated
        parent = await self._own(account, job_id)
        await self._sources.check(parent.request)
        quote = self._counter.priced(self._reseeded(parent.request), parent.lane)
        return await self._intake.take(
            Asked(account, place, parent, consent, key, fingerprint), quote
        )

    async def variants(
        self, account: Account, place: str, job_id: str, count: int, *, key: str | None = None
    ) -> Sequence[Job]:
        """The same request `count` times with new seeds; none where not all can be paid for, fewer
        where something comes in between."""
        parent = await self._own(account, job_id)
        await self._sources.check(parent.request)
        quote = self._counter.priced(parent.request, parent.lane)
        jobs: list[Job] = []
        for number in range(count):
            its_key = None if key is None else f"{key}/{number}"
            fingerprint = intake.fingerprint("variant", job_id, str(number))
            queued = await self._repeated(account, its_key, fingerprint)
            if queued is None:
                if not jobs:
                    share = await self._counter.share(account, place, quote.request, parent)
                    whole = replace(
                        quote, price=replace(quote.price, credits=count * quote.price.credits)
                    )
                    await self._counter.weighed(account, place, whole, share, Consent.GIVEN)
                quote = self._counter.priced(self._reseeded(parent.request), parent.lane)
                try:
                    queued = await self._intake.take(
                        Asked(account, place, parent, Consent.GIVEN, its_key, fingerprint), quote
                    )
                except (UserError, Transient):
                    if jobs:  # they are held for, and go on
                        return jobs
                    raise
            jobs.append(queued)
            if queued.state in (State.HELD, State.REFUSED, State.QUOTED):
                break  # so would the others be
        return jobs

    async def upscale(
        self,
        account: Account,
        place: str,
        job_id: str,
        *,
        consent: Consent = Consent.GIVEN,
        key: str | None = None,
    ) -> Job:
        """The same request, seed and all, at the next larger resolution that its model has."""
        fingerprint = intake.fingerprint("upscale", job_id)
        if (repeated := await self._repeated(account, key, fingerprint)) is not None:
            return repeated
        parent = await self._own(account, job_id)
        resolution = self.larger(parent)
        if resolution is None:
            raise WrongState("This clip can't be made any larger with its model.")
        await self._sources.check(parent.request)
        width, height = frame_size(resolution, parent.request.aspect)
        request = replace(parent.request, resolution=resolution, width=width, height=height)
        quote = self._counter.priced(request, parent.lane)
        return await self._intake.take(
            Asked(account, place, parent, consent, key, fingerprint), quote
        )

    async def extend(
        self,
        account: Account,
        place: str,
        job_id: str,
        seconds: float | None = None,
        *,
        consent: Consent = Consent.GIVEN,
        key: str | None = None,
    ) -> Job:
        """A clip that begins with this one and goes on for `seconds` more."""
        fingerprint = intake.fingerprint("extend", job_id, str(seconds))
        if (repeated := await self._repeated(account, key, fingerprint)) is not None:
            return repeated
        parent = await self._own(account, job_id)
        if parent.clip is None:
            raise WrongState("Only a finished clip that is still stored can be extended.")
        model = named(self.catalogue, parent.request.model)
        if seconds is None:
            seconds = room(self._rules(server(place)), parent.clip.seconds, model)
        request = extension(
            parent.request,
            parent.id,
            parent.clip.seconds,
            seconds,
            model,
            new_seed(),
        )
        quote = self._counter.priced(request, parent.lane)
        return await self._intake.take(
            Asked(account, place, parent, consent, key, fingerprint), quote
        )

    async def cancel(self, account: Account, job_id: str) -> Job:
        """Stop a job and give its credits back; a running one stops at its next step, and what it
        has used by then is taken."""
        job = await self._own(account, job_id)
        changed = await self._jobs.cancel(job.id, self._clock())
        if changed is None:
            raise WrongState(f"This clip has already ended: it {_ended(job)}.")
        if changed.state is State.RUNNING:
            await self._dispatch.stop(job.id)
        self._dispatch.changed(changed)
        return changed

    async def cancelled(self, job_id: str) -> None:
        """A moderator decided about a job: who runs it stops, where it is to be made no more, and
        who watches it sees."""
        job = await self._jobs.job(job_id)
        if job is not None:
            if job.state.ended or job.cancel_requested:
                await self._dispatch.stop(job_id)
            self._dispatch.changed(job)

    def changed(self, job: Job) -> None:
        """As `Dispatch.changed`."""
        self._dispatch.changed(job)

    async def means(self, job: Job) -> Means:
        """As `Counter.means`."""
        return await self._counter.means(job)

    async def delete(self, account: Account, job_id: str) -> None:
        """Remove an ended job: its clip, its words, and its picture where no other needs it."""
        job = await self._own(account, job_id)
        if not job.state.ended:
            raise WrongState("This clip is still being made: cancel it first.")
        await self._jobs.delete(job.id)
        await self.deleted(job)

    async def deleted(self, job: Job) -> None:
        """A job, as it was before somebody who may deleted it: its files go, and who watches it
        sees."""
        await dropped(job, self._jobs, self._files)
        self._dispatch.changed(job)

    async def sweep(self) -> None:
        """Remove clips past their time, and files that no job can need; call off what was quoted
        and never accepted. Safe to repeat."""
        now = self._clock()
        for job in await self._jobs.quoted(before=now - QUOTED_FOR):
            if (ended := await self._jobs.cancel(job.id, now)) is not None:
                self._dispatch.changed(ended)
        for job in await self._jobs.expired(now):
            if job.clip is not None:
                await self._files.drop_clip(job.clip)
            await self._jobs.expire(job.id)
        await self._files.sweep(now)

    # Looking

    def viewed(self, job: Job) -> View:
        """A job that is known already."""
        if job.state.ended:
            return View(job, None)
        relaxed = None
        if job.state is State.QUOTED and job.short and self.terms.relaxed:
            relaxed = self._dispatch.outlook(replace(job, lane=Lane.RELAXED)).left
        return View(job, self._dispatch.outlook(job), relaxed)

    async def view(self, account: Account, job_id: str) -> View:
        """Raises NotFound, also for somebody else's job."""
        return self.viewed(await self._own(account, job_id))

    async def history(
        self, account: Account, limit: int = 20, before: str | None = None
    ) -> Sequence[View]:
        """Newest first."""
        jobs = await self._jobs.history(account.id, limit, before)
        return [self.viewed(job) for job in jobs]

    def runs(self, job_id: str) -> bool:
        return self._dispatch.runs(job_id)

    def preview(self, job: Job) -> bytes | None:
        """The latest JPEG of a running job."""
        return self._dispatch.preview(job.id)

    def recipe(self, job: Job) -> str:
        """The line that makes this clip again, with its pictures if it has any.

        "" where no line can: its model is gone, or it goes on from another clip.
        """
        return line_of(job, self.catalogue)

    async def token(self, job: Job, *, words: bool = True) -> str:
        """As `Replay.token`."""
        return await self._replay.token(job, words=words) if self._replay else ""

    def can_extend(self, job: Job) -> bool:
        return job.clip is not None and any(
            model.name == job.request.model and model.extends for model in self.catalogue
        )

    def larger(self, job: Job) -> str | None:
        """The resolution that `upscale` would make of it; None where there is none."""
        if job.request.continues is not None:
            return None
        for model in self.catalogue:
            if model.name == job.request.model:
                return larger(job.request.resolution, model.resolutions)
        return None

    def varied(self, job: Job, count: int) -> int | None:
        """The credits of so many variants of a clip; None where there can be none."""
        if job.clip is None or all(model.name != job.request.model for model in self.catalogue):
            return None
        return count * self._counter.priced(job.request, job.lane).credits

    # Inside

    def _reseeded(self, request: Request) -> Request:
        return reseeded(request, named(self.catalogue, request.model), new_seed())

    async def _repeated(self, account: Account, key: str | None, fingerprint: str) -> Job | None:
        return None if key is None else await self._jobs.repeated(account.id, key, fingerprint)

    async def _own(self, account: Account, job_id: str) -> Job:
        job = await self._shown(job_id)
        if job.account_id != account.id:
            raise NotFound(NO_CLIP)
        return job

    async def _shown(self, job_id: str) -> Job:
        """Whoever's it is."""
        job = await self._jobs.job(job_id)
        if job is None or job.deleted:
            raise NotFound(NO_CLIP)
        return job


def _ended(job: Job) -> str:
    return "was cancelled" if job.state is State.CANCELLED else job.state.value
