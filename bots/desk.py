"""What every room of a chat platform stands on: the ports, and the operator's settings for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from bots.privacy import Notice
from core.bulk import Bulk
from core.bulletin import Bulletin
from core.gifts import Gifts
from core.job import Account, Clip
from core.leaders import Leaders
from core.links import Links
from core.lobby import Lobby
from core.moderators import Moderators
from core.ports import Clock, Shrink
from core.privacy import Privacy
from core.provenance import Verify
from core.purchases import Purchases
from core.reviews import Reviews
from core.roles import Roles
from core.studio import Studio
from core.vouchers import Vouchers

Pictures = Callable[[str], Awaitable[Path | None]]
"""Where a picture lies, by its id; None when it is gone."""

PageLink = Callable[[Account], Awaitable[str]]
"""A link that signs somebody in to the page, once. For their eyes only."""

Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class Entrance:
    """To the console. leaders: where it is written down who showed that they lead a server. link:
    signs somebody in, once, for a few minutes. login_url: where Telegram's own button leads; None
    where browsers don't come by https."""

    leaders: Leaders
    link: PageLink
    login_url: str | None = None


@dataclass(frozen=True, slots=True)
class Desk(Generic[Settings]):
    """Everything that a handler may use. page_link, entrance: None where people can't
    reach the page. verify: None where nothing can be."""

    studio: Studio
    lobby: Lobby
    moderators: Moderators
    purchases: Purchases
    vouchers: Vouchers
    gifts: Gifts
    links: Links
    bulk: Bulk
    roles: Roles
    privacy: Privacy
    reviews: Reviews
    notice: Notice
    bulletin: Bulletin
    pictures: Pictures
    shrink: Shrink
    clock: Clock
    settings: Settings
    page_link: PageLink | None = None
    entrance: Entrance | None = None
    verify: Verify | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """A clip's file within a limit, or its still where none is. said: what is to be said of it."""

    path: Path
    is_clip: bool
    said: str


@asynccontextmanager
async def fitted(desk: Desk[Settings], clip: Clip, limit: int) -> AsyncIterator[Fitted]:
    """The clip with at most `limit` bytes, encoded again where it has more; gone with the block."""
    elsewhere = " The whole one is on the page." if desk.page_link else ""
    if clip.size <= limit:
        yield Fitted(clip.video, True, "")
        return
    smaller = await desk.shrink(clip.video, limit)
    if smaller is None:
        said = f"The clip has {_mb(clip.size)}, and only {_mb(limit)} may be sent here."
        yield Fitted(clip.poster, False, said + elsewhere)
        return
    try:
        said = f"Encoded again to fit: {_mb(clip.size)} became {_mb(smaller.stat().st_size)}."
        yield Fitted(smaller, True, said + elsewhere)
    finally:
        await asyncio.to_thread(smaller.unlink, missing_ok=True)


def _mb(size: int) -> str:
    return f"{size / 1e6:.3g} MB"
