"""What every handler stands on: the site's settings, its ports, and who is asking."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from bots.privacy import Notice
from bots.web.limits import Failures, Uploads
from bots.web.metrics import Metrics
from core.bulletin import Bulletin
from core.credentials import Credentials
from core.errors import TooMany
from core.job import Account
from core.links import Links
from core.ports import Clock
from core.privacy import Privacy
from core.provenance import Verify
from core.reviews import Reviews
from core.studio import Studio
from core.vouchers import Vouchers

PLACE = "web:page"
"""Where the cards of this site live."""

KEPT = "private, no-cache"
"""Cache-Control of a clip's files: the browser's to keep, but to be asked for each time."""

STREAMS_PER_ACCOUNT = 24

Pictures = Callable[[str], Awaitable[Path | None]]
"""Where a picture lies, by its id; None when it is gone."""

Ready = Callable[[], Awaitable[Mapping[str, bool]]]
"""What the program needs to do its work, by name, and whether it has it."""

Bots = Callable[[], Mapping[str, bool]]
"""The bots that run, by platform, and whether people reach each there now."""


@dataclass(frozen=True, slots=True)
class Web:
    """What an operator decides about the site.

    hosts: the names, besides those of the loopback, under which it is reached.
    admin_key: an API key of the owner, valid from the start. secure: browsers come by https.
    max_upload_bytes: the largest picture. kept: how long clips stay, in words ("7 days").
    """

    hosts: tuple[str, ...] = ()
    admin_key: str | None = field(default=None, repr=False)
    secure: bool = False
    max_upload_bytes: int = 20_000_000
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is asking. token: what a changing request from their browser session must carry."""

    account: Account
    token: str | None = None


class Streams:
    """The open event streams: so many for each account, and all closed at once in the end."""

    def __init__(self) -> None:
        self._open: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[object]] = set()

    @contextmanager
    def opened(self, account_id: int) -> Iterator[None]:
        """Raises TooMany."""
        if self._open[account_id] >= STREAMS_PER_ACCOUNT:
            raise TooMany(f"You have {STREAMS_PER_ACCOUNT} streams open, which is the most.")
        task = asyncio.current_task()
        assert task is not None
        self._open[account_id] += 1
        self._tasks.add(task)
        try:
            yield
        finally:
            self._open[account_id] -= 1
            self._tasks.discard(task)

    def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that a handler may use."""

    studio: Studio
    credentials: Credentials
    links: Links
    vouchers: Vouchers
    privacy: Privacy
    reviews: Reviews
    notice: Notice
    bulletin: Bulletin
    pictures: Pictures
    web: Web
    ready: Ready
    bots: Bots
    clock: Clock
    metrics: Metrics
    failures: Failures
    streams: Streams
    uploads: Uploads
    spooled: Uploads
    """Of files that lie on disk while somebody looks into them; pictures don't wait for those."""
    hooks: frozenset[str] = frozenset()
    """Paths where other programs bring us news; they prove who they are by themselves."""
    verify: Verify | None = None
    """None where nothing can be."""


SITE = web.AppKey("site", Site)
VISITOR = web.RequestKey("visitor", Visitor)


def site(request: web.Request) -> Site:
    return request.app[SITE]


def visitor(request: web.Request) -> Visitor:
    """Who is asking; only for routes that demand it."""
    return request[VISITOR]


def form_token(session: str) -> str:
    """The token that belongs to a session's secret: telling it does not tell the secret."""
    return hmac.new(session.encode(), b"kinora form token", hashlib.sha256).hexdigest()
