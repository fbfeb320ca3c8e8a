"""What is asked for, on its way into the books: looked at, priced, and written down as queued,
quoted, held, or refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from core.counter import Consent, Counter, Quote
from core.dispatch import Dispatch
from core.errors import UserError
from core.inspection import NOTHING_SAID, Inspection, Looked, Said
from core.job import Account, Job, Purse, State
from core.ports import Clock, DecodedPicture, DecodePicture, Jobs
from core.refusals import Count, counted
from core.replay import Replay
from core.request import Draft, Picture
from core.sources import Sources, unseen


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, where, and how. parent: what it varies or goes on from. key, fingerprint: as in
    `Jobs.submit`."""

    account: Account
    place: str
    parent: Job | None
    consent: Consent
    key: str | None
    fingerprint: str
    said: Said = NOTHING_SAID


class Intake:
    def __init__(
        self,
        jobs: Jobs,
        sources: Sources,
        decode: DecodePicture,
        counter: Counter,
        inspection: Inspection,
        dispatch: Dispatch,
        clock: Clock,
        refused: Count | None,
        replay: Replay | None,
    ) -> None:
        self._jobs = jobs
        self._sources = sources
        self._decode = decode
        self._counter = counter
        self._inspection = inspection
        self._dispatch = dispatch
        self._clock = clock
        self._refused = refused
        self._replay = replay

    async def given(
        self,
        asked: Asked,
        draft: Draft,
        first: bytes | Picture | None,
        last: bytes | Picture | None,
    ) -> Job:
        """A draft and its pictures, as bytes, or as they are stored already. What is cheap comes
        first. Raises UserError; then nothing is kept."""
        account, place = asked.account, asked.place
        first = await self._sources.named(draft.first) if first is None and draft.first else first
        last = await self._sources.named(draft.last) if last is None and draft.last else last
        async with counted(self._refused, place, draft.model):
            await self._counter.allowance(account, place)
            await self._inspection.check(account)
        for picture in (first, last):
            if isinstance(picture, Picture):
                await self._sources.picture(picture.id)
        quote = self._counter.quote(draft, unseen(first), unseen(last), place, account)
        known = [one for one in (first, last) if one is not None]
        looked = await self._inspection.words(account, place, quote.request, known, asked.said)
        if looked.lost:
            return await self.take(asked, _unkept(quote), looked)
        given = {"picture": await self._seen(first), "last_picture": await self._seen(last)}
        seen, last_seen = (unseen(one) for one in given.values())
        quote = self._counter.quote(draft, seen, last_seen, place)
        decoded = [one for one in given.values() if one is not None]
        looked = await self._inspection.pictures(looked, account, decoded, asked.said, asked.parent)
        if looked.unkept:
            return await self.take(asked, _unkept(quote), looked)
        if looked.free:
            share = await self._counter.share(account, place, quote.request, asked.parent)
            async with counted(self._refused, place, quote.request.model):
                await self._counter.weighed(account, place, quote, share, asked.consent)
        model = quote.request.model
        remarks = await self._replay.remarks(draft, model) if self._replay else ()
        new = await self._sources.keep(given)
        request = replace(
            quote.request,
            notes=quote.request.notes + remarks,
            picture=new.get("picture", quote.request.picture),
            last_picture=new.get("last_picture", quote.request.last_picture),
        )
        try:
            job = await self.take(asked, replace(quote, request=request), looked)
        except UserError:
            await self._sources.drop(new.values())
            raise
        await self._sources.drop(set(new.values()) - set(job.request.pictures))
        return job

    async def take(self, asked: Asked, quote: Quote, looked: Looked | None = None) -> Job:
        """A request that is complete, whose pictures are stored. Each job is written down here. An
        offer that it changes is over. looked: what the gates said already."""
        account, place, parent = asked.account, asked.place, asked.parent
        async with counted(self._refused, place, quote.request.model):
            if looked is None:
                await self._counter.allowed(account, place, quote.request, parent)
                await self._inspection.check(account)
                looked = await self._inspection.again(account, place, quote.request, parent)
            async with self._counter.turn(account):
                allowance = await self._counter.allowed(account, place, quote.request, parent)
                job = self._counter.job(account, place, quote, parent)
                job = await self._inspection.on(looked, job)
                share = None
                if job.state is State.QUEUED:
                    share = await self._counter.share(account, place, quote.request, parent)
                    purse = await self._counter.weighed(account, place, quote, share, asked.consent)
                    if purse is not None:
                        job = replace(job, state=State.QUOTED, credits=0, purse=purse)
                elif job.state is State.QUOTED:
                    await self._counter.check_offers(account)
                elif quote.asked:  # so it is once somebody lets it pass
                    has = (await self._counter.wallet(account)).available
                    job = replace(job, purse=Purse(has, self._counter.plan(account).daily))
                taken = await self._jobs.submit(job, asked.key, asked.fingerprint, share, allowance)
                self._dispatch.changed(taken)
        if parent is not None and taken.state is not State.REFUSED:
            await self._call_off(account, parent)
        return taken

    async def _call_off(self, account: Account, offer: Job) -> None:
        """What was changed is no offer any more."""
        if offer.state is State.QUOTED and offer.account_id == account.id:
            ended = await self._jobs.cancel(offer.id, self._clock())
            if ended is not None:
                self._dispatch.changed(ended)

    async def _seen(self, picture: bytes | Picture | None) -> DecodedPicture | Picture | None:
        return await self._decode(picture) if isinstance(picture, bytes) else picture


def _unkept(quote: Quote) -> Quote:
    """With those of its pictures alone that are stored already."""
    request = quote.request
    return replace(
        quote,
        request=replace(
            request, picture=request.picture or None, last_picture=request.last_picture or None
        ),
    )


def fingerprint(*parts: str | bytes) -> str:
    """Of what was asked for, by which a repeat is known."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()
