"""Updates that Telegram brings by itself, through the same site as the page.

What proves that it is Telegram is a secret in a header; the path holds none. An update is answered
once it is written down; what is not answered comes again.
https://core.telegram.org/bots/api#setwebhook
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from core.errors import Transient

log = logging.getLogger("kinora.telegram")

HEADER = "X-Telegram-Bot-Api-Secret-Token"
BODY_MAX_BYTES = 1024 * 1024
READ_SECONDS = 10.0

Receive = Callable[[dict[str, Any]], Awaitable[None]]
"""Write an update down. Raises Transient where that can't be done now."""


def path_of(url: str) -> str:
    """Where the site hears what is sent to a webhook's URL."""
    return urlsplit(url).path


def hook(secret: str, receive: Receive) -> Handler:
    """What answers there."""

    async def answer(request: web.Request) -> web.Response:
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(errors="replace"), secret.encode()):
            return _refused(403, "This is for Telegram, which brings a secret.")
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await request.clone(client_max_size=BODY_MAX_BYTES).read()
        except web.HTTPRequestEntityTooLarge:
            return _refused(413, f"An update has at most {BODY_MAX_BYTES} bytes.")
        except TimeoutError:
            return _refused(408, f"An update is read within {READ_SECONDS:g} s.")
        try:
            update = json.loads(body)
        except ValueError:
            update = None
        if not isinstance(update, dict):
            return _refused(400, "An update is a JSON object.")
        try:
            await receive(update)
        except Transient as error:
            log.warning("an update waits with Telegram: %s", error)
            return _refused(503, "Not now.")
        return web.Response()

    return answer


def _refused(status: int, sentence: str) -> web.Response:
    return web.Response(status=status, text=sentence)
