"""Messages in channels, as the bot itself sends and edits them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.discord import messages, payloads, permissions
from tests.discord.door import (
    PREFIX,
    as_json,
    body_of,
    channel_of,
    message_of,
    nothing,
    number,
    world_of,
)
from tests.discord.messages import Body
from tests.discord.permissions import Permission
from tests.discord.refusals import Malformed, Refused
from tests.discord.world import (
    DM,
    PUBLIC_THREAD,
    Channel,
    World,
)

Json = dict[str, Any]

routes = web.RouteTableDef()


@routes.get(f"{PREFIX}/channels/{{channel_id}}/messages")
async def get_messages(request: web.Request) -> web.Response:
    world = world_of(request)
    where = channel_of(request, Permission.READ_MESSAGE_HISTORY)
    here = [m for m in world.messages.values() if m.channel_id == where.id and not m.audience]
    before = int(request.query.get("before", 1 << 63))
    after = int(request.query.get("after", 0))
    chosen = sorted((m for m in here if after < m.id < before), key=lambda m: -m.id)
    limit = int(request.query.get("limit", 50))
    return as_json([payloads.message(world, m) for m in chosen[:limit]])


@routes.get(f"{PREFIX}/channels/{{channel_id}}/messages/{{message_id}}")
async def get_message(request: web.Request) -> web.Response:
    where = channel_of(request, Permission.READ_MESSAGE_HISTORY)
    return as_json(payloads.message(world_of(request), message_of(request, where)))


@routes.post(f"{PREFIX}/channels/{{channel_id}}/messages")
async def post_message(request: web.Request) -> web.Response:
    world, body = world_of(request), body_of(request)
    where = channel_of(request, *_to_speak(request, body))
    if where.kind == DM and not _reachable(world, where):
        raise Refused(50007)
    if where.archived:
        raise Refused(50083)
    traits: Json = {}
    reference = body.fields.get("message_reference")
    if reference:
        traits = _reply(request, where, reference)
    limit = permissions.upload_limit(world, where.guild_id)
    said = messages.create(world, where, world.app.id, body, limit, **traits)
    return as_json(payloads.message(world, said))


def _to_speak(request: web.Request, body: Body) -> list[Permission]:
    where = world_of(request).channels.get(number(request, "channel_id"))
    threaded = where is not None and where.kind == PUBLIC_THREAD
    needed = [Permission.SEND_MESSAGES_IN_THREADS if threaded else Permission.SEND_MESSAGES]
    return [*needed, Permission.ATTACH_FILES] if body.files else needed


def _reachable(world: World, where: Channel) -> bool:
    """Whether the app may write to this person: they let it, and share a server or installed it."""
    people = [world.users[p] for p in where.people if p != world.app.id]
    servers = [g for g in world.guilds.values() if world.app.id in g.members]
    return all(
        p.dms_open and (p.installed or any(p.id in g.members for g in servers)) for p in people
    )


def _reply(request: web.Request, where: Channel, reference: Json) -> Json:
    world = world_of(request)
    may = permissions.of(world, world.app.id, where)
    if not may & Permission.READ_MESSAGE_HISTORY:
        raise Refused(160002)
    message = world.messages.get(int(reference["message_id"]))
    if message is None or message.channel_id != where.id:
        if reference.get("fail_if_not_exists", True):
            raise Malformed("message_reference", "Unknown message")
        return {}
    return {"reply_to": message.id, "kind": 19}


@routes.patch(f"{PREFIX}/channels/{{channel_id}}/messages/{{message_id}}")
async def patch_message(request: web.Request) -> web.Response:
    world, body = world_of(request), body_of(request)
    where = channel_of(request, *([Permission.ATTACH_FILES] if body.files else []))
    message = message_of(request, where)
    if message.author_id != world.app.id:
        raise Refused(50005)
    limit = permissions.upload_limit(world, where.guild_id)
    return as_json(payloads.message(world, messages.edit(world, message, body, limit)))


@routes.delete(f"{PREFIX}/channels/{{channel_id}}/messages/{{message_id}}")
async def delete_message(request: web.Request) -> web.Response:
    world, where = world_of(request), channel_of(request)
    message = message_of(request, where)
    may = permissions.of(world, world.app.id, where)
    if message.author_id != world.app.id and not may & Permission.MANAGE_MESSAGES:
        raise Refused(50013)
    messages.delete(world, message)
    return nothing()
