"""kill -9 between a command's acknowledgement and its clip, and what must be so in the end.

kills = Kills(here, random.Random(1))
await kills.kill_at(CARD_POSTED)
ended = await kills.end()
assert not ended.faults
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.bots.discord.cinema import labels, text, videos
from tests.bots.discord.playhouse import Playhouse
from tests.bots.pictures import photo
from tests.discord.cdn import Upload
from tests.discord.server import Standin
from tests.discord.users import Asked, Person
from tests.discord.world import Channel, Message

PATIENCE_SECONDS = 300.0
MOST_LEFT = 3
"""Unfinished jobs that a new life takes more to."""

A_CLIP_BYTES = 60_000
"""Clips are larger, previews and thumbnails smaller."""

SLOWLY = 150_000
"""Bytes a second."""

_UNFINISHED = ("In the queue", "Starting", "Getting ready", "Rendering", "Almost there", "Stopping")
_GRAVE = re.compile(r"^Traceback|\[(?:error|critical) *\]", re.MULTILINE)


@dataclass(frozen=True)
class Request:
    """A command, by whom and where, and what came of it in the stand-in."""

    discord: Standin
    who: Person
    where: Channel
    asked: Asked

    @property
    def card(self) -> Message | None:
        """The message that answers it, as it is now."""
        return self.discord.world.messages.get(self.asked.now.original_id or 0)

    @property
    def shown(self) -> bool:
        """Whether it shows something instead of "thinking…"."""
        return self.card is not None and not self.card.loading

    @property
    def delivered(self) -> bool:
        """Whether its clip was ever seen in its card."""
        original = self.asked.now.original_id
        return any(v.message.id == original and videos(v.message)
                   for v in self.discord.world.history)  # fmt: skip

    @property
    def pinged(self) -> bool:
        return any(ping.reply_to == self.asked.now.original_id for ping in self.who.pings())

    def stage(self) -> str:
        """How far it is, as people see it."""
        if self.pinged:
            return "pinged"
        if self.delivered:
            return "clip seen"
        if self.card is None:
            return "card gone"
        if not self.shown:
            return "acknowledged"
        words = text(self.card)
        return next((state.lower() for state in _UNFINISHED if state in words), "ended")


@dataclass(frozen=True)
class Point:
    """A moment to kill at. reached: by what the stand-in saw; prepare: what is to go wrong before;
    seconds: of the clip, long enough to be caught there; slack: how much later is still about
    there; gone: somebody deletes the card, so that the clip has to come directly."""

    name: str
    reached: Callable[[Request], bool]
    prepare: Callable[[Standin], object] = lambda discord: None
    seconds: float = 1.0
    slack: float = 0.4
    private: bool = False
    gone: bool = False


def _slow(discord: Standin) -> object:
    return discord.faults.slow("PATCH *", SLOWLY, least=A_CLIP_BYTES)


def _lose_upload(discord: Standin) -> object:
    return discord.faults.lose("PATCH *", least=A_CLIP_BYTES)


def _lose_ping(discord: Standin) -> object:
    return discord.faults.lose("POST /channels/*/messages")


def _uploading(request: Request) -> bool:
    """The slow upload has begun, which uses the fault up."""
    return request.shown and not request.discord.faults.waiting


def _direct(request: Request) -> bool:
    """The clip came to direct messages."""
    return any(sight.channel_id != request.where.id for sight in request.who.clips())


def _running(request: Request) -> bool:
    return request.stage() in ("rendering", "almost there", "clip seen", "pinged")


AT_ONCE = 0.03

POINTS = (
    ACKNOWLEDGED := Point("acknowledged", lambda r: r.asked.latency is not None),
    Point("card posted", lambda r: r.shown),
    Point("progress seen", _running, seconds=12),
    Point("upload begun", _uploading, _slow),
    Point("upload done", lambda r: r.delivered, slack=AT_ONCE),
    Point("upload done, its answer lost", lambda r: r.delivered, _lose_upload, slack=AT_ONCE),
    Point(
        "private upload done, its answer lost", lambda r: r.delivered, _lose_upload,
        slack=AT_ONCE, private=True,
    ),
    Point("pinged", lambda r: r.pinged, slack=AT_ONCE),
    Point("pinged, its answer lost", lambda r: r.pinged, _lose_ping, slack=AT_ONCE),
    Point("sent directly, its answer lost", _direct, _lose_ping, slack=AT_ONCE, gone=True),
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """What came of it all. faults: sentences, none where all is well; forgotten: commands that
    were acknowledged and became no job; stages: how far what was killed was."""

    kills: int
    jobs: int
    forgotten: int
    answered: int
    stages: Counter[str]
    faults: list[str]


@dataclass
class Kills:
    """Lives of the program, each ended by kill -9."""

    here: Playhouse
    chance: random.Random
    requests: list[Request] = field(default_factory=list)
    stages: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._picture = Upload("photo.jpg", photo(640, 360))

    async def kill_at(self, point: Point, delay: float = 0.0, others: int = 0) -> None:
        """Ask for a clip, and kill the program when its request has come to the point, and `delay`
        seconds are over. others: how many ask before."""
        async with self.here.open() as program:
            await self._caught_up(MOST_LEFT)
            for _ in range(others):
                self._ask(seconds=self.chance.choice((1.0, 2.0)))
            point.prepare(self.here.discord)
            request = self._ask(point.seconds, private=point.private)
            if point.gone:
                await self._until(lambda: request.shown, f"the card of {request.asked}")
                assert request.card is not None
                self.here.discord.scene.delete_message(request.card)
            await self._until(lambda: point.reached(request), f"{point.name} of {request.asked}")
            await asyncio.sleep(delay)
            self.stages[request.stage()] += 1
            await self.here.kill(program)
        self.here.discord.faults.clear()

    async def kill_anywhere(self) -> None:
        """At a random point, or a random time after an acknowledgement; maybe among others."""
        others = self.chance.choice((0, 0, 1, 2))
        point = self.chance.choice(POINTS)
        if self.chance.random() < 0.4:
            private = self.chance.random() < 0.3
            point = replace(ACKNOWLEDGED, seconds=12.0, slack=8.0, private=private)
        await self.kill_at(point, self.chance.uniform(0, point.slack), others)

    async def end(self) -> Ended:
        """Let everything come to its end, close the program, and look at what there is."""
        async with self.here.open() as program:
            await self._caught_up(0)
            assert await program.stop() == 0
        return self._ended()

    async def _until(self, question: Callable[[], bool], what: str) -> None:
        await self.here.discord.world.until(question, what, PATIENCE_SECONDS)

    def _ask(self, seconds: float, *, private: bool = False) -> Request:
        who = self.chance.choice(self.here.people)
        where = self.chance.choice(self.here.rooms)
        options: dict[str, object] = {"private": True} if private else {}
        asked = who.slash(
            "create", where, prompt="pan right", image=self._picture, length=float(seconds),
            resolution="480p", **options,
        )  # fmt: skip
        request = Request(self.here.discord, who, where, asked)
        self.requests.append(request)
        return request

    def _jobs(self) -> dict[int, list[str]]:
        """Ids of the jobs of each interaction."""
        found: dict[int, list[str]] = {request.asked.id: [] for request in self.requests}
        for row in self.here.rows("SELECT id, request_key FROM job"):
            found[int(row["request_key"].partition(":")[2])].append(row["id"])
        return found

    async def _caught_up(self, left: int) -> None:
        """Wait until all clips but so many were seen, of the lives before."""
        asked = {job_id for ids in self._jobs().values() for job_id in ids}

        def waiting() -> set[str]:
            return asked - {job_id for person in self.here.people for job_id in _clips(person)}

        await self._until(lambda: len(waiting()) <= left, f"all but {left} clips")

    def _ended(self) -> Ended:
        jobs = self._jobs()
        forgotten = [request for request in self.requests if not jobs[request.asked.id]]
        answered = sum(request.shown for request in forgotten)
        return Ended(
            kills=self.stages.total(),
            jobs=sum(map(len, jobs.values())),
            forgotten=len(forgotten),
            answered=answered,
            stages=self.stages,
            faults=[
                *self._faults_of_jobs(jobs),
                *self._faults_of_cards(forgotten),
                *self._faults_of_credits(),
                *(f"the log: {found}" for found in _GRAVE.findall(self.here.log())),
                *self.here.discord.violations,
            ],
        )

    def _faults_of_jobs(self, jobs: dict[int, list[str]]) -> list[str]:
        found = []
        for request in self.requests:
            seen = _clips(request.who)
            found += [
                f"the clip of {job_id} was seen {seen[job_id]} times"
                for job_id in jobs[request.asked.id]
                if seen[job_id] != 1
            ]
            if len(jobs[request.asked.id]) > 1:
                found.append(f"{request.asked} became several jobs")
            pings = [p for p in request.who.pings() if p.reply_to == request.asked.now.original_id]
            if len(pings) > 1:
                found.append(f"{request.asked} was pinged {len(pings)} times")
        states = self.here.rows(
            "SELECT job.id, job.state AS job, delivery.state AS delivery FROM job "
            "LEFT JOIN delivery ON delivery.job_id = job.id"
        )
        found += [
            f"job {row['id']} ended as {row['job']}, its delivery as {row['delivery']}"
            for row in states
            if (row["job"], row["delivery"]) != ("succeeded", "sent")
        ]
        return found

    def _faults_of_cards(self, forgotten: list[Request]) -> list[str]:
        """Messages that look as if something were still to come."""
        lost = {request.asked.now.original_id for request in forgotten}
        return [
            f"a card was left as {text(message)[:60]!r}"
            for message in self.here.discord.world.messages.values()
            if message.id not in lost
            and (message.loading or "Cancel" in labels(message)
                 or any(state in text(message) for state in _UNFINISHED))
        ]  # fmt: skip

    def _faults_of_credits(self) -> list[str]:
        """One hold and one capture for each job, nothing held, sums that are right."""
        accounts = self.here.rows(
            "SELECT account.id, available, held, sum(available_change) AS added, "
            "sum(held_change) AS holds FROM account JOIN entry ON entry.account_id = account.id "
            "GROUP BY account.id"
        )
        wrong = [
            f"account {row['id']} has {row['available']} and {row['held']} held; its entries "
            f"say {row['added']} and {row['holds']}"
            for row in accounts
            if (row["available"], row["held"], 0) != (row["added"], row["holds"], row["held"])
        ]
        settled = self.here.rows(
            "SELECT job.id, job.credits, sum(entry.kind = 'hold') AS holds, "
            "sum(entry.kind = 'capture') AS captures, sum(entry.available_change) AS paid, "
            "count(entry.id) AS entries FROM job LEFT JOIN entry ON entry.job_id = job.id "
            "GROUP BY job.id"
        )
        wrong += [
            f"job {row['id']} has {row['holds']} holds and {row['captures']} captures, and cost "
            f"{-(row['paid'] or 0)} instead of {row['credits']}"
            for row in settled
            if (row["holds"], row["captures"], row["entries"], row["paid"])
            != (1, 1, 2, -row["credits"])
        ]
        return wrong


def _clips(person: Person) -> Counter[str]:
    """How often they saw the clip of each job."""
    names = (sight.attachment.filename for sight in person.clips())
    return Counter(re.sub(r"kinora-|\.mp4", "", name) for name in names)
