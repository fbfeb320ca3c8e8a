"""What is kept of somebody: said, handed out whole, and forgotten, on the page."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp_jinja2
from aiohttp import web

from bots import privacy as words
from bots.web import doors, events
from bots.web.site import site, visitor
from core.privacy import Export, Receipt

PIECE_BYTES = 256 * 1024
WRITE_SECONDS = 60.0
"""A browser that takes nothing for this long is gone."""


async def show(request: web.Request) -> web.StreamResponse:
    return await _page(request)


async def download(request: web.Request) -> web.StreamResponse:
    """All that is kept, as a ZIP that is made while it is sent."""
    here, account = site(request), visitor(request).account
    with here.streams.opened(account.id):
        pieces = _zipped(await here.privacy.export(account))
        response = web.StreamResponse(
            headers={"Content-Disposition": 'attachment; filename="kinora-data.zip"'}
        )
        response.content_type = "application/zip"
        await response.prepare(request)
        request[events.STREAM] = response
        while piece := await asyncio.to_thread(next, pieces, b""):
            for at in range(0, len(piece), PIECE_BYTES):
                await _write(response, piece[at : at + PIECE_BYTES])
    return response


async def forget(request: web.Request) -> web.StreamResponse:
    """The receipt is shown once: from then on this browser is nobody's."""
    form = await request.post()
    doors.check_token(request, str(form.get("token", "")))
    receipt = await site(request).privacy.forget(visitor(request).account)
    response = await _page(request, receipt)
    response.del_cookie(doors.COOKIE, path="/")
    return response


def _zipped(export: Export) -> Iterator[bytes]:
    """The ZIP, a file at a time. What was deleted meanwhile is left out."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("data.json", words.as_json(export), zipfile.ZIP_DEFLATED)
        yield sink.taken()
        for name, path in export.files.items():
            if _added(archive, path, name):
                yield sink.taken()
    yield sink.taken()


def _added(archive: zipfile.ZipFile, path: Path, name: str) -> bool:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return False
    archive.writestr(name, data)
    return True


class _Sink(io.RawIOBase):
    """What was written since it was last taken."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._held += piece
        return len(piece)

    def taken(self) -> bytes:
        piece = bytes(self._held)
        self._held.clear()
        return piece


async def _write(response: web.StreamResponse, piece: bytes) -> None:
    try:
        async with asyncio.timeout(WRITE_SECONDS):
            await response.write(piece)
    except TimeoutError:
        raise ConnectionResetError("the reader of a download takes nothing") from None


async def _page(request: web.Request, receipt: Receipt | None = None) -> web.Response:
    """Without what the notice says of commands: here are buttons."""
    here, who = site(request), visitor(request)
    context: dict[str, object] = {"told": words.told(receipt) if receipt else ()}
    if receipt is None:
        context |= {
            "token": who.token,
            "notice": words.notice(here.notice)[:-1],
            "warning": words.warning((await here.studio.wallet(who.account)).available),
        }
    return aiohttp_jinja2.render_template("privacy.html", request, context)


ROUTES = (
    web.get("/privacy", show),
    web.get("/privacy/data.zip", download, allow_head=False),
    web.post("/privacy/forget", forget),
)
