"""Tells Discord which commands there are, until it knows."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bots.answers import reason, understood
from bots.discord.desk import NAME
from bots.discord.permissions import INVITED
from bots.discord.remedies import NO_SCOPE, invitation
from core.errors import Transient

log = logging.getLogger("kinora.discord")

AGAIN_SECONDS = 30.0
SYNC_SECONDS = 60.0


async def keep_in_step(tree: app_commands.CommandTree[Any]) -> None:
    """Register the commands, all at once: those of the same name stay what they are to Discord.

    What the operator has to do is said in the log.
    """
    while True:
        try:
            async with asyncio.timeout(SYNC_SECONDS):
                with understood(NAME, discord.http.Route.BASE):
                    commands = await tree.sync()
            log.info("Discord knows %d commands", len(commands))
            return
        except discord.Forbidden:
            application_id = tree.client.application_id or 0
            log.error(NO_SCOPE.format(invite=invitation(application_id, INVITED.value)))
            return
        except (app_commands.CommandSyncFailure, app_commands.TranslationError) as error:
            log.error("Discord refuses the commands: %s", error)
            return
        except (discord.HTTPException, aiohttp.ClientError, OSError, Transient) as error:
            log.warning("the commands are not registered yet: %s", reason(error))
        await asyncio.sleep(AGAIN_SECONDS)
