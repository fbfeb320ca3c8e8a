"""What Discord refuses, and what it does not answer, in our own errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import discord

from bots.answers import SOON_SECONDS
from bots.cards import TooLarge
from core.errors import KinoraError, Transient, Unreachable

log = logging.getLogger("kinora.discord")

CALL_SECONDS = 45.0
"""Of a call without files; the library waits and repeats within it."""

BYTES_PER_SECOND = 32 * 1024
"""The slowest line that an upload is given time for."""

REFUSED_SECONDS = 60.0
UNSAID_SECONDS = 30.0
"""Where Discord asks to wait and does not say for how long."""

CANT_REPLY = 160002
_TOO_LARGE = 40005
_TOO_MANY_EDITS = 30046
_TOKEN_OVER = (10015, 50027)
_GONE = (10003, 10008, 50001, 50007, 50013, 50083, 50278)
"""Unknown channel or message, missing access, can't message this user, missing permission, an
archived thread."""


@asynccontextmanager
async def answered(uploaded: int = 0) -> AsyncIterator[None]:
    """Bound a call in time. uploaded: bytes of its files.

    Raises Unreachable, TooLarge, Transient, or TimeoutError where no answer came.
    """
    try:
        async with asyncio.timeout(CALL_SECONDS + uploaded / BYTES_PER_SECOND):
            yield
    except (discord.HTTPException, discord.RateLimited) as error:
        raise told(error) from error
    except aiohttp.ClientConnectorError as error:
        raise Transient("Discord can't be reached", SOON_SECONDS) from error
    except aiohttp.ClientError as error:
        raise TimeoutError("the connection broke before an answer") from error


def told(error: discord.HTTPException | discord.RateLimited) -> KinoraError:
    """Discord's refusal as an error of ours. What it refuses once it refuses again."""
    if isinstance(error, discord.RateLimited):
        return Transient("Discord asks to wait", error.retry_after)
    if error.status == 413 or error.code == _TOO_LARGE:
        return TooLarge("a file is over the limit of the place")
    if error.status == 429 or error.code == _TOO_MANY_EDITS:
        return Transient("Discord asks to wait", _retry_after(error))
    if error.status >= 500:
        return Transient(f"Discord answered {error.status}", SOON_SECONDS)
    if error.status == 401 and error.code not in _TOKEN_OVER:
        return Transient("Discord refuses the bot's token", REFUSED_SECONDS)
    if error.code not in (*_GONE, *_TOKEN_OVER) and error.status not in (403, 404):
        log.error("Discord refuses a message (%d, %d): %s", error.status, error.code, error.text)
    return Unreachable(f"Discord answered {error.code or error.status}: {error.text[:80]}")


def _retry_after(error: discord.HTTPException) -> float:
    try:
        return max(1.0, float(error.response.headers.get("Retry-After", "")))
    except ValueError:
        return UNSAID_SECONDS
