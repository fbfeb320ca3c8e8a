"""For those who watch over the program: is it alive, is it ready, what does it count."""

from __future__ import annotations

import asyncio

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bots.web import doors
from bots.web.problems import Problem
from bots.web.site import site

READY_SECONDS = 5.0


async def healthz(request: web.Request) -> web.Response:
    """The event loop lives."""
    return web.json_response({"alive": True})


async def readyz(request: web.Request) -> web.Response:
    """Whether it can do its work; 503 with what is missing where it can't. Bots are told of beside
    that: with one away the page renders on, and a start anew brings no platform back."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            checks = dict(await site(request).ready())
    except TimeoutError:
        checks = {"answers": False}
    ready = all(checks.values())
    seen = {"ready": ready, "checks": checks, "bots": dict(site(request).bots())}
    return web.json_response(seen, status=200 if ready else 503)


async def metrics(request: web.Request) -> web.Response:
    """From this machine, or with the admin key."""
    if not doors.from_this_machine(request) and not doors.is_admin(request):
        if "Authorization" in request.headers:
            raise doors.wrong_key(request)
        raise Problem(403, "Metrics are for this machine, or with the admin key.")
    text = site(request).metrics.text()
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES = (
    web.get("/healthz", healthz),
    web.get("/readyz", readyz),
    web.get("/metrics", metrics),
)
