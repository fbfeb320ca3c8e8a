"""Brings queued jobs to the engine, and what comes of them to the store.

Knows the order of the queue and how long it will take; knows nothing of SQL, torch or platforms.
The store is the truth: what runs here but not there is stopped, what runs there but not here is
queued again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from core.aging import Aging
from core.bulletin import Bulletin
from core.checking import Checking, against
from core.engine import Engine, EngineEvent, Failed, Lost, Progressed, Rendered, Stage, Stopped
from core.errors import NotFound, Transient
from core.eta import NOTHING, Estimator, Range, work
from core.fairness import Tags, Waiting, choose, correct, order, serve
from core.flight import Flight
from core.flight import Outlook as Outlook
from core.job import MAX_LOSSES, Account, Job, State, new_id
from core.lanes import Lane
from core.plans import Plans
from core.ports import Accounts, Clock, Files, Jobs, Measured, Moderation
from core.provenance import Unsigned
from core.restraints import Restraint, hindrance, why
from core.safety.gate import Sight
from core.sealing import UNSIGNED, Sealing
from core.sources import Sources

log = logging.getLogger("kinora.dispatch")

IDLE_SECONDS = 1.0
"""How long to wait for news before looking again."""

GATHERING_SECONDS = 1.0
"""How long news are gathered where every slot is taken, so that nothing could start: each look
reads the whole queue, and many may ask at once."""

NOTE_SECONDS = 1.0
"""How often progress is written down; watchers hear of each step."""

SHARED = 2.0
"""Who waits behind nobody's jobs but their own may have to share with one more person: turns are
taken, so that would double their wait."""

RELAXED = 3.0
"""Whoever pays goes before those in the relaxed lane, whenever they come: their wait may be so much
longer than the queue is now."""

OVERTAKES = 0.8
"""Turns go by measured time, so who is ahead may come to be behind."""

PAUSES_SECONDS = (0.1, 0.5, 2.0, 5.0)
"""Between tries to write down what the engine said."""


class Dispatch:
    """Run it as one task; tell it what `changed`, `stop` a running job, ask for an `outlook`."""

    def __init__(
        self,
        accounts: Accounts,
        jobs: Jobs,
        files: Files,
        engine: Engine,
        bulletin: Bulletin,
        estimator: Estimator,
        clock: Clock,
        plans: Plans,
        moderation: Moderation,
        checking: Checking,
        sealing: Sealing | None = None,
    ) -> None:
        """sealing: None where clips carry no marks, which is for tests alone."""
        self._accounts = accounts
        self._jobs = jobs
        self._files = files
        self._sources = Sources(jobs, files)
        self._engine = engine
        self._bulletin = bulletin
        self._estimator = estimator
        self._clock = clock
        self._plans = plans
        self._moderation = moderation
        self._checking = checking
        self._tasks: asyncio.TaskGroup | None = None
        self._sealing = sealing
        self._tags = Tags()
        self._aging = Aging(jobs, clock)
        self._news = asyncio.Event()
        self._queue: list[Waiting] = []
        self._new: dict[str, Job] = {}
        self._told: object = None
        self._paused: dict[str, tuple[Waiting, Restraint]] = {}
        self._estimates: dict[str, Range] = {}
        self._weights: dict[int, float] = {}
        self._flights: dict[str, Flight] = {}
        self._stopping: set[str] = set()
        self._claiming: str | None = None
        self._resume_at = 0.0

    # For bots, through the studio

    def changed(self, job: Job) -> None:
        """A job was queued, cancelled or deleted: tell its watchers, look at the queue again."""
        self._line_up(job)
        self._publish(job)
        self._news.set()

    def waiting(self, account_id: int, lane: Lane | None = None) -> int:
        """How many jobs of an account are queued in a lane, or in all."""
        paused = (waiting for waiting, _ in self._paused.values())
        return sum(
            waiting.account_id == account_id and lane in (None, waiting.lane)
            for waiting in (*self._queue, *paused)
        )

    def runs(self, job_id: str) -> bool:
        """Whether an attempt of the job is under way."""
        return job_id in self._flights

    async def stop(self, job_id: str) -> None:
        """Ask the running attempt of a job to stop; it may just be starting."""
        flight = self._flights.get(job_id)
        if flight is None and self._claiming != job_id:
            return
        self._stopping.add(job_id)
        if flight is not None and not self._checking.stop(job_id):
            await self._engine.cancel(job_id, flight.job.attempt)

    def outlook(self, job: Job) -> Outlook:
        """Where an unfinished job stands and how long it may take."""
        flight = self._flights.get(job.id)
        now = asyncio.get_running_loop().time()
        if flight is not None:
            stage, left = flight.stage or "", flight.left(now)
            return Outlook(
                0, 0, NOTHING, left, stage, flight.step, flight.steps, flight.preview_number
            )
        wait = NOTHING
        for other in self._flights.values():
            wait += other.left(now)
        queue = self._queue
        if all(waiting.job_id != job.id for waiting in queue):
            queue = order(self._tags, [*queue, self._waiting(job)])
        alone = all(waiting.account_id == job.account_id for waiting in queue)
        for index, waiting in enumerate(queue):
            if waiting.job_id == job.id:
                more = RELAXED if job.lane is Lane.RELAXED else SHARED if alone else 1.0
                wait = Range(wait.low * OVERTAKES, wait.high * more)
                ahead = index + len(self._flights)
                paused = self._paused.get(job.id)
                said = why(paused[1]) if paused else ""
                return Outlook(ahead + 1, ahead, wait, wait + self._estimate(job), paused=said)
            wait += self._estimates[waiting.job_id]
        raise AssertionError("the job was put into the queue above")

    def preview(self, job_id: str) -> bytes | None:
        """The latest preview of a running job, as a JPEG."""
        flight = self._flights.get(job_id)
        return flight.preview if flight else None

    # The loops

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._choosing())
            self._tasks.create_task(self._listening())

    async def _choosing(self) -> None:
        while True:
            self._news.clear()
            try:
                self._tags = await self._aging.aged(self._tags)
                await self._rescue()
                await self._refresh()
                now = asyncio.get_running_loop().time()
                while self._engine.free_slots() > 0 and now >= self._resume_at:
                    looked_at = [one for one in self._queue if one.job_id not in self._new]
                    if not looked_at:
                        break
                    await self._start(choose(self._tags, looked_at))
            except Transient as error:
                log.warning("no job can be started: %s", error)
                self._resume_at = asyncio.get_running_loop().time() + error.retry_after
            except Exception:
                log.exception("choosing the next job failed; trying again")
                await asyncio.sleep(IDLE_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._news.wait()
                if self._engine.free_slots() == 0:
                    await asyncio.sleep(GATHERING_SECONDS)

    async def _listening(self) -> None:
        async for event in self._engine.events():
            await self._insist(event, partial(self._heard, event))

    async def _insist(self, event: EngineEvent, handle: Callable[[], Awaitable[None]]) -> None:
        for pause in PAUSES_SECONDS:
            try:
                await handle()
                return
            except Exception:
                log.exception("job %s: %s was not handled", event.job_id, type(event).__name__)
            if isinstance(event, Progressed):
                return
            await asyncio.sleep(pause)
        await self._give_up(event)

    def _beside(self, work: Coroutine[None, None, None]) -> None:
        """In a task of its own: other events are heard meanwhile."""
        assert self._tasks is not None, "events are heard while it runs"
        self._tasks.create_task(work)

    # Choosing

    async def _rescue(self) -> None:
        """Queue again what the store thinks is running and nobody runs.

        That is how a restart picks up what was left, and how a slip is mended.
        """
        for job in await self._jobs.running():
            flight = self._flights.get(job.id)
            if flight is not None and flight.job.attempt == job.attempt:
                self._flights[job.id] = replace(flight, job=job)  # it may be another account's now
                continue
            if job.cancel_requested:
                rescued = await self._jobs.stopped(job.id, job.attempt, self._clock())
            else:
                rescued = await self._jobs.requeue(job.id, job.attempt, lost=False)
            await self._files.drop_folder(job.id, job.attempt)
            if rescued is not None:
                now = "cancelled" if rescued.state.ended else "queued again"
                log.warning("job %s: nobody was rendering it any more, so it is %s", job.id, now)
                self._publish(rescued)

    def _line_up(self, job: Job) -> None:
        """A job that was queued has its place at once, and one that was cancelled none; whether it
        may start is known after the next look."""
        self._new.pop(job.id, None)
        others = [waiting for waiting in self._queue if waiting.job_id != job.id]
        if job.state is State.QUEUED and job.id not in {*self._flights, *self._paused}:
            self._new[job.id] = job
            self._estimates[job.id] = self._estimator.estimate(job.request)
            others = order(self._tags, [*others, self._waiting(job)])
        self._queue = others

    async def _refresh(self) -> None:
        new = set(self._new)
        jobs = [job for job in await self._jobs.queued() if job.id not in self._flights]
        await self._learn_weights(jobs)
        paused = await self._passed_over(jobs)
        # From here on nothing is waited for: who asks for an outlook sees one queue.
        self._new = {id_: job for id_, job in self._new.items() if id_ not in new}
        read = {job.id for job in jobs}
        jobs += [job for job in self._new.values() if job.id not in read]
        self._estimates = {job.id: self._estimator.estimate(job.request) for job in jobs}
        self._paused = paused
        free = [job for job in jobs if job.id not in self._paused]
        self._queue = order(self._tags, [self._waiting(job) for job in free])
        if self._told != self._order():
            self._told = self._order()
            for job in jobs:
                self._publish(job)

    async def _passed_over(self, jobs: Sequence[Job]) -> dict[str, tuple[Waiting, Restraint]]:
        """Jobs of what is paused. They keep their place: it is that of when they were asked for."""
        now = self._clock()
        accounts = {job.account_id for job in jobs}
        restraints = await self._moderation.restraints(accounts, now) if jobs else ()
        paused = {}
        for job in jobs:
            found = hindrance(restraints, job.account_id, job.place, now)
            if found is not None:
                paused[job.id] = self._waiting(job), found
        return paused

    async def _learn_weights(self, jobs: Sequence[Job]) -> None:
        weights = {}
        for account_id in {job.account_id for job in jobs}:
            known = self._weights.get(account_id)
            if known is None:
                account = await self._accounts.account_by_id(account_id)
                known = self._weight(account) if account else 1.0
            weights[account_id] = known
        self._weights = weights

    def _weight(self, account: Account) -> float:
        return account.weight * self._plans.of(account, self._clock()).weight

    def _waiting(self, job: Job) -> Waiting:
        return Waiting(
            job_id=job.id,
            account_id=job.account_id,
            order=job.created_at.timestamp(),
            cost=self._estimate(job).middle,
            weight=self._weights.get(job.account_id, 1.0),
            shift=job.shift,
            lane=job.lane,
        )

    def _estimate(self, job: Job) -> Range:
        return self._estimates.get(job.id) or self._estimator.estimate(job.request)

    async def _start(self, waiting: Waiting) -> None:
        self._claiming = waiting.job_id
        try:
            job = await self._jobs.claim(waiting.job_id, self._clock())
            estimate = self._estimates.pop(waiting.job_id)
            self._queue = [one for one in self._queue if one.job_id != waiting.job_id]
            self._new.pop(waiting.job_id, None)
            if job is None:
                self._stopping.discard(waiting.job_id)
                return
            began = asyncio.get_running_loop().time()
            self._flights[job.id] = Flight(job, waiting, estimate, began, began)
        finally:
            self._claiming = None
        self._tags = serve(self._tags, waiting, self._queue)
        self._publish_all(job)
        try:
            try:
                spec = await self._sources.spec(job)
                if self._sealing is not None:
                    spec = await self._sealing.stamped(job, spec)
            except NotFound as gone:
                ended = await self._settle_failed(job, gone.sentence, new_id())
                self._land(job, ended)
                return
            await self._engine.submit(job.id, job.attempt, spec)
        except Exception as error:
            await self._take_back(job, error)
            raise
        if job.id in self._stopping:
            await self._engine.cancel(job.id, job.attempt)

    async def _take_back(self, job: Job, error: Exception) -> None:
        """An attempt did not start. Where not even that can be written down, a rescue comes."""
        now = None
        try:
            if isinstance(error, Transient):
                now = await self._jobs.requeue(job.id, job.attempt, lost=False)
            else:
                now = await self._settle_lost(job, "it could not be started")
        finally:
            self._land(job, now)

    # Listening

    async def _heard(self, event: EngineEvent) -> None:
        flight = self._flights.get(event.job_id)
        if flight is None or flight.job.attempt != event.attempt:
            if isinstance(event, Progressed):
                await self._engine.cancel(event.job_id, event.attempt)
            else:
                await self._files.drop_folder(event.job_id, event.attempt)
            return
        if event.sequence <= flight.sequence or flight.stage is Stage.CHECKING:
            return
        match event:
            case Progressed():
                await self._progressed(flight, event)
                return
            case Rendered() if event.job_id not in self._stopping:
                seconds = asyncio.get_running_loop().time() - flight.drawing
                await self._jobs.progress(event.job_id, event.attempt, Stage.CHECKING, 0, 0)
                self._flights[event.job_id] = flight.rendered(event.sequence)
                self._beside(self._check(flight.job, event, seconds))
                self._publish(flight.job)
                self._news.set()
                return
            case Rendered() | Stopped():
                ended = await self._jobs.stopped(event.job_id, event.attempt, self._clock())
            case Failed():
                ended = await self._settle_failed(flight.job, event.sentence, event.reference)
            case Lost():
                ended = await self._settle_lost(flight.job, event.why)
        self._land(flight.job, ended)
        await self._files.drop_folder(event.job_id, event.attempt)

    async def _progressed(self, flight: Flight, event: Progressed) -> None:
        now = asyncio.get_running_loop().time()
        due = event.stage != flight.stage or now - flight.noted >= NOTE_SECONDS
        told = flight.told(event, now)
        self._flights[event.job_id] = replace(told, noted=now) if due else told
        self._publish(flight.job)
        if event.preview is not None:
            self._beside(self._preview(flight.job, event.preview))
        if due and not await self._jobs.progress(
            event.job_id, event.attempt, event.stage, event.step, event.steps
        ):
            await self._engine.cancel(event.job_id, event.attempt)

    async def _preview(self, job: Job, preview: bytes) -> None:
        """Show it, once it has passed the gate."""
        if await self._checking.shows(job, preview):
            flight = self._flights.get(job.id)
            if flight is not None and flight.job.attempt == job.attempt:
                self._flights[job.id] = flight.showing(preview)
                self._publish(job)

    async def _check(self, job: Job, event: Rendered, seconds: float) -> None:
        """What was rendered passes the gate, is sealed, and only then is anybody's. seconds: that
        it took."""

        async def settle() -> None:
            flight = self._flights[job.id]
            ended = await self._settle_rendered(flight.job, event, sight, seconds)
            self._land(flight.job, ended)
            await self._files.drop_folder(job.id, job.attempt)

        sight = await self._checking.clip(job, event)
        await self._insist(event, settle)

    async def _settle_rendered(
        self, job: Job, event: Rendered, sight: Sight | None, seconds: float
    ) -> Job | None:
        if sight is None or job.id in self._stopping:
            return await self._jobs.stopped(job.id, job.attempt, self._clock())
        if findings := against(job, sight):
            log.info("job %s attempt %d: not delivered", job.id, job.attempt)
            return await self._jobs.refuse(job.id, job.attempt, findings, self._clock())
        if self._sealing is not None:
            try:
                event = await self._sealing.sealed(job, event)
            except Unsigned:
                log.exception("job %s attempt %d: not signed", job.id, job.attempt)
                return await self._settle_failed(job, UNSIGNED, new_id())
        clip = await self._files.keep_clip(event, self._clock())
        hashes = sight.seen.hashes if sight.seen else ()
        ended = await self._jobs.finish(job.id, job.attempt, clip, seconds, self._clock(), hashes)
        if ended is None or ended.clip is None:
            await self._files.drop_clip(clip)
            return ended
        self._estimator.observe(Measured(job.request.model, work(job.request), seconds))
        log.info("job %s attempt %d: rendered in %.1f s", job.id, job.attempt, seconds)
        return ended

    async def _settle_failed(self, job: Job, sentence: str, reference: str) -> Job | None:
        log.warning("job %s attempt %d: failed, reference %s", job.id, job.attempt, reference)
        return await self._jobs.fail(job.id, job.attempt, sentence, reference, self._clock())

    async def _settle_lost(self, job: Job, why: str) -> Job | None:
        log.warning("job %s attempt %d: lost (%s)", job.id, job.attempt, why)
        if job.id in self._stopping:
            return await self._jobs.stopped(job.id, job.attempt, self._clock())
        if job.losses + 1 >= MAX_LOSSES:
            sentence = f"The renderer gave up on this clip {MAX_LOSSES} times."
            return await self._settle_failed(job, sentence, new_id())
        return await self._jobs.requeue(job.id, job.attempt, lost=True)

    async def _give_up(self, event: EngineEvent) -> None:
        """What the engine said could not be written down: count it as a loss, if even that can."""
        flight = self._flights.get(event.job_id)
        if flight is None or flight.job.attempt != event.attempt:
            return
        ended = None
        try:
            ended = await self._settle_lost(flight.job, "its end could not be written down")
        except Exception:
            log.exception("job %s: left to the next rescue", event.job_id)
        self._land(flight.job, ended)

    def _land(self, job: Job, now: Job | None) -> None:
        """The attempt is over: its account pays for the time that it took, and the next may go.

        now: the job as the store has it since; None where the attempt no longer held it.
        """
        flight = self._flights.pop(job.id)
        took = asyncio.get_running_loop().time() - flight.began
        self._tags = correct(self._tags, flight.waiting, took)
        self._stopping.discard(job.id)
        if now is not None:
            self._publish_all(now)
        self._news.set()

    # Telling

    def _order(self) -> object:
        """All that watchers of one job see of the others."""
        return [waiting.job_id for waiting in self._queue], self._paused

    def _publish(self, job: Job) -> None:
        self._bulletin.publish(job.id, job.account_id)

    def _publish_all(self, job: Job) -> None:
        """The job changed, and so did the place of everybody behind it."""
        self._publish(job)
        self._told = self._order()
        for waiting in self._queue:
            self._bulletin.publish(waiting.job_id, waiting.account_id)
