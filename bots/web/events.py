"""Server-sent events: how a stream is opened, written to, and kept alive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from core.bulletin import Subscription

KEEP_ALIVE_SECONDS = 10.0
"""A stream says something at least this often."""

PACE_SECONDS = 0.15
"""The least time between two looks at what changed: a screen needs no more."""

WRITE_SECONDS = 20.0
"""A reader that takes nothing for this long is gone."""

CHECK_SECONDS = 8.0
"""How often a stream asks whether its reader may still read."""

LIFE_SECONDS = 3600.0
"""A stream ends after this, and the browser opens the next."""

RETRY_MILLISECONDS = 2000

Check = Callable[[web.Request], Awaitable[None]]
"""Raises Problem where whoever asked may ask no more."""

STREAM = web.RequestKey("stream", web.StreamResponse)
"""The stream that a request has opened."""


class EventStream:
    """One open stream."""

    def __init__(self, request: web.Request, response: web.StreamResponse, check: Check) -> None:
        self._request = request
        self._response = response
        self._check = check
        self._checked = asyncio.get_running_loop().time()
        self._ends = self._checked + LIFE_SECONDS

    @property
    def over(self) -> bool:
        return asyncio.get_running_loop().time() >= self._ends

    async def next_change(self, changes: Subscription) -> frozenset[str]:
        """The jobs that changed; empty after a while without news, which is when to keep alive.

        Raises what `check` raises.
        """
        await asyncio.sleep(PACE_SECONDS)
        changed = await changes.changed(KEEP_ALIVE_SECONDS - PACE_SECONDS)
        now = asyncio.get_running_loop().time()
        if now >= self._checked + CHECK_SECONDS:
            await self._check(self._request)
            self._checked = now
        return changed

    async def send(self, event: str, data: object) -> None:
        await self._write(f"event: {event}\ndata: {json.dumps(data)}\n\n")

    async def keep_alive(self) -> None:
        await self._write(": still here\n\n")

    async def _write(self, text: str) -> None:
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._response.write(text.encode())
        except TimeoutError:
            raise ConnectionResetError("the reader of a stream takes nothing") from None


async def open_stream(request: web.Request, check: Check) -> EventStream:
    """check: whether the reader is still welcome, asked every now and then."""
    response = web.StreamResponse(headers={"X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    response.charset = "utf-8"
    await response.prepare(request)
    request[STREAM] = response
    await response.write(f"retry: {RETRY_MILLISECONDS}\n\n".encode())
    return EventStream(request, response, check)


def finished(request: web.Request) -> web.StreamResponse:
    return request[STREAM]
