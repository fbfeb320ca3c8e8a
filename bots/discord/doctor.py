"""What `kinora doctor` finds at Discord: asked over REST alone, changing nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import aiohttp
import discord

from bots.answers import reason, understood
from bots.discord.client import point_to
from bots.discord.desk import API, NAME, Discord
from bots.discord.permissions import INVITED, lacking
from bots.discord.remedies import (
    CODE_GRANT,
    ENDPOINT,
    INSTALLATION,
    MONETIZATION,
    NO_TOKEN,
    NO_USER_INSTALL,
    PORTAL,
    ROLE,
    TOKEN,
    invitation,
    servers,
    unreachable,
)
from bots.doctor import Finding
from core.errors import Transient
from core.wares import Wares

NO_WARES = Wares()
ASKED_SECONDS = 20.0
GUILDS = 200
NAMED = 5
SCOPES = frozenset({"bot", "applications.commands"})


async def examine(settings: Discord | None, wares: Wares = NO_WARES) -> Sequence[Finding]:
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
    if settings.api_url == API and (mistaken := not_a_token(settings.token)):
        return [Finding("bad", "Discord", f"the token can't be one: {mistaken}", TOKEN)]
    point_to(settings)
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with asyncio.timeout(ASKED_SECONDS), client:
            with understood(NAME, settings.api_url):
                await client.login(settings.token)
                return [*await _seen(client), *await _payments(client, wares)]
    except discord.LoginFailure:
        return [Finding("bad", "Discord", "the token is refused", NO_TOKEN)]
    except Transient as error:
        return [Finding("bad", "Discord", str(error), unreachable(settings, error))]
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        seen = f"{settings.api_url} can't be reached ({reason(error)})"
        return [Finding("bad", "Discord", seen, unreachable(settings, error))]


def not_a_token(token: str) -> str:
    """What a token of another form is instead; "" where it may be one.

    https://docs.discord.com/developers/reference#authentication
    """
    if token.isdigit():
        return "these are digits alone, as of the application's id"
    if re.fullmatch(r"[0-9a-f]{64}", token):
        return "it looks like the application's public key"
    if re.fullmatch(r"[\w-]{32}", token):
        return "it looks like the client secret"
    if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token):
        return "a bot's token has three parts, with dots between them"
    return ""


async def _seen(client: discord.Client) -> Iterable[Finding]:
    about = await client.application_info()
    invite = invitation(about.id, INVITED.value)
    guilds: list[dict[str, Any]] = list(await client.http.get_guilds(GUILDS, with_counts=False))  # type: ignore[arg-type]
    found = [
        Finding(
            "ok" if guilds else "note",
            "Discord",
            f"{client.user}, on {servers(len(guilds))}",
            f"to {'another' if guilds else 'a'} server it comes by {invite}",
        )
    ]
    return [*found, *_set_up(about, invite), *_allowed(guilds, invite)]


async def _payments(client: discord.Client, wares: Wares) -> Iterable[Finding]:
    """Whether Discord has what is to be sold there."""
    offered = wares.for_skus()
    if not offered:
        return []
    known = {str(sku.id): sku for sku in await client.fetch_skus()}
    wrong = [
        Finding("bad", "Discord payments", f"{ware.name}: SKU {ware.sku} {why}", MONETIZATION)
        for ware in offered
        if (why := _unsold(known.get(ware.sku or "")))
    ]
    sold = ", ".join(ware.name for ware in offered)
    return wrong or [Finding("ok", "Discord payments", f"/buy offers {sold}")]


def _unsold(sku: discord.SKU | None) -> str:
    """Why nobody can buy it; "" where they can."""
    if sku is None:
        return "is none of this app"
    if sku.flags.guild_subscription:
        return "is a subscription of whole servers"
    return "" if sku.flags.available else "is not published"


def _set_up(about: discord.AppInfo, invite: str) -> Iterator[Finding]:
    """What is set in the developer portal."""
    if about.bot_require_code_grant:
        yield Finding("bad", "Discord link", "it asks for a code grant", CODE_GRANT)
    if about.interactions_endpoint_url:
        yield Finding("bad", "Discord commands", "they go to another address", ENDPOINT)
    installation = INSTALLATION.format(invite=invite)
    here, elsewhere = about.guild_integration_config, about.user_integration_config
    if elsewhere and not here:
        yield Finding("bad", "Discord install", "no server can add it", installation)
    if not elsewhere:
        yield Finding("note", "Discord install", "for servers alone", NO_USER_INSTALL)
    params = here.oauth2_install_params if here else None
    if params is not None and (unasked := SCOPES - set(params.scopes)):
        lacks = f"its link lacks {' and '.join(sorted(unasked))}"
        yield Finding("bad", "Discord scopes", lacks, installation)


def _allowed(guilds: Sequence[dict[str, Any]], invite: str) -> Iterator[Finding]:
    """What the bot may not do on which server."""
    lacks = {guild["name"]: lacking(discord.Permissions(int(guild["permissions"])))
             for guild in guilds}  # fmt: skip
    if short := [f"{name} ({', '.join(some)})" for name, some in lacks.items() if some]:
        names = ", ".join(short[:NAMED])
        remedy = ROLE.format(invite=invite)
        yield Finding("bad", "Discord permissions", f"not allowed: {names}", remedy)
