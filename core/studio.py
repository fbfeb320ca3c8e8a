"""What a bot may do: quote, submit, cancel, vary, extend, delete, and look.

Every door leads through here, so that a rule holds on every platform. Nothing is charged, and
nothing stays on disk, unless the job was written down.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import partial

from core import moderation, places, plans, prompt, treasury
from core.catalog import Model, complete, draft_of, extension, frame_size, named, reseeded
from core.days import beginning, day_of
from core.dispatch import PICTURE_GONE, Dispatch, Outlook
from core.errors import (
    BadPrompt,
    NotEnoughCredits,
    NotFound,
    Refused,
    TooMany,
    Transient,
    UserError,
    WrongState,
)
from core.eta import Estimator, Range
from core.job import Account, Identity, Job, Lot, State, Wallet, new_id
from core.moderation import Allowance
from core.places import NO_RULES, Rules, larger, room, server, with_defaults
from core.plans import Plan, Plans, grants
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
from core.pricing import Price, price
from core.request import Draft, Picture, Request
from core.treasury import Share

NO_CLIP = "There is no such clip."


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operator decides. zone: whose midnight brings the daily credits."""

    plans: Plans = field(default_factory=Plans)
    zone: tzinfo = UTC
    default_model: str | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a draft would become, cost, and take."""

    request: Request
    price: Price
    takes: Range


@dataclass(frozen=True, slots=True)
class View:
    """A job and, while it is unfinished, its outlook."""

    job: Job
    outlook: Outlook | None


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
    ) -> None:
        self._accounts = accounts
        self._jobs = jobs
        self._files = files
        self._moderation = moderation
        self._decode = decode
        self._dispatch = dispatch
        self._estimator = estimator
        self.catalogue = tuple(catalogue)
        self.terms = terms
        self._clock = clock
        self._rules = rules

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
        due = grants(self.plan(account), self._clock(), self.terms.zone)
        return await self._accounts.renew(account.id, due)

    async def lots(self, account: Account) -> Sequence[Lot]:
        """What the account has, in the order in which it is spent."""
        return await self._accounts.lots(account.id)

    def plan(self, account: Account) -> Plan:
        return self.terms.plans.of(account, self._clock())

    async def entries(self, account: Account, limit: int = 50) -> Sequence[Entry]:
        return await self._accounts.entries(account.id, limit)

    # Asking

    def quote(
        self,
        draft: Draft,
        picture: Picture | None = None,
        last_picture: Picture | None = None,
        place: str = "",
    ) -> Quote:
        """Raises BadPrompt. picture, last_picture: what is known of the first frame and the last;
        needs no stored file. place: whose rules fill in what was not said."""
        rules = self._rules(server(place))
        completed = partial(
            complete,
            catalogue=self.catalogue,
            picture=picture,
            last_picture=last_picture,
            default_model=rules.model or self.terms.default_model,
            seed=_new_seed(),
        )
        request = completed(draft)
        if rules != NO_RULES:
            usual = with_defaults(draft, rules, named(self.catalogue, request.model))
            request = completed(usual)
        return self._quote(request)

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
        key: str | None = None,
    ) -> Job:
        """Queue a clip. picture, last_picture: its first frame and its last, as they were sent.

        variant_of: a job of theirs; each picture that is not given is the one that it has.
        remix: it may be somebody else's, who showed it to them.
        key: a repeat with the same key and the same words gives the first job back.
        Raises UserError; then nothing is charged and nothing is kept.
        """
        said: list[str | bytes] = [prompt.recipe(draft), picture or b"", variant_of or ""]
        said += [] if last_picture is None else [last_picture]
        fingerprint = await asyncio.to_thread(_fingerprint, *said)
        if (repeated := await self._repeated(account, key, fingerprint)) is not None:
            return repeated
        parent = None
        if variant_of is not None:
            parent = await (self._shown(variant_of) if remix else self._own(account, variant_of))
        first = last = None
        if parent is not None:
            first, last = pictures_of(parent.request)
        return await self._submit_given(
            account,
            place,
            draft,
            first if picture is None else picture,
            last if last_picture is None else last_picture,
            parent,
            key,
            fingerprint,
        )

    async def again(
        self, account: Account, place: str, job_id: str, *, key: str | None = None
    ) -> Job:
        """The same request with a new seed."""
        fingerprint = _fingerprint("again", job_id)
        if (repeated := await self._repeated(account, key, fingerprint)) is not None:
            return repeated
        parent = await self._own(account, job_id)
        await self._check_stored(parent.request)
        quote = self._quote(self._reseeded(parent.request))
        return await self._queue(account, place, quote, parent, key, fingerprint)

    async def variants(
        self, account: Account, place: str, job_id: str, count: int, *, key: str | None = None
    ) -> Sequence[Job]:
        """The same request `count` times with new seeds; none where not all can be paid for, fewer
        where something comes in between."""
        parent = await self._own(account, job_id)
        await self._check_stored(parent.request)
        quote = self._quote(parent.request)
        jobs: list[Job] = []
        for number in range(count):
            its_key = None if key is None else f"{key}/{number}"
            fingerprint = _fingerprint("variant", job_id, str(number))
            queued = await self._repeated(account, its_key, fingerprint)
            if queued is None:
                if not jobs:
                    share = await self._share(account, place, quote.request, parent)
                    await self._afford(account, count * quote.price.credits, share)
                quote = self._quote(self._reseeded(parent.request))
                try:
                    queued = await self._queue(account, place, quote, parent, its_key, fingerprint)
                except (UserError, Transient):
                    if jobs:  # they are held for, and go on
                        return jobs
                    raise
            jobs.append(queued)
        return jobs

    async def upscale(
        self, account: Account, place: str, job_id: str, *, key: str | None = None
    ) -> Job:
        """The same request, seed and all, at the next larger resolution that its model has."""
        fingerprint = _fingerprint("upscale", job_id)
        if (repeated := await self._repeated(account, key, fingerprint)) is not None:
            return repeated
        parent = await self._own(account, job_id)
        resolution = self.larger(parent)
        if resolution is None:
            raise WrongState("This clip can't be made any larger with its model.")
        await self._check_stored(parent.request)
        width, height = frame_size(resolution, parent.request.aspect)
        request = replace(parent.request, resolution=resolution, width=width, height=height)
        return await self._queue(account, place, self._quote(request), parent, key, fingerprint)

    async def extend(
        self,
        account: Account,
        place: str,
        job_id: str,
        seconds: float | None = None,
        *,
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
            _new_seed(),
        )
        return await self._queue(account, place, self._quote(request), parent, key, fingerprint)

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
        """A moderator cancelled a job: who runs it stops, and who watches it sees."""
        job = await self._jobs.job(job_id)
        if job is not None:
            await self._dispatch.stop(job_id)
            self._dispatch.changed(job)

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
        if job.clip is not None:
            await self._files.drop_clip(job.clip)
        for picture in job.request.pictures:
            if not await self._jobs.needs_picture(picture):
                await self._files.drop_picture(picture)
        self._dispatch.changed(job)

    # Looking

    def viewed(self, job: Job) -> View:
        """A job that is known already."""
        return View(job, None if job.state.ended else self._dispatch.outlook(job))

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
        if job.request.continues is not None:
            return ""
        try:
            model = named(self.catalogue, job.request.model)
        except BadPrompt:
            return ""
        return prompt.recipe(draft_of(job.request, model))

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

    # Inside

    def _reseeded(self, request: Request) -> Request:
        return reseeded(request, named(self.catalogue, request.model), _new_seed())

    def _quote(self, request: Request) -> Quote:
        model = named(self.catalogue, request.model)
        return Quote(request, price(request, model), self._estimator.estimate(request))

    async def _submit_given(
        self,
        account: Account,
        place: str,
        draft: Draft,
        first: bytes | Picture | None,
        last: bytes | Picture | None,
        parent: Job | None,
        key: str | None,
        fingerprint: str,
    ) -> Job:
        """first, last: as bytes, or a picture that is stored already."""
        await self._allowance(account, place)
        for picture in (first, last):
            if isinstance(picture, Picture):
                await self._check_picture(picture.id)
        self.quote(draft, _unseen(first), _unseen(last), place)
        given = {"picture": await self._seen(first), "last_picture": await self._seen(last)}
        seen, last_seen = (_unseen(one) for one in given.values())
        quote = self.quote(draft, seen, last_seen, place)
        share = await self._share(account, place, quote.request, parent)
        await self._afford(account, quote.price.credits, share)
        new = await self._keep(given)
        request = replace(
            quote.request,
            picture=new.get("picture", quote.request.picture),
            last_picture=new.get("last_picture", quote.request.last_picture),
        )
        quote = replace(quote, request=request)
        try:
            job = await self._queue(account, place, quote, parent, key, fingerprint)
        except UserError:
            await self._drop(new.values())
            raise
        await self._drop(set(new.values()) - set(job.request.pictures))
        return job

    async def _seen(self, picture: bytes | Picture | None) -> DecodedPicture | Picture | None:
        return await self._decode(picture) if isinstance(picture, bytes) else picture

    async def _keep(self, given: Mapping[str, DecodedPicture | Picture | None]) -> dict[str, str]:
        """Store what is new: the ids, by the names that the pictures came with."""
        new: dict[str, str] = {}
        try:
            for name, one in given.items():
                if isinstance(one, DecodedPicture):
                    kept = await self._files.keep_picture(one.data, one.width, one.height)
                    new[name] = kept.id
        except Exception:
            await self._drop(new.values())
            raise
        return new

    async def _drop(self, pictures: Iterable[str]) -> None:
        for picture in pictures:
            await self._files.drop_picture(picture)

    async def _repeated(self, account: Account, key: str | None, fingerprint: str) -> Job | None:
        return None if key is None else await self._jobs.repeated(account.id, key, fingerprint)

    async def _check_stored(self, request: Request) -> None:
        """Raises NotFound where what the request begins with is gone."""
        for picture in request.pictures:
            await self._check_picture(picture)
        if request.continues is not None:
            first = await self._jobs.job(request.continues)
            if first is None or first.clip is None:
                raise NotFound("The clip that this one goes on from is no longer stored.")

    async def _check_picture(self, picture: str) -> None:
        if await self._files.renew_picture(picture) is None:
            raise NotFound(PICTURE_GONE)

    async def _afford(self, account: Account, credits: int, share: Share | None) -> None:
        available = (await self.wallet(account)).available
        if share is not None and available < credits:
            available += await self._accounts.spendable(account.id, share)
        if available < credits:
            raise NotEnoughCredits(credits, available)

    async def _share(
        self, account: Account, place: str, request: Request, parent: Job | None
    ) -> Share | None:
        """What the server's treasury has for that clip; None where it has nothing."""
        found = await self._accounts.treasury(server(place))
        now, zone = self._clock(), self.terms.zone
        if found is None or not treasury.allows(
            found.policy, account, request, _whole_seconds(request, parent), place, now, zone
        ):
            return None
        since = beginning(day_of(now, zone), zone)
        return Share(found.account_id, found.policy.daily, since)

    async def _allowance(self, account: Account, place: str) -> Allowance | None:
        """What they may spend there today; None for all that they have. Raises Refused where
        somebody who may laid a ban or a pause on them, or on the channel."""
        now, zone = self._clock(), self.terms.zone
        restraints = await self._moderation.restraints([account.id], now)
        hindered = moderation.hindrance(restraints, account.id, place, now)
        if hindered is not None and moderation.bars(hindered):
            raise Refused(moderation.why(hindered))
        quota = moderation.quota(restraints, account.id, place, now)
        if quota is None:
            return None
        return Allowance(quota.server, quota.credits, beginning(day_of(now, zone), zone))

    async def _queue(
        self,
        account: Account,
        place: str,
        quote: Quote,
        parent: Job | None,
        key: str | None,
        fingerprint: str,
    ) -> Job:
        allowance = await self._allowance(account, place)
        whole_seconds = _whole_seconds(quote.request, parent)
        plan = self.plan(account)
        places.check(quote.request, whole_seconds, self._rules(server(place)))
        plans.check(quote.request, whole_seconds, plan)
        share = await self._share(account, place, quote.request, parent)
        await self._afford(account, quote.price.credits, share)
        if self._dispatch.waiting(account.id) >= plan.waiting:
            raise TooMany(
                f"You have {plan.waiting} clips waiting, which is the most with the {plan.name} "
                "plan: wait for one to finish, or cancel one."
            )
        job = Job(
            id=new_id(),
            account_id=account.id,
            place=place,
            state=State.QUEUED,
            request=quote.request,
            credits=quote.price.credits,
            created_at=self._clock(),
            parent=parent.id if parent else None,
        )
        queued = await self._jobs.submit(job, key, fingerprint, share, allowance)
        self._dispatch.changed(queued)
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


def pictures_of(request: Request) -> tuple[Picture | None, Picture | None]:
    """The first and the last picture of a request, with the sides of its frames."""
    first, last = (
        None if picture is None else Picture(picture, request.width, request.height)
        for picture in (request.picture, request.last_picture)
    )
    return first, last


def _unseen(picture: bytes | DecodedPicture | Picture | None) -> Picture | None:
    """What a quote may know of a picture before it is stored."""
    match picture:
        case bytes():
            return Picture("", 1280, 720)
        case DecodedPicture():
            return Picture("", picture.width, picture.height)
    return picture


def _whole_seconds(request: Request, parent: Job | None) -> float:
    """With what it goes on from."""
    before = parent.clip if parent and request.continues else None
    return request.seconds + (before.seconds if before else 0.0)


def _new_seed() -> int:
    return secrets.randbelow(prompt.SEED_MAX + 1)


def _fingerprint(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()


def _ended(job: Job) -> str:
    return "was cancelled" if job.state is State.CANCELLED else job.state.value
