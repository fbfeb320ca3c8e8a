"""The library's requests on aiohttp."""

from __future__ import annotations

from base64 import b64encode

import httpx
import pytest
from aiohttp import web

from bots.telegram.wire import Wire


async def test_proxies_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """With their password, and past them where NO_PROXY says so."""
    for name in ("http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    asked: list[tuple[str, str | None]] = []

    async def hear(request: web.Request) -> web.Response:
        asked.append((request.raw_path, request.headers.get("Proxy-Authorization")))
        return web.Response(text="from the proxy")

    everything = web.Application()
    everything.router.add_route("*", "/{path:.*}", hear)
    proxy = web.AppRunner(everything, access_log=None)
    await proxy.setup()
    try:
        site = web.TCPSite(proxy, "127.0.0.1", 0)
        await site.start()
        address = f"127.0.0.1:{proxy.addresses[0][1]}"
        monkeypatch.setenv("HTTP_PROXY", f"http://mia:s%40me@{address}")
        async with httpx.AsyncClient(transport=Wire(1)) as client:
            answer = await client.post("http://telegram.invalid/getMe", data={"a": "b"})
        assert (answer.status_code, answer.text) == (200, "from the proxy")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with httpx.AsyncClient(transport=Wire(1)) as client:
            await client.get(f"http://{address}/itself")
    finally:
        await proxy.cleanup()
    password = b64encode(b"mia:s@me").decode()
    assert asked == [
        ("http://telegram.invalid/getMe", f"Basic {password}"),
        ("/itself", None),
    ]
