"""The app's commands."""

from __future__ import annotations

from aiohttp import web

from tests.discord import commands
from tests.discord.door import (
    PREFIX,
    as_json,
    body_of,
    world_of,
)
from tests.discord.world import (
    SLASH,
)

routes = web.RouteTableDef()


@routes.get(f"{PREFIX}/applications/{{application_id}}/commands")
async def get_commands(request: web.Request) -> web.Response:
    return as_json(list(world_of(request).commands.values()))


@routes.put(f"{PREFIX}/applications/{{application_id}}/commands")
async def put_commands(request: web.Request) -> web.Response:
    said = body_of(request).json or []
    return as_json(commands.replace_all(world_of(request), said))


@routes.post(f"{PREFIX}/applications/{{application_id}}/commands")
async def post_command(request: web.Request) -> web.Response:
    world, said = world_of(request), body_of(request).fields
    key = (said.get("type") or SLASH, said["name"])
    others = [c for c in world.commands.values() if (c["type"], c["name"]) != key]
    known = len(others) < len(world.commands)
    made = commands.replace_all(world, [*others, said])
    return as_json(made[-1], 200 if known else 201)
