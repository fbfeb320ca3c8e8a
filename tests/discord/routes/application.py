"""Who the app is, and where its gateway; the people that it may know."""

from __future__ import annotations

from aiohttp import web

from tests.discord import payloads
from tests.discord.door import (
    CONSENT,
    GATEWAY,
    PREFIX,
    as_json,
    body_of,
    number,
    world_of,
)
from tests.discord.refusals import Refused
from tests.discord.routes import oauth

routes = web.RouteTableDef()


@routes.get(f"{PREFIX}/users/@me")
async def get_me(request: web.Request) -> web.Response:
    user = _bearer(request)
    return as_json(payloads.me(world_of(request)) if user is None else oauth.me(request, user))


@routes.get(f"{PREFIX}/users/@me/guilds")
async def get_my_guilds(request: web.Request) -> web.Response:
    return as_json(oauth.guilds(request, _bearer(request) or world_of(request).app.id))


def _bearer(request: web.Request) -> int | None:
    return request.app[CONSENT].bearer(request.headers.get("Authorization", ""))


@routes.get(f"{PREFIX}/oauth2/applications/@me")
@routes.get(f"{PREFIX}/applications/@me")
async def get_application(request: web.Request) -> web.Response:
    return as_json(payloads.application(world_of(request)))


@routes.get(f"{PREFIX}/gateway")
async def get_gateway(request: web.Request) -> web.Response:
    return as_json({"url": request.app[GATEWAY].url})


@routes.get(f"{PREFIX}/gateway/bot")
async def get_gateway_bot(request: web.Request) -> web.Response:
    gateway = request.app[GATEWAY]
    start = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 16}
    return as_json({"url": gateway.url, "shards": gateway.shards, "session_start_limit": start})


@routes.get(f"{PREFIX}/users/{{user_id}}")
async def get_user(request: web.Request) -> web.Response:
    found = world_of(request).users.get(number(request, "user_id"))
    if found is None:
        raise Refused(10013)
    return as_json(payloads.user(found))


@routes.post(f"{PREFIX}/users/@me/channels")
async def open_dm(request: web.Request) -> web.Response:
    world = world_of(request)
    found = world.users.get(int(body_of(request).fields.get("recipient_id") or 0))
    if found is None:
        raise Refused(10013)
    if found.bot:
        raise Refused(50007)
    return as_json(payloads.channel(world, world.direct(found.id)))
