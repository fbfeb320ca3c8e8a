"""What the app sells."""

from __future__ import annotations

from aiohttp import web

from tests.discord.door import (
    PREFIX,
    as_json,
    nothing,
    number,
    world_of,
)
from tests.discord.refusals import Refused

routes = web.RouteTableDef()


@routes.get(f"{PREFIX}/applications/{{application_id}}/skus")
async def get_skus(request: web.Request) -> web.Response:
    return as_json(list(world_of(request).skus.values()))


@routes.get(f"{PREFIX}/applications/{{application_id}}/entitlements")
async def get_entitlements(request: web.Request) -> web.Response:
    held = list(world_of(request).entitlements.values())
    user_id = request.query.get("user_id")
    return as_json([e for e in held if user_id in (None, e.get("user_id"))])


@routes.post(f"{PREFIX}/applications/{{application_id}}/entitlements/{{entitlement_id}}/consume")
async def consume_entitlement(request: web.Request) -> web.Response:
    held = world_of(request).entitlements
    entitlement_id = number(request, "entitlement_id")
    if entitlement_id not in held:
        raise Refused(10029)
    held[entitlement_id] = held[entitlement_id] | {"consumed": True}
    return nothing()
