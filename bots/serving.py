"""`kinora serve`: the whole program on its port, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Mapping

from aiohttp import web

from bots.app import house, new_link
from bots.lock import Busy
from bots.settings import Settings
from bots.standing import ChatBot
from bots.web import runner
from core.job import OWNER

log = logging.getLogger("kinora")

PLATFORMS = ("discord", "telegram")
KNOWN_SECONDS = 20.0
"""How long the start waits for word of a bot."""


async def serve(
    settings: Settings, announce: Callable[[str, str], None], tell: Callable[[str], None]
) -> None:
    """Run until SIGINT or SIGTERM. announce: called with the page's address and its one-time link.
    tell: called with a line on each bot, once it is known how it stands.

    Raises Busy where the port is taken.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with house(settings) as home:
        serving = runner(home.application)
        await serving.setup()
        try:
            site = web.TCPSite(serving, settings.web.host, settings.web.port)
            try:
                await site.start()
            except OSError as error:
                where = f"{settings.web.host}:{settings.web.port}"
                why = os.strerror(error.errno or 0)
                remedy = "Set KINORA_WEB__PORT, or stop what is there."
                raise Busy(f"The page can't be at {where}: {why}. {remedy}") from None
            bound = settings.web.model_copy(update={"port": serving.addresses[0][1]})
            link = await new_link(home.store, bound.address, OWNER, OWNER.subject)
            announce(bound.address, link)
            telling = asyncio.create_task(_tell_of(home.bots, tell))
            try:
                await stopping.wait()
            finally:
                telling.cancel()
            log.info("stopping: what runs now is queued again at the next start")
        finally:
            await serving.cleanup()


async def _tell_of(bots: Mapping[str, ChatBot], tell: Callable[[str], None]) -> None:
    for platform in PLATFORMS:
        bot = bots.get(platform)
        if bot is None:
            tell(f"{platform.title()}: no token, so no bot")
            continue
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_SECONDS):
                await bot.standing.known()
        said = bot.standing.words or "no answer yet"
        words = said if bot.standing.connected else f"not connected: {said}. See `kinora doctor`"
        tell(f"{platform.title()}: {words}")
