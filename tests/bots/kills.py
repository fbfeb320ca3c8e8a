"""kill -9 between a request and its clip, and what must be so in the end, on any platform.

kills = Kills(here, random.Random(1))    # a platform's own
await kills.kill_at(POINTS[0])
ended = await kills.end()
assert not ended.faults
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from tests.bots.playhouse import Playhouse

PATIENCE_SECONDS = 300.0
MOST_LEFT = 3
"""Unfinished jobs that a new life takes more to."""

UNFINISHED = ("In the queue", "Starting", "Getting ready", "Rendering", "Almost there", "Stopping")
"""What cards say of jobs that have not ended."""

AT_ONCE = 0.03
"""Slack of points that are over in a moment."""


class Request(Protocol):
    """Somebody asked for a clip. key: of its job; shown: whether there is an answer to see."""

    @property
    def key(self) -> str: ...

    @property
    def shown(self) -> bool: ...

    def stage(self) -> str:
        """How far it is, as people see it."""
        ...


R = TypeVar("R", bound=Request)
H = TypeVar("H", bound=Playhouse)


@dataclass(frozen=True)
class Point(Generic[R]):
    """A moment to kill at. reached: by what the stand-in saw; prepare: what is to go wrong before;
    seconds: of the clip, long enough to be caught there; slack: how much later is still about
    there; manner: how it is asked for, in the platform's words; act: what somebody does once `when`
    is so: they delete the card, say."""

    name: str
    reached: Callable[[R], object]
    prepare: Callable[[], object] | None = None
    seconds: float = 1.0
    slack: float = 0.4
    manner: str = ""
    act: Callable[[R], object] | None = None
    when: Callable[[R], object] = lambda request: request.shown


@dataclass(frozen=True)
class Ended:
    """What came of it all. faults: sentences, none where all is well; forgotten: requests that
    became no job; answered: how many of those were told so; stages: how far what was killed was."""

    kills: int
    jobs: int
    forgotten: int
    answered: int
    stages: Counter[str]
    faults: list[str]


@dataclass
class Kills(ABC, Generic[H, R]):
    """Lives of the program, each ended by kill -9."""

    here: H
    chance: random.Random
    requests: list[R] = field(default_factory=list)
    stages: Counter[str] = field(default_factory=Counter)

    @abstractmethod
    def points(self) -> Sequence[Point[R]]:
        """Every moment worth a kill."""

    @abstractmethod
    def anywhere(self) -> Point[R]:
        """Where a request was just made; what follows is left to chance."""

    @abstractmethod
    def ask(self, seconds: float, manner: str = "") -> R:
        """Somebody asks for a clip, somewhere."""

    @abstractmethod
    def seen(self, jobs: Mapping[str, Sequence[str]]) -> Counter[str]:
        """How often the clip of each job came before the eyes of who asked. jobs: ids, by the key
        of their request."""

    def come_back(self) -> None:
        """Who shut the bot out lets it in again, and asks for what was kept meanwhile."""

    def settled(self) -> bool:
        """Whether nobody waits for an answer any more, besides for clips."""
        return True

    @abstractmethod
    def faults(self, forgotten: Sequence[R]) -> Iterator[str]:
        """What else is wrong for the platform: cards left behind, pings that came twice."""

    async def kill_at(self, point: Point[R], delay: float = 0.0, others: int = 0) -> None:
        """Ask for a clip, and kill the program when its request has come to the point, and `delay`
        seconds are over. others: how many ask before."""
        async with self.here.open() as program:
            await self._caught_up(MOST_LEFT)
            for _ in range(others):
                self._asked(self.chance.choice((1.0, 2.0)))
            if point.prepare is not None:
                point.prepare()
            request = self._asked(point.seconds, point.manner)
            if point.act is not None:
                await self._until(lambda: point.when(request), f"what to act on of {request}")
                point.act(request)
            await self._until(lambda: point.reached(request), f"{point.name} of {request}")
            await asyncio.sleep(delay)
            self.stages[request.stage()] += 1
            await self.here.kill(program)
        self.here.mend()
        self.come_back()

    async def kill_anywhere(self) -> None:
        """At a random point, or a random time after a request; maybe among others."""
        others = self.chance.choice((0, 0, 1, 2))
        point = self.chance.choice(self.points())
        if self.chance.random() < 0.4:
            point = self.anywhere()
        await self.kill_at(point, self.chance.uniform(0, point.slack), others)

    async def end(self) -> Ended:
        """Let everything come to its end, close the program, and look at what there is."""
        async with self.here.open() as program:
            await self._caught_up(0)
            with suppress(AssertionError):  # what is left is a fault that the platform names
                await self._until(self.settled, "an answer to everybody")
                await self._until(lambda: not any(self.here.faults_of_deliveries()), "deliveries")
            assert await program.stop() == 0
        return self._ended()

    def _asked(self, seconds: float, manner: str = "") -> R:
        request = self.ask(float(seconds), manner)
        self.requests.append(request)
        return request

    async def _until(self, question: Callable[[], object], what: str) -> None:
        await self.here.until(question, what, PATIENCE_SECONDS)

    def made(self) -> dict[str, list[str]]:
        """Ids of the jobs of each request, by its key."""
        found: dict[str, list[str]] = {request.key: [] for request in self.requests}
        for row in self.here.rows("SELECT id, request_key FROM job"):
            with suppress(KeyError):
                found[row["request_key"]].append(row["id"])
        return found

    async def _caught_up(self, left: int) -> None:
        """Wait until all clips but so many were seen, of the lives before."""
        jobs = self.made()

        def waiting() -> int:
            seen = self.seen(jobs)
            return sum(not seen[job_id] for ids in jobs.values() for job_id in ids)

        await self._until(lambda: waiting() <= left, f"all but {left} clips")

    def _ended(self) -> Ended:
        jobs = self.made()
        forgotten = [request for request in self.requests if not jobs[request.key]]
        return Ended(
            kills=self.stages.total(),
            jobs=sum(map(len, jobs.values())),
            forgotten=len(forgotten),
            answered=sum(request.shown for request in forgotten),
            stages=self.stages,
            faults=[
                *self._faults_of_clips(jobs),
                *self.faults(forgotten),
                *self.here.faults(),
            ],
        )

    def _faults_of_clips(self, jobs: dict[str, list[str]]) -> Iterator[str]:
        known = {job_id for ids in jobs.values() for job_id in ids}
        for row in self.here.rows("SELECT id, request_key FROM job"):
            if row["id"] not in known:
                yield f"job {row['id']} is nobody's: {row['request_key']}"
        for key, ids in jobs.items():
            if len(ids) > 1:
                yield f"{key} became several jobs"
        seen = self.seen(jobs)
        for job_id in known:
            if seen[job_id] != 1:
                yield f"the clip of {job_id} was seen {seen[job_id]} times"
