"""What the parts of the Discord room have in common: its settings, and how its places are named."""

from __future__ import annotations

from dataclasses import dataclass, field

from bots.desk import Desk

PLATFORM = "discord"
DIRECT = "@"
"""In place of a server's id: direct messages."""

NAME = "Discord's API"
API = "https://discord.com/api/v10"
GATEWAY = "wss://gateway.discord.gg"
"""Discord's own."""

BASE_UPLOAD_BYTES = 10 * 1024 * 1024
"""What any chat takes, where nothing better is known."""


@dataclass(frozen=True, slots=True)
class Discord:
    """What an operator decides. token: the bot's. URLs are without a slash at the end."""

    token: str = field(repr=False)
    api_url: str = API
    gateway_url: str = GATEWAY
    cdn_url: str = "https://cdn.discordapp.com"


DiscordDesk = Desk[Discord]
