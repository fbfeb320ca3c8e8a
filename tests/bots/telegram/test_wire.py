"""The library's requests on aiohttp."""

from __future__ import annotations

from base64 import b64encode

import pytest
from aiohttp import web

from bots.telegram.line import Line


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
        async with Line() as line:
            answer = await line.do_request("http://telegram.invalid/getMe", "POST")
        assert answer == (200, b"from the proxy")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with Line() as line:
            await line.retrieve(f"http://{address}/itself")
    finally:
        await proxy.cleanup()
    password = b64encode(b"mia:s@me").decode()
    assert asked == [
        ("http://telegram.invalid/getMe", f"Basic {password}"),
        ("/itself", None),
    ]
