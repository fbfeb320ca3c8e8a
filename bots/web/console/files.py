"""Files that moderators look at. No browser keeps them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from bots.web.site import site
from core.errors import NotFound

GONE = "It is no longer stored."


async def picture(request: web.Request, picture_id: str | None) -> web.FileResponse:
    """Raises NotFound."""
    path = await site(request).pictures(picture_id) if picture_id is not None else None
    if path is None:
        raise NotFound(GONE)
    return await stored(path)


async def stored(path: Path) -> web.FileResponse:
    """Raises NotFound."""
    if not await asyncio.to_thread(path.is_file):
        raise NotFound(GONE)
    return web.FileResponse(path)
