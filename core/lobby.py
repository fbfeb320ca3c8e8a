"""What goes on around cards in chats that many people share: who may see and steer which, where a
card lives and moves, the rules of a server, reports.

Knows no platform. Whoever asks for a job here was shown it there: on a card, in a chat.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import NotFound, Refused, WrongState
from core.job import NO_CLIP, Account, Job
from core.places import NO_RULES, Post, Rules, server
from core.ports import Accounts, Clock, Jobs, Outbox, Places
from core.safety.level import Level, level_at
from core.studio import Studio, View

AMONG_ADULTS = "That clip was made in a channel for adults: ask for it in our own chat."
NOT_HERE = "That clip was made where more is allowed than here: ask for it here anew."

log = logging.getLogger("kinora.lobby")


@dataclass(frozen=True, slots=True)
class Shown:
    """A job that somebody was shown, and whose it is."""

    view: View
    owner: Account


class Lobby:
    def __init__(
        self,
        accounts: Accounts,
        jobs: Jobs,
        outbox: Outbox,
        places: Places,
        clock: Clock,
        level: Level = Level.STANDARD,
        adult: bool = False,
    ) -> None:
        """level: of the gates, where a server's rules don't say. adult: whether it may be, where
        those rules and the channel say so."""
        self._accounts = accounts
        self._jobs = jobs
        self._outbox = outbox
        self._places = places
        self._clock = clock
        self._rules: dict[str, Rules] = {}
        self._usual = level
        self._adult = adult

    # Rules

    async def load(self) -> None:
        """Learn the rules of every server: they are asked for before there is time to look."""
        self._rules = dict(await self._places.all_rules())

    def rules(self, server: str) -> Rules:
        return self._rules.get(server, NO_RULES)

    async def level(self, place: str) -> Level:
        """How strict the gates are there."""
        post = await self._places.post(place)
        return self._level(place, restricted=post is not None and post.adult)

    def check_shown(self, job: Job, post: Post) -> None:
        """Before others may see at a post what was made elsewhere. Raises Refused where the gates
        are stricter there, and for what another server's moderator let pass."""
        here = self._level(post.place, restricted=post.adult)
        cleared_elsewhere = job.cleared and server(job.place) != server(post.place)
        if cleared_elsewhere or not job.level.within(here):
            raise Refused(AMONG_ADULTS if job.level is Level.ADULT else NOT_HERE)

    async def set_rules(self, server: str, rules: Rules) -> None:
        await self._places.set_rules(server, rules)
        self._rules[server] = rules

    async def follow(self, old: str, new: str) -> None:
        """A server became another; as in `core.ports.Places`."""
        await self._places.follow(old, new)
        self._rules = dict(await self._places.all_rules())

    def _level(self, place: str, *, restricted: bool) -> Level:
        wanted = self.rules(server(place)).level or self._usual
        return level_at(wanted, restricted=restricted, adult_allowed=self._adult)

    # Cards

    async def at(self, studio: Studio, place: str) -> Sequence[View]:
        """What the message at a place shows."""
        return [studio.viewed(job) for job in await self._jobs.at(place)]

    async def shown(self, studio: Studio, job_id: str) -> Shown:
        """Raises NotFound."""
        job = await self._jobs.job(job_id)
        if job is None or job.deleted:
            raise NotFound(NO_CLIP)
        owner = await self._accounts.account_by_id(job.account_id)
        assert owner is not None, "accounts are never removed"
        return Shown(studio.viewed(job), owner)

    async def post(self, place: str) -> Post | None:
        return await self._places.post(place)

    async def keep(self, post: Post, instead_of: str | None = None) -> None:
        """Write a post down; it takes the place of one that was at `instead_of`."""
        await self._places.keep(post, instead_of)

    async def drop(self, post: Post) -> None:
        await self._places.drop(post.place)

    async def unanswered(self) -> Sequence[Post]:
        """Posts that can still be answered, and that came to nothing. Of those that are known at
        the start, whoever asked waits for an answer that nobody is about to give."""
        return await self._places.unanswered(self._clock())

    async def move(self, job: Job, post: Post) -> Job:
        """From now on the card of the job is at another post."""
        await self._places.move(job.id, post)
        return replace(job, place=post.place)

    async def copied(self, job_id: str, place: str) -> None:
        """A clip or its picture was posted once more, in a message that goes when the clip does."""
        await self._places.copied(job_id, place)

    async def copies(self, job_id: str) -> Sequence[str]:
        return await self._places.copies(job_id)

    async def gone(self, place: str) -> None:
        """As in `core.ports.Places`."""
        await self._places.gone(place)

    async def unfinished(self) -> Sequence[Job]:
        """Every job that runs or waits in the queue."""
        return await self._jobs.unfinished()

    async def offered(self) -> Sequence[Job]:
        """Those that wait for somebody's word."""
        return [*await self._jobs.quoted(), *await self._jobs.held()]

    async def kept(self, account: Account) -> Sequence[Job]:
        """Ended jobs that could not be brought to them; each is told once."""
        told = await self._outbox.tell_kept(account.id)
        jobs = [await self._jobs.job(job_id) for job_id in told]
        return [job for job in jobs if job is not None]

    # People

    async def set_ping(self, account: Account, ping: bool) -> None:
        await self._accounts.set_ping(account.id, ping)

    async def report(self, account: Account, job: Job) -> bool:
        """Note for the operator that somebody finds a clip wrong. False: they had done so.

        Raises WrongState for a job without a clip.
        """
        if job.clip is None:
            raise WrongState("There is no clip to report any more.")
        new = await self._places.report(job.id, account.id, job.place, self._clock())
        if new:
            log.warning("job %s was reported by account %d", job.id, account.id)
        return new

    async def sweep(self) -> None:
        """Forget tokens past their time, and what came to nothing. Safe to repeat."""
        await self._places.sweep(self._clock())
