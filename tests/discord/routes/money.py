"""What the app sells, and who has it. https://docs.discord.com/developers/resources/entitlement"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from tests.discord.door import (
    PREFIX,
    as_json,
    body_of,
    nothing,
    number,
    world_of,
)
from tests.discord.refusals import Malformed, Refused
from tests.discord.shop import Shop

Json = dict[str, Any]

MOST_ENTITLEMENTS, MOST_SUBSCRIPTIONS = 100, 100
USER_OWNER = 2
routes = web.RouteTableDef()
SHOP = web.AppKey("shop", Shop)


@routes.get(f"{PREFIX}/applications/{{application_id}}/skus")
async def get_skus(request: web.Request) -> web.Response:
    return as_json(list(world_of(request).skus.values()))


@routes.get(f"{PREFIX}/applications/{{application_id}}/entitlements")
async def get_entitlements(request: web.Request) -> web.Response:
    asked = request.query
    skus = asked["sku_ids"].split(",") if "sku_ids" in asked else None
    found = [
        held
        for held in world_of(request).entitlements.values()
        if asked.get("user_id") in (None, held["user_id"])
        and (skus is None or held["sku_id"] in skus)
        and asked.get("guild_id") in (None, held.get("guild_id"))
        and not (_yes(asked.get("exclude_ended")) and held["ends_at"])
        and not (_yes(asked.get("exclude_deleted", "1")) and held["deleted"])
    ]
    return as_json(_page(request, found, MOST_ENTITLEMENTS))


@routes.post(f"{PREFIX}/applications/{{application_id}}/entitlements")
async def create_entitlement(request: web.Request) -> web.Response:
    """One for tests."""
    world, said = world_of(request), body_of(request).fields
    if int(said["sku_id"]) not in world.skus or int(said["owner_id"]) not in world.users:
        raise Refused(10013 if int(said["sku_id"]) in world.skus else 10027)
    if said["owner_type"] != USER_OWNER:
        raise Malformed("owner_type", "the stand-in sells to users alone")
    return as_json(request.app[SHOP].grant(int(said["sku_id"]), int(said["owner_id"])))


@routes.get(f"{PREFIX}/applications/{{application_id}}/entitlements/{{entitlement_id}}")
async def get_entitlement(request: web.Request) -> web.Response:
    return as_json(_held(request))


@routes.delete(f"{PREFIX}/applications/{{application_id}}/entitlements/{{entitlement_id}}")
async def delete_entitlement(request: web.Request) -> web.Response:
    if int(_held(request)["id"]) not in request.app[SHOP].unpaid:
        raise Malformed("entitlement_id", "somebody paid for it")
    request.app[SHOP].remove(number(request, "entitlement_id"))
    return nothing()


@routes.post(f"{PREFIX}/applications/{{application_id}}/entitlements/{{entitlement_id}}/consume")
async def consume_entitlement(request: web.Request) -> web.Response:
    request.app[SHOP].consume(int(_held(request)["id"]))
    return nothing()


@routes.get(f"{PREFIX}/skus/{{sku_id}}/subscriptions")
async def get_subscriptions(request: web.Request) -> web.Response:
    user_id, sku_id = request.query.get("user_id"), str(number(request, "sku_id"))
    if user_id is None:
        raise Malformed("user_id", "a bot names whose")
    known = world_of(request).subscriptions.values()
    theirs = [s for s in known if s["user_id"] == user_id and sku_id in s["sku_ids"]]
    return as_json(_page(request, theirs, MOST_SUBSCRIPTIONS))


def _held(request: web.Request) -> Json:
    held = world_of(request).entitlements.get(number(request, "entitlement_id"))
    if held is None:
        raise Refused(10029)
    return held


def _page(request: web.Request, found: Iterable[Json], most: int) -> list[Json]:
    """The oldest behind `after`; or the newest before `before`, or of all; oldest first."""
    asked = request.query
    limit = int(asked.get("limit", most))
    after, before = int(asked.get("after", 0)), int(asked.get("before", 2**63))
    within = sorted((one for one in found if after < int(one["id"]) < before), key=_id)
    return within[:limit] if "after" in asked else within[-limit:]


def _id(one: Json) -> int:
    return int(one["id"])


def _yes(said: str | None) -> bool:
    return (said or "").lower() in ("1", "true")
