"""Servers, their channels, roles and members."""

from __future__ import annotations

from aiohttp import web

from tests.discord import payloads
from tests.discord.door import (
    PREFIX,
    as_json,
    channel_of,
    nothing,
    number,
    world_of,
)
from tests.discord.permissions import Permission
from tests.discord.refusals import Refused
from tests.discord.world import (
    PUBLIC_THREAD,
    Guild,
)

routes = web.RouteTableDef()


@routes.get(f"{PREFIX}/guilds/{{guild_id}}")
async def get_guild(request: web.Request) -> web.Response:
    world = world_of(request)
    found = _guild(request)
    told = payloads.guild(world, found)
    if request.query.get("with_counts"):
        told |= {"approximate_member_count": len(found.members), "approximate_presence_count": 0}
    return as_json(told)


def _guild(request: web.Request) -> Guild:
    world = world_of(request)
    found = world.guilds.get(number(request, "guild_id"))
    if found is None:
        raise Refused(10004)
    if world.app.id not in found.members:
        raise Refused(50001)
    return found


@routes.get(f"{PREFIX}/guilds/{{guild_id}}/channels")
async def get_channels(request: web.Request) -> web.Response:
    world, found = world_of(request), _guild(request)
    mine = [c for c in world.channels.values() if c.guild_id == found.id]
    return as_json([payloads.channel(world, c) for c in mine if c.kind != PUBLIC_THREAD])


@routes.get(f"{PREFIX}/guilds/{{guild_id}}/roles")
async def get_roles(request: web.Request) -> web.Response:
    return as_json([payloads.role(r) for r in _guild(request).roles.values()])


@routes.get(f"{PREFIX}/guilds/{{guild_id}}/members/{{user_id}}")
async def get_member(request: web.Request) -> web.Response:
    found, user_id = _guild(request), number(request, "user_id")
    if user_id not in found.members:
        raise Refused(10007)
    return as_json(payloads.member(world_of(request), found, user_id))


@routes.get(f"{PREFIX}/channels/{{channel_id}}")
async def get_channel(request: web.Request) -> web.Response:
    return as_json(payloads.channel(world_of(request), channel_of(request)))


@routes.post(f"{PREFIX}/channels/{{channel_id}}/typing")
async def type_on(request: web.Request) -> web.Response:
    channel_of(request, Permission.SEND_MESSAGES)
    return nothing()
