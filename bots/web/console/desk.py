"""What every page of the console stands on: its ports, who asks, and what for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from aiohttp import web

from bots.web.problems import Problem
from bots.web.site import PLACE, visitor
from core.job import Job
from core.leaders import Authority, Leadership, Led, SignedIn
from core.moderation import EVERYWHERE, Actor, Rank
from core.moderators import Moderators
from core.purchases import Purchases
from core.records import Records
from core.reviews import Reviews
from core.safety.blocklist import BlockedHashes
from core.safety.gate import Seen
from core.usage import Usage
from core.vouchers import VoucherBook

EVERYTHING = "all"
"""In an address, in place of a server."""

AT = f"/console/{{at:{EVERYTHING}|[a-z]{{2,12}}:-?[0-9]{{1,20}}}}"
SERVERS_MOST = 100


@dataclass(frozen=True, slots=True)
class Setting:
    """How a setting stands, in words; a secret only as set, or not."""

    name: str
    value: str


TELEGRAM_LOGIN = "/console/telegram"


class ByDiscord(Protocol):
    """Signing in by OAuth2: an authorization code, with a challenge (PKCE, S256).

    https://docs.discord.com/developers/topics/oauth2
    """

    def address(self, back: str, state: str, challenge: str) -> str:
        """Where somebody is asked whether they agree. Raises Transient where nobody knows now."""
        ...

    async def signed_in(self, code: str, back: str, verifier: str) -> SignedIn:
        """Raises Refused for a code that opens nothing, or Transient."""
        ...


ByTelegram = Callable[[Mapping[str, str], datetime], SignedIn]
"""What Telegram sends along, looked through, now. Raises Refused."""


@dataclass(frozen=True, slots=True)
class Console:
    """Everything that a handler may use beside the site's. address: where people reach the page.
    seen: what a picture or a clip shows, whatever it is called. Raises UserError. label: when
    one is drawn, as in the settings."""

    moderators: Moderators
    reviews: Reviews
    leadership: Leadership
    records: Records
    unfinished: Callable[[], Awaitable[Sequence[Job]]]
    vouchers: VoucherBook
    purchases: Purchases
    usage: Usage
    blocked: BlockedHashes
    seen: Callable[[Path], Awaitable[Seen]]
    settings: Sequence[Setting] = ()
    address: str = ""
    label: str = "off"
    by_discord: ByDiscord | None = None
    by_telegram: ByTelegram | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """Who asks, and what for. server: EVERYWHERE for all. servers: what they may choose from.
    token: what their forms carry."""

    authority: Authority
    actor: Actor
    server: str
    servers: Sequence[Led]
    token: str

    @property
    def at(self) -> str:
        return self.server or EVERYTHING

    @property
    def root(self) -> str:
        """Where the addresses of this scope begin."""
        return f"/console/{self.at}"

    @property
    def operator(self) -> bool:
        return self.actor.rank >= Rank.OPERATOR

    @property
    def title(self) -> str:
        """What people call the server."""
        return self.called(self.server) if self.server else "All servers"

    def called(self, server: str) -> str:
        known = {one.server: one.title for one in self.servers}
        return known.get(server) or {PLACE: "the page"}.get(server, server) or "everywhere"


CONSOLE = web.AppKey("console", Console)


def console(request: web.Request) -> Console:
    return request.app[CONSOLE]


async def seated(request: web.Request, *, acting: bool = False) -> Seat:
    """acting: ask the platform anew whether they lead.

    Raises Problem, Refused where it is not theirs, or Transient where the platform can't tell.
    """
    here, who = console(request), visitor(request)
    said = request.match_info["at"]
    server = EVERYWHERE if said == EVERYTHING else said
    authority = await here.leadership.authority(who.account, server if acting else None)
    servers = await _servers(here, authority, server)
    if authority.rank < Rank.MODERATOR:
        raise nobody()
    return Seat(authority, authority.actor(server), server, servers, who.token or "")


def nobody() -> Problem:
    return Problem(
        403,
        "The console is for those who lead a server or a group, or run this Kinora. "
        "Type `/console` there to be let in.",
        "rank",
    )


async def _servers(here: Console, authority: Authority, server: str) -> Sequence[Led]:
    if authority.rank < Rank.OPERATOR:
        return authority.led
    known = [Led(one.server, one.title) for one in await here.records.servers(SERVERS_MOST)]
    if server and server not in (one.server for one in known):
        known.append(Led(server, ""))
    return known
