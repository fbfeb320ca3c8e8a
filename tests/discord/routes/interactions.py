"""Interactions and their webhooks."""

from __future__ import annotations

from aiohttp import web

from tests.discord import interactions, messages, payloads
from tests.discord.door import (
    PREFIX,
    as_json,
    body_of,
    nothing,
    number,
    world_of,
)
from tests.discord.world import (
    Interaction,
    Message,
)

routes = web.RouteTableDef()


@routes.post(f"{PREFIX}/interactions/{{interaction_id}}/{{interaction_token}}/callback")
async def answer_interaction(request: web.Request) -> web.Response:
    told = interactions.acknowledge(
        world_of(request),
        number(request, "interaction_id"),
        request.match_info["interaction_token"],
        body_of(request),
    )
    with_response = request.query.get("with_response", "").lower() in ("1", "true")
    return as_json(told) if with_response else nothing()


def _asked(request: web.Request) -> Interaction:
    token = request.match_info["webhook_token"]
    return interactions.by_token(world_of(request), number(request, "webhook_id"), token)


WEBHOOK = f"{PREFIX}/webhooks/{{webhook_id}}/{{webhook_token}}"


@routes.post(WEBHOOK)
async def follow_up(request: web.Request) -> web.Response:
    world = world_of(request)
    said = interactions.follow_up(world, _asked(request), body_of(request))
    return as_json(payloads.message(world, said))


@routes.get(f"{WEBHOOK}/messages/@original")
async def get_original(request: web.Request) -> web.Response:
    world = world_of(request)
    return as_json(payloads.message(world, interactions.original(world, _asked(request))))


@routes.patch(f"{WEBHOOK}/messages/@original")
async def patch_original(request: web.Request) -> web.Response:
    world, asked = world_of(request), _asked(request)
    said = interactions.original(world, asked)
    changed = messages.edit(world, said, body_of(request), asked.limit)
    return as_json(payloads.message(world, changed))


@routes.delete(f"{WEBHOOK}/messages/@original")
async def delete_original(request: web.Request) -> web.Response:
    world = world_of(request)
    messages.delete(world, interactions.original(world, _asked(request)))
    return nothing()


def _said(request: web.Request) -> tuple[Interaction, Message]:
    asked = _asked(request)
    message_id = number(request, "message_id")
    return asked, interactions.said_through(world_of(request), asked, message_id)


@routes.get(f"{WEBHOOK}/messages/{{message_id}}")
async def get_followup(request: web.Request) -> web.Response:
    return as_json(payloads.message(world_of(request), _said(request)[1]))


@routes.patch(f"{WEBHOOK}/messages/{{message_id}}")
async def patch_followup(request: web.Request) -> web.Response:
    world = world_of(request)
    asked, said = _said(request)
    changed = messages.edit(world, said, body_of(request), asked.limit)
    return as_json(payloads.message(world, changed))


@routes.delete(f"{WEBHOOK}/messages/{{message_id}}")
async def delete_followup(request: web.Request) -> web.Response:
    messages.delete(world_of(request), _said(request)[1])
    return nothing()
