"""What every part of the Discord room stands on: the operator's settings and the ports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.bulletin import Bulletin
from core.job import Account
from core.lobby import Lobby
from core.ports import Clock, Shrink
from core.studio import Studio

PLATFORM = "discord"
DIRECT = "@"
"""In place of a server's id: direct messages."""

BASE_UPLOAD_BYTES = 10 * 1024 * 1024
"""What any chat takes, where nothing better is known."""

Pictures = Callable[[str], Awaitable[Path | None]]
"""Where a picture lies, by its id; None when it is gone."""

PageLink = Callable[[Account], Awaitable[str]]
"""A link that signs somebody in to the page, once. For their eyes only."""


@dataclass(frozen=True, slots=True)
class Discord:
    """What an operator decides. token: the bot's. URLs are without a slash at the end."""

    token: str = field(repr=False)
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str = "wss://gateway.discord.gg"
    cdn_url: str = "https://cdn.discordapp.com"


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a handler may use. page_link: None where people can't reach the page."""

    studio: Studio
    lobby: Lobby
    bulletin: Bulletin
    pictures: Pictures
    shrink: Shrink
    clock: Clock
    settings: Discord
    page_link: PageLink | None = None
