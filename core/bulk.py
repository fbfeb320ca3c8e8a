"""The same act for many, one after another: for all who have a role.

The log says who is meant before anything is done, and then each has a row of their own, whose key
follows from both. So what a restart cuts off is gone on with, and nobody has it twice. Knows no
platform: who has a role is for its room to say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.audit import Row
from core.errors import BadPrompt, NotFound, Transient, UserError, WrongState
from core.moderation import (
    CREDITS_MAX,
    EVERYWHERE,
    Actor,
    Grant,
    OnPerson,
    Rank,
    RoleDone,
    ToRole,
    one_of,
    to_role,
    to_role_of,
)
from core.moderators import Moderators
from core.ports import Moderation
from core.sentences import people

log = logging.getLogger("kinora.bulk")

BULK_MOST = 10_000
AGAIN_SECONDS = 5.0
"""Before one is tried again where the database did not answer."""

REMEMBERED = 100
"""How many that ended are still told of."""


@dataclass(frozen=True, slots=True)
class Progress:
    """done: for how many; left_out: for how many it could not be, with why for the last of them."""

    of: int
    done: int = 0
    left_out: int = 0
    why: str = ""
    ended: bool = False
    stopped: bool = False

    @property
    def words(self) -> str:
        reached = self.done + self.left_out
        why = f" {self.left_out} left out; the last because: {self.why}" if self.left_out else ""
        if self.stopped:
            rest = people(self.of - reached)
            return f"Stopped. Done for {self.done} of {self.of}; {rest} as before.{why}"
        if self.ended:
            return f"Done for {self.done} of {self.of}.{why}"
        return f"{reached} of {self.of} so far.{why}"


class _Work:
    """What is to be done, and how far it is."""

    def __init__(self, actor: Actor, act: ToRole, key: str) -> None:
        self.actor = actor
        self.act = act
        self.key = key
        self.progress = Progress(len(act.account_ids))
        self.stopping = False
        self.ended = asyncio.Event()


class Bulk:
    """One at a time, in the order in which they were begun."""

    def __init__(self, moderators: Moderators, moderation: Moderation) -> None:
        self._moderators = moderators
        self._moderation = moderation
        self._works: dict[str, _Work] = {}
        self._waiting: asyncio.Queue[_Work] = asyncio.Queue()

    async def dry(
        self, actor: Actor, role: str, name: str, each: OnPerson, account_ids: Sequence[int]
    ) -> tuple[ToRole, str]:
        """What it would be, and the words for it. each: for whichever account. Raises UserError."""
        if not account_ids:
            raise NotFound(
                f"Nobody who has the role {name} asked Kinora for anything yet, so there is nobody "
                "to do it to."
            )
        if len(account_ids) > BULK_MOST:
            raise BadPrompt(f"At most {people(BULK_MOST)} at once; {name} has more.")
        act = to_role(role, name, each, account_ids)
        said = (await self._moderators.do(actor, act, "", dry=True)).words
        if isinstance(each, Grant):
            said += await self._sum(each, act)
        return act, said

    async def begin(self, actor: Actor, act: ToRole, key: str) -> None:
        """Do it, in the background. A repeat of the key does nothing more. Raises UserError."""
        if key not in self._works:
            await self._moderators.do(actor, act, key)
            self._add(_Work(actor, act, key))

    def progress(self, key: str) -> Progress:
        """Raises WrongState for one that is not known any more."""
        return self._known(key).progress

    async def changed(self, key: str, seconds: float) -> Progress:
        """Once it ended, or that much later."""
        work = self._known(key)
        try:
            async with asyncio.timeout(seconds):
                await work.ended.wait()
        except TimeoutError:
            pass
        return work.progress

    def stop(self, key: str, actor: Actor) -> None:
        """Leave the others as they are. Raises WrongState where it has ended, or was begun
        elsewhere."""
        work = self._known(key)
        if work.ended.is_set() or actor.server not in (EVERYWHERE, work.act.server):
            raise WrongState("That has ended already.")
        work.stopping = True

    async def run(self) -> None:
        """Work until cancelled, beginning with what a program before this one left."""
        for row in await self._moderation.begun():
            if row.key in self._works:
                continue
            log.info("going on with what was begun for a role, row %d of the log", row.number)
            self._add(_left(row))
        while True:
            work = await self._waiting.get()
            try:
                await self._do(work)
            except Exception:
                log.exception("what was begun for a role broke; the next start goes on with it")
            finally:
                work.ended.set()

    async def _do(self, work: _Work) -> None:
        for account_id in work.act.account_ids:
            if work.stopping:
                break
            await self._do_one(work, account_id)
        progress = replace(work.progress, stopped=work.stopping, ended=True)
        end = RoleDone(
            server=work.act.server, role=work.act.role, done=progress.done,
            left_out=progress.left_out, stopped=progress.stopped,
        )  # fmt: skip
        while True:
            try:
                await self._moderators.do(work.actor, end, f"{work.key}/end")
                break
            except Transient:
                await asyncio.sleep(AGAIN_SECONDS)
        work.progress = progress

    async def _do_one(self, work: _Work, account_id: int) -> None:
        act, key = one_of(work.act, account_id), f"{work.key}/{account_id}"
        while True:
            try:
                await self._moderators.do(work.actor, act, key)
            except UserError as error:
                left_out = work.progress.left_out + 1
                work.progress = replace(work.progress, left_out=left_out, why=error.sentence)
            except Transient:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            else:
                work.progress = replace(work.progress, done=work.progress.done + 1)
            return

    async def _sum(self, each: Grant, act: ToRole) -> str:
        """Of credits, and whether the treasury has as many."""
        whole = each.credits * len(act.account_ids)
        if whole > CREDITS_MAX:
            raise BadPrompt(f"That is {whole} credits in sum; at most {CREDITS_MAX}, please.")
        if each.server == EVERYWHERE:
            return f" That is {whole} in sum."
        first = replace(each, account_id=act.account_ids[0], credits=whole)
        outcome = await self._moderation.perform(first, _NOBODY, "", dry=True)
        return f" That is {whole} in sum; the treasury then has {outcome.left} left."

    def _add(self, work: _Work) -> None:
        ended = [key for key, known in self._works.items() if known.ended.is_set()]
        for key in ended[: max(0, len(self._works) - REMEMBERED)]:
            del self._works[key]
        self._works[work.key] = work
        self._waiting.put_nowait(work)

    def _known(self, key: str) -> _Work:
        if key not in self._works:
            raise WrongState("That has ended already.")
        return self._works[key]


_NOBODY = Actor("", Rank.MEMBER)
"""A sum that is only tried out is nobody's act."""


def _left(row: Row) -> _Work:
    """What somebody began, as the log has it."""
    rank = Rank[row.rank.upper()]
    server = row.server if rank is Rank.MODERATOR else EVERYWHERE
    return _Work(Actor(row.who, rank, server), to_role_of(row.server, row.details), row.key)
