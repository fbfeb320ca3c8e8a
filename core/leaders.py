"""Who leads which server: what is known of it, and what the platform says now.

That somebody led a server once is written down when they show it: by a command there, or by
signing in. It only says what to ask: each look and each act goes by what the platform answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.errors import Refused
from core.job import Account, Identity
from core.moderation import EVERYWHERE, Actor, Rank
from core.moderators import Moderators
from core.places import platform

BELIEVED_SECONDS = 60.0
"""For how long an answer is good enough to look by; who acts is asked about anew."""

LED_MOST = 50
NOT_THERE = "You don't lead that server, or not any more. Nothing was changed."

RankOn = Callable[[str, Identity], Awaitable[Rank]]
"""What somebody is on a server, as its platform says now. Raises Transient where it can't tell."""


@dataclass(frozen=True, slots=True)
class Led:
    """title: what people call the server."""

    server: str
    title: str


@dataclass(frozen=True, slots=True)
class Authority:
    """What somebody may act as. identity: the name that they lead by. led: () for operators, who
    lead all."""

    account: Account
    identity: Identity
    rank: Rank
    led: tuple[Led, ...] = ()

    def actor(self, server: str) -> Actor:
        """As whom they act. Raises Refused."""
        name = f"{self.account.name} ({self.identity.platform}:{self.identity.subject})"
        if self.rank >= Rank.OPERATOR:
            return Actor(name, self.rank)
        if server not in (one.server for one in self.led):
            raise Refused(NOT_THERE)
        return Actor(name, Rank.MODERATOR, server)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who somebody is, as their platform says. led: what it says that they lead."""

    identity: Identity
    name: str
    led: Sequence[Led] = ()


class Leaders(Protocol):
    async def led(self, account_id: int) -> Sequence[Led]:
        """What somebody led when last heard; the newest first, at most `LED_MOST`."""
        ...

    async def leads(self, account_id: int, led: Led) -> None: ...

    async def leads_no_more(self, account_id: int, server: str) -> None: ...


class Leadership:
    def __init__(
        self,
        leaders: Leaders,
        moderators: Moderators,
        ranks: Mapping[str, RankOn],
    ) -> None:
        """ranks: who can be asked, by platform."""
        self._leaders = leaders
        self._moderators = moderators
        self._ranks = ranks
        self._believed: dict[tuple[str, Identity], tuple[float, Rank]] = {}

    async def told(self, account: Account, led: Sequence[Led]) -> None:
        """Their platform says that they lead these."""
        for one in led[:LED_MOST]:
            await self._leaders.leads(account.id, one)

    async def look(self, account: Account, servers: Sequence[Led]) -> None:
        """Ask of servers whether they lead them. Raises Transient."""
        known = await self._moderators.identities(account.id)
        asked = [self._leads(one, known, fresh=False) for one in servers[:LED_MOST]]
        found = await asyncio.gather(*asked)
        await self.told(account, [one for one, by in found if by is not None])

    async def may_lead(self, account: Account) -> bool:
        """Whether there is anything for them in a console. Asks no platform."""
        return await self.operates(account) or bool(await self._leaders.led(account.id))

    async def operates(self, account: Account) -> bool:
        """Whether they run this Kinora. Asks no platform."""
        known = await self._moderators.identities(account.id)
        return any(map(self._moderators.is_operator, known))

    async def authority(self, account: Account, acting_on: str | None = None) -> Authority:
        """What they may act as now. acting_on: a server for which no older answer will do.

        Raises Transient where a platform can't tell.
        """
        known = await self._moderators.identities(account.id)
        for identity in known:
            if self._moderators.is_operator(identity):
                return Authority(account, identity, Rank.OPERATOR)
        found = await asyncio.gather(
            *(self._leads(one, known, fresh=one.server == acting_on)
              for one in await self._leaders.led(account.id))
        )  # fmt: skip
        led = {one: identity for one, identity in found if identity is not None}
        for one, by in found:
            if by is None and platform(one.server) in self._ranks:
                await self._leaders.leads_no_more(account.id, one.server)
        if not led:
            return Authority(account, Identity("account", str(account.id)), Rank.MEMBER)
        acting = {one.server: identity for one, identity in led.items()}
        name = acting.get(acting_on or "", next(iter(led.values())))
        return Authority(account, name, Rank.MODERATOR, tuple(led))

    async def rank_of(self, account_id: int, server: str) -> Rank:
        """What somebody is on a server now. Raises Transient where its platform can't tell."""
        if server == EVERYWHERE:
            return Rank.MEMBER
        ranks = [
            await self._rank(server, identity, fresh=True)
            for identity in await self._moderators.identities(account_id)
            if identity.platform == platform(server)
        ]
        return max(ranks, default=Rank.MEMBER)

    async def _leads(
        self, led: Led, known: Sequence[Identity], *, fresh: bool
    ) -> tuple[Led, Identity | None]:
        """By which of their names somebody leads a server; None where they don't."""
        for identity in known:
            if await self._rank(led.server, identity, fresh=fresh) >= Rank.MODERATOR:
                return led, identity
        return led, None

    async def _rank(self, server: str, identity: Identity, *, fresh: bool) -> Rank:
        ask = self._ranks.get(identity.platform)
        if ask is None or identity.platform != platform(server):
            return Rank.MEMBER
        now = asyncio.get_running_loop().time()
        at, rank = self._believed.get((server, identity), (-BELIEVED_SECONDS, Rank.MEMBER))
        if not fresh and now - at < BELIEVED_SECONDS:
            return rank
        rank = await ask(server, identity)
        old = [key for key, (then, _) in self._believed.items() if now - then >= BELIEVED_SECONDS]
        for key in old:
            del self._believed[key]
        self._believed[server, identity] = (now, rank)
        return rank
