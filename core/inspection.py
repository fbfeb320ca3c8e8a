"""What an ask passes before it is written down: the cool-down of who asks, the gate for its words,
and that for its pictures; and whose consent it still needs.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from core.conduct import Conduct
from core.errors import BadPrompt
from core.job import PICTURE, Account, Asks, Job, State
from core.places import server
from core.ports import Clock, DecodedPicture, Files
from core.request import Picture, Request
from core.safety.gate import NOTHING, Gate, Words
from core.safety.level import Level
from core.safety.strikes import is_strike
from core.safety.verdict import PASSED, Clause, Finding, Ruling, Verdict
from core.sources import pictures_of

DECIDE_WITHIN = timedelta(hours=48)
WHOSE_PICTURE = "Name somebody only where there is a picture of them to begin with."


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says beside their words. names: of files, and of whatever else is shown.
    subject: whom the picture shows, and who is asked. attest: they may use the face in it."""

    names: tuple[str, ...] = ()
    subject: Account | None = None
    attest: bool = False


NOTHING_SAID = Said()


@dataclass(frozen=True, slots=True)
class Looked:
    """What the gates say of an ask at a level. cleared: a moderator said so of the same before.
    asks, subject: as in `Job`. words: that were read."""

    level: Level = Level.STANDARD
    verdict: Verdict = PASSED
    cleared: bool = False
    asks: Asks | None = None
    subject: int | None = None
    words: Words = NOTHING

    @property
    def refused(self) -> bool:
        return self.verdict.ruling is Ruling.REFUSE

    @property
    def lost(self) -> bool:
        """Whether nobody will ever look at it, so that its pictures need not, either."""
        clause = self.verdict.clause
        return self.refused and clause is not None and not clause.appealable

    @property
    def unkept(self) -> bool:
        """Whether its pictures are not stored: one of them is refused, or all is for good."""
        refused = (one.where == PICTURE and one.ruling is Ruling.REFUSE for one in self.findings)
        return self.lost or any(refused)

    @property
    def free(self) -> bool:
        """Whether nothing keeps it from being rendered but its price."""
        return not self.verdict.ruling and self.asks is None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is against it."""
        return tuple(one for one in self.verdict.findings if one.ruling)

    def on(self, job: Job, decide_by: datetime) -> Job:
        """A job that was to be queued, as it is written down."""
        job = replace(
            job,
            level=self.level,
            findings=self.findings,
            cleared=self.cleared,
            asks=self.asks,
            subject=self.subject,
        )
        clause = self.verdict.clause
        if self.refused:
            asks = Asks.SENDER if self.asks else None  # whom it shows was never asked
            return replace(
                job, state=State.REFUSED, clause=clause, credits=0, ended_at=job.created_at,
                asks=asks, subject=None,
            )  # fmt: skip
        if self.asks is Asks.SUBJECT or clause is not None:
            clause = Clause.CONSENT if self.asks is Asks.SUBJECT else clause
            return replace(
                job, state=State.HELD, clause=clause, credits=0, held_at=job.created_at,
                decide_by=decide_by,
            )  # fmt: skip
        if self.asks is Asks.SENDER:
            return replace(job, state=State.QUOTED, clause=Clause.CONSENT, credits=0)
        return job


class Attested(Protocol):
    """What was said before: by somebody, that they may use pictures, known by their SHA-256; by a
    moderator, that a clip may be made."""

    async def attest(self, account_id: int, pictures: Collection[str], now: datetime) -> None: ...

    async def attested(self, account_id: int, pictures: Collection[str]) -> bool: ...

    async def cleared(
        self,
        account_id: int,
        server: str,
        level: Level,
        words: tuple[str, str],
        pictures: Collection[str],
    ) -> bool:
        """Whether a moderator let the same pass, for the same person, on that server. words: the
        prompt, and what to avoid; pictures: by their ids."""
        ...


LevelAt = Callable[[str], Awaitable[Level]]
"""How strict a place is."""


class Inspection:
    """level: where somebody asks. within: the time that others have to decide."""

    def __init__(
        self,
        gate: Gate,
        level: LevelAt,
        conduct: Conduct,
        attested: Attested,
        files: Files,
        clock: Clock,
        within: timedelta = DECIDE_WITHIN,
    ) -> None:
        self._gate = gate
        self._level = level
        self._conduct = conduct
        self._attested = attested
        self._files = files
        self._clock = clock
        self._within = within

    async def check(self, account: Account) -> None:
        """Raises Refused in a cool-down."""
        await self._conduct.check(account.id)

    async def words(
        self,
        account: Account,
        place: str,
        request: Request,
        pictures: Sequence[object],
        said: Said,
    ) -> Looked:
        """Before the pictures are decoded. pictures: as they are known by then. Raises BadPrompt
        where somebody is named whom nothing shows."""
        if said.subject is not None and not pictures:
            raise BadPrompt(WHOSE_PICTURE)
        level = await self._level(place)
        if await self._is_cleared(account, place, request, pictures, level):
            return Looked(level, cleared=True)
        words = Words(request.prompt, request.negative_prompt, said.names)
        return Looked(level, await self._gate.words(words, level), words=words)

    async def pictures(
        self,
        looked: Looked,
        account: Account,
        pictures: Sequence[DecodedPicture | Picture],
        said: Said,
        parent: Job | None,
    ) -> Looked:
        """Those of what its words don't refuse for good. One that is stored is looked at, too."""
        if not pictures or looked.lost:
            return looked
        seen = [await self._bytes(one) for one in pictures]
        faces = 0
        if not looked.cleared:
            for data in seen:
                sight = await self._gate.picture(data, looked.level, looked.words)
                looked = replace(looked, verdict=looked.verdict + sight.verdict)
                faces = max(faces, sight.seen.faces if sight.seen else 0)
                if looked.lost:
                    return looked
        hashes = await asyncio.to_thread(_hashes, seen)
        before = parent if parent and _are_theirs(account, pictures, parent) else None
        themself = said.subject is not None and said.subject.id == account.id
        if before and before.asks is Asks.SUBJECT and (themself or said.subject is None):
            return replace(looked, asks=before.asks, subject=before.subject)
        if said.attest or themself:
            await self._attested.attest(account.id, hashes, self._clock())
            return looked
        if said.subject is not None:
            return replace(looked, asks=Asks.SUBJECT, subject=said.subject.id)
        if before is not None and (before.asks or before.state is not State.REFUSED):
            return replace(looked, asks=before.asks, subject=before.subject)
        if faces and not await self._attested.attested(account.id, hashes):
            return replace(looked, asks=Asks.SENDER)
        return looked

    async def again(
        self, account: Account, place: str, request: Request, parent: Job | None
    ) -> Looked:
        """What goes on from, or repeats, what was asked for before."""
        pictures = [one for one in pictures_of(request) if one is not None]
        looked = await self.words(account, place, request, pictures, NOTHING_SAID)
        return await self.pictures(looked, account, pictures, NOTHING_SAID, parent)

    async def attest(self, job: Job) -> None:
        """Its author may use its pictures."""
        pictures = [one for one in pictures_of(job.request) if one is not None]
        hashes = await asyncio.to_thread(_hashes, [await self._bytes(one) for one in pictures])
        await self._attested.attest(job.account_id, hashes, self._clock())

    async def on(self, looked: Looked, job: Job) -> Job:
        """As it is written down. Raises TooMany where too much waits for others to decide."""
        job = looked.on(job, job.created_at + self._within)
        if job.state is State.REFUSED and job.clause is not None and is_strike(job.clause):
            return replace(job, warning=await self._conduct.warning(job.account_id, job.clause))
        if job.state is State.HELD:
            await self._conduct.check_waiting(job.account_id)
        return job

    async def _is_cleared(
        self,
        account: Account,
        place: str,
        request: Request,
        pictures: Sequence[object],
        level: Level,
    ) -> bool:
        """Pictures that were sent as bytes are new ones, whatever they show."""
        ids = [one.id for one in pictures if isinstance(one, Picture)]
        if len(ids) < len(pictures):
            return False
        words = request.prompt, request.negative_prompt
        return await self._attested.cleared(account.id, server(place), level, words, ids)

    async def _bytes(self, picture: DecodedPicture | Picture) -> bytes:
        """Nothing of one that is gone, which is found out elsewhere, and refused here."""
        if isinstance(picture, DecodedPicture):
            return picture.data
        path = await self._files.picture(picture.id)
        return b"" if path is None else await asyncio.to_thread(path.read_bytes)


def _are_theirs(account: Account, pictures: Sequence[object], parent: Job) -> bool:
    """Whether all of them were in what they asked for before."""
    ids = {one.id if isinstance(one, Picture) else None for one in pictures}
    return parent.account_id == account.id and ids <= set(parent.request.pictures)


def _hashes(pictures: Sequence[bytes]) -> Sequence[str]:
    return [hashlib.sha256(one).hexdigest() for one in pictures]
