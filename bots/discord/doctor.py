"""What `kinora doctor` finds at Discord: asked over REST alone, changing nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
import discord

from bots.discord.client import point_to
from bots.discord.desk import Discord
from bots.discord.permissions import INVITED, lacking
from bots.discord.remedies import (
    ENDPOINT,
    INSTALLATION,
    NO_TOKEN,
    PORTAL,
    ROLE,
    invitation,
)
from bots.doctor import Finding

ASKED_SECONDS = 20.0
GUILDS = 200
NAMED = 5
SCOPES = frozenset({"bot", "applications.commands"})


async def examine(settings: Discord | None) -> Sequence[Finding]:
    """Whether the token works, how the bot is installed, and what it may not do where."""
    if settings is None:
        return [
            Finding(
                "note",
                "Discord",
                "no token, so no bot",
                f"{PORTAL}: New Application, then Bot, then Reset Token; set KINORA_DISCORD__TOKEN",
            )
        ]
    point_to(settings)
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with asyncio.timeout(ASKED_SECONDS), client:
            await client.login(settings.token)
            return await _seen(client)
    except discord.LoginFailure:
        return [Finding("bad", "Discord", "the token is refused", NO_TOKEN)]
    except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
        why = type(error).__name__
        return [
            Finding(
                "bad",
                "Discord",
                f"{settings.api_url} does not answer as it should ({why})",
                "look at https://discordstatus.com, and at KINORA_DISCORD__API_URL if it is set",
            )
        ]


async def _seen(client: discord.Client) -> Sequence[Finding]:
    about = await client.application_info()
    invite = invitation(about.id, INVITED.value)
    guilds: list[dict[str, Any]] = list(await client.http.get_guilds(GUILDS, with_counts=False))  # type: ignore[arg-type]
    found = [Finding("ok", "Discord", f"{client.user}, on {len(guilds)} servers")]
    if not guilds:
        found = [Finding("note", "Discord", f"{client.user}, on no server yet", f"open {invite}")]
    if about.interactions_endpoint_url:
        found.append(Finding("bad", "Discord commands", "they go to another address", ENDPOINT))
    config = about.guild_integration_config
    params = config.oauth2_install_params if config else None
    if params is not None and (unasked := SCOPES - set(params.scopes)):
        found.append(
            Finding(
                "bad",
                "Discord scopes",
                f"its link lacks {' and '.join(sorted(unasked))}",
                INSTALLATION.format(invite=invite),
            )
        )
    lacks = {guild["name"]: lacking(discord.Permissions(int(guild["permissions"])))
             for guild in guilds}  # fmt: skip
    if short := [f"{name} ({', '.join(some)})" for name, some in lacks.items() if some]:
        names = ", ".join(short[:NAMED])
        found.append(
            Finding(
                "bad",
                "Discord permissions",
                f"not allowed: {names}",
                ROLE.format(invite=invite),
            )
        )
    return found
