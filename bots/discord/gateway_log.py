"""What the library logs of a gateway that it can't reach: a line in place of a traceback at every
try. The traceback is kept where we log at DEBUG."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp
import discord

from bots.answers import reason

log = logging.getLogger("kinora.discord")

_LIBRARY = logging.getLogger("discord.shard")
_EXPECTED = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)


@contextmanager
def in_a_line(remedy: str, tell: Callable[[str], None]) -> Iterator[None]:
    """remedy: what an operator may do. tell: called with why the gateway can't be reached."""

    def shorten(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, _EXPECTED):
            why = reason(error)
            tell(f"the gateway can't be reached ({why})")
            record.msg = "Discord's gateway can't be reached (%s); trying again. %s"
            record.args = (why, remedy)
            if not log.isEnabledFor(logging.DEBUG):
                record.exc_info = None
        return True

    _LIBRARY.addFilter(shorten)
    try:
        yield
    finally:
        _LIBRARY.removeFilter(shorten)
