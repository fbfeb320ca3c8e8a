"""What the operator gives themselves to try what is sold: Discord calls them test entitlements."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
from discord import EntitlementOwnerType

from bots.answers import understood
from bots.discord.client import point_to
from bots.discord.desk import NAME, Discord
from bots.discord.refusals import answered
from bots.discord.remedies import NO_TOKEN
from core.errors import NotFound, Unreachable, UserError

SECONDS = 30.0


async def give(settings: Discord, sku: int, user: int) -> int:
    """The new entitlement's id. Raises UserError, Transient or TimeoutError."""
    async with _logged_in(settings) as client:
        try:
            async with answered():
                made = await client.http.create_entitlement(
                    client.application_id or 0, sku, user, EntitlementOwnerType.user.value
                )
        except Unreachable as error:
            raise NotFound(f"Discord knows no such SKU, or nobody by that id: {error}.") from None
        return int(made["id"])


async def end(settings: Discord, entitlement: int) -> None:
    """Raises as `give`."""
    async with _logged_in(settings) as client:
        try:
            async with answered():
                await client.http.delete_entitlement(client.application_id or 0, entitlement)
        except Unreachable as error:
            raise NotFound(f"Discord has no such entitlement for tests: {error}.") from None


@asynccontextmanager
async def _logged_in(settings: Discord) -> AsyncIterator[discord.Client]:
    point_to(settings)
    client = discord.Client(intents=discord.Intents.none())
    async with asyncio.timeout(SECONDS), client:
        try:
            with understood(NAME, settings.api_url):
                await client.login(settings.token)
        except discord.LoginFailure:
            raise UserError(NO_TOKEN) from None
        yield client
