"""What a bot may do: quote, submit, cancel, vary, extend, delete, and look.

Every door leads through here, so that a rule holds on every platform. Nothing is charged, and
nothing stays on disk, unless the job was written down.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from core import prompt
from core.catalog import Model, extension, frame_size, named, reseeded
from core.counter import Consent, Counter, Promised, Quote, Terms, new_seed
from core.dispatch import Dispatch, Outlook
from core.errors import NotFound, Transient, UserError, WrongState
from core.eta import Estimator, Range
from core.job import NO_CLIP, Account, Identity, Job, Lot, State, Wallet
from core.lanes import Lane
from core.places import NO_RULES, Rules, larger, room, server
from core.plans import Plan
from core.ports import (
    Accounts,
    Clock,
    DecodedPicture,
    DecodePicture,
    Entry,
    Files,
    Jobs,
    Moderation,
)
from core.pricing import Bases
from core.refusals import Count, counted
from core.replay import Replay, line_of
from core.request import Draft, Picture, Request
from core.restraints import Means
from core.sources import Sources, dropped, pictures_of, unseen


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
        self._decode = decode
        self._dispatch = dispatch
        self._estimator = estimator
        self.catalogue = tuple(catalogue)
        self.terms = terms
        self._clock = clock
        self._rules = rules
        self._refused = refused
        self._replay = replay
        self._counter = Counter(
            accounts, jobs, moderation, dispatch, estimator, self.catalogue, terms, clock, rules,
            bases,
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
    ) -> Job:
        """Queue a clip, or quote it, as the consent has it. picture, last_picture: its first frame
        and its last, as they were sent.

        variant_of: a job of theirs; each picture that is not given is the one that it has.
        remix: it may be somebody else's, who showed it to them.
        key: a repeat with the same key and the same words gives the first job back.
        Raises UserError; then nothing is charged and nothing is kept.
        """
        said: list[str | bytes] = [prompt.recipe(draft), picture or b"", variant_of or ""]
        said += [] if last_picture is None else [last_picture]
        said += [one.id for one in (draft.first, draft.last) if one is not None]
        fingerprint = await asyncio.to_thread(_fingerprint, *said)
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
            return await self._submit_given(
                account, place, draft, *given, parent, consent, key, fingerprint
            )
        except UserError:  # the same, asked at the same time, may have taken what there was
            if (repeated := await self._repeated(account, key, fingerprint)) is not None:
                return repeated
            raise

    async def accept(self, account: Account, job_id: str, *, relaxed: bool = False) -> Job:
        """Queue a job that was quoted, at the price that was shown, or for nothing in the relaxed
        lane. A repeat changes nothing."""
        job = await self._own(account, job_id)
        if job.state.ended:
            raise WrongState(f"This offer is over: the clip {_ended(job)}.")
        if job.state is not State.QUOTED or job.price is None:
            return job
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
        return accepted or await self.accept(account, job_id)

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
        fingerprint = _fingerprint("again", job_id)
        if (repeated := await self._repeated(account, key, fingerprint)) is not None:
            return repeated
        parent = await self._own(account, job_id)
        await self._sources.check(parent.request)
        quote = self._counter.priced(self._reseeded(parent.request), parent.lane)
        return await self._queue(account, place, quote, parent, consent, key, fingerprint)

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
            fingerprint = _fingerprint("variant", job_id, str(number))
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
                    queued = await self._queue(
                        account, place, quote, parent, Consent.GIVEN, its_key, fingerprint
                    )
                except (UserError, Transient):
                    if jobs:  # they are held for, and go on
                        return jobs
                    raise
            jobs.append(queued)
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
        fingerprint = _fingerprint("upscale", job_id)
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
        return await self._queue(account, place, quote, parent, consent, key, fingerprint)

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
        fingerprint = _fingerprint("extend", job_id, str(seconds))
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
        return await self._queue(account, place, quote, parent, consent, key, fingerprint)

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
        """A moderator decided about a job: who runs it stops, and who watches it sees."""
        job = await self._jobs.job(job_id)
        if job is not None:
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

    async def _submit_given(
        self,
        account: Account,
        place: str,
        draft: Draft,
        first: bytes | Picture | None,
        last: bytes | Picture | None,
        parent: Job | None,
        consent: Consent,
        key: str | None,
        fingerprint: str,
    ) -> Job:
        """first, last: as bytes, or a picture that is stored already."""
        first = await self._sources.named(draft.first) if first is None and draft.first else first
        last = await self._sources.named(draft.last) if last is None and draft.last else last
        async with counted(self._refused, place, draft.model):
            await self._counter.allowance(account, place)
        for picture in (first, last):
            if isinstance(picture, Picture):
                await self._sources.picture(picture.id)
        self.quote(draft, unseen(first), unseen(last), place, account)
        given = {"picture": await self._seen(first), "last_picture": await self._seen(last)}
        seen, last_seen = (unseen(one) for one in given.values())
        quote = self.quote(draft, seen, last_seen, place)
        share = await self._counter.share(account, place, quote.request, parent)
        async with counted(self._refused, place, quote.request.model):
            await self._counter.weighed(account, place, quote, share, consent)
        new = await self._sources.keep(given)
        request = replace(
            quote.request,
            picture=new.get("picture", quote.request.picture),
            last_picture=new.get("last_picture", quote.request.last_picture),
        )
        quote = replace(quote, request=request)
        try:
            job = await self._queue(account, place, quote, parent, consent, key, fingerprint)
        except UserError:
            await self._sources.drop(new.values())
            raise
        await self._sources.drop(set(new.values()) - set(job.request.pictures))
        return job

    async def _seen(self, picture: bytes | Picture | None) -> DecodedPicture | Picture | None:
        return await self._decode(picture) if isinstance(picture, bytes) else picture

    async def _repeated(self, account: Account, key: str | None, fingerprint: str) -> Job | None:
        return None if key is None else await self._jobs.repeated(account.id, key, fingerprint)

    async def _queue(
        self,
        account: Account,
        place: str,
        quote: Quote,
        parent: Job | None,
        consent: Consent,
        key: str | None,
        fingerprint: str,
    ) -> Job:
        """Queued, or quoted. An offer that it changes is over."""
        async with counted(self._refused, place, quote.request.model), self._counter.turn(account):
            allowance = await self._counter.allowed(account, place, quote.request, parent)
            share = await self._counter.share(account, place, quote.request, parent)
            purse = await self._counter.weighed(account, place, quote, share, consent)
            job = self._counter.job(account, place, quote, parent)
            if purse is not None:
                job = replace(job, state=State.QUOTED, credits=0, purse=purse)
            queued = await self._jobs.submit(job, key, fingerprint, share, allowance)
            self._dispatch.changed(queued)
        if parent is not None and parent.state is State.QUOTED and parent.account_id == account.id:
            with suppress(WrongState):
                await self.cancel(account, parent.id)
        return queued

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


def _fingerprint(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()


def _ended(job: Job) -> str:
    return "was cancelled" if job.state is State.CANCELLED else job.state.value
