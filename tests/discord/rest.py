"""REST v10: the door and the routes behind it, put together."""

from __future__ import annotations

from aiohttp import web

from tests.discord.consent import Consent
from tests.discord.door import (
    CONSENT,
    FAULTS,
    GATEWAY,
    JUDGE,
    LIMITS,
    PREFIX,
    WORLD,
    as_json,
    door,
    world_of,
)
from tests.discord.faults import Faults
from tests.discord.gateway import Gateway
from tests.discord.limits import Limits
from tests.discord.routes import application as app_routes
from tests.discord.routes import commands, interactions, messages, money, oauth, servers
from tests.discord.schema import Judge
from tests.discord.shop import Shop
from tests.discord.world import World

MOST_BYTES = 512 * 1024 * 1024
ROUTES = (
    app_routes.routes,
    servers.routes,
    messages.routes,
    commands.routes,
    interactions.routes,
    money.routes,
    oauth.routes,
)


async def unknown(request: web.Request) -> web.Response:
    """A route that neither Discord nor the stand-in has, or the stand-in alone lacks."""
    path = request.path.removeprefix(PREFIX)
    world_of(request).violate(f"stand-in: has no {request.method} {path}")
    return as_json({"message": "404: Not Found", "code": 0}, 404)


def application(
    world: World,
    gateway: Gateway,
    limits: Limits,
    faults: Faults,
    shop: Shop,
    consent: Consent,
    judge: Judge | None,
) -> web.Application:
    app = web.Application(middlewares=[door], client_max_size=MOST_BYTES)
    app[WORLD], app[GATEWAY], app[LIMITS], app[FAULTS] = world, gateway, limits, faults
    app[money.SHOP], app[CONSENT] = shop, consent
    if judge is not None:
        app[JUDGE] = judge
    for routes in ROUTES:
        app.add_routes(routes)
    app.router.add_route("*", "/{path:.*}", unknown)
    return app
