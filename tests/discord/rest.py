"""REST v10: the routes, and the door that every request comes through.

At the door a request is recorded, meets its faults, is counted, proves who it is, and is judged
against Discord's description; so is the answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import BodyPartReader, web

from tests.discord import commands, interactions, messages, payloads, permissions
from tests.discord.cdn import Upload
from tests.discord.faults import Fault, Faults
from tests.discord.gateway import Gateway
from tests.discord.limits import Limits, Spent
from tests.discord.messages import Body
from tests.discord.permissions import Permission
from tests.discord.refusals import Malformed, Refused
from tests.discord.schema import Judge
from tests.discord.world import (
    DM,
    PUBLIC_THREAD,
    SLASH,
    Channel,
    Entry,
    Guild,
    Interaction,
    Message,
    World,
)

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = Callable[[web.Request], Awaitable[Any]]

PREFIX = "/api/v10"
WORLD = web.AppKey("world", World)
GATEWAY = web.AppKey("gateway", Gateway)
LIMITS = web.AppKey("limits", Limits)
FAULTS = web.AppKey("faults", Faults)
JUDGE = web.AppKey("judge", Judge)
BODY = web.RequestKey("body", Body)
TOKENLESS = ("/interactions/{", "/webhooks/{")
MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token", "interaction_id")
MOST_BYTES = 512 * 1024 * 1024

routes = web.RouteTableDef()


# The door.


@web.middleware
async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
    world, limits = request.app[WORLD], request.app[LIMITS]
    template = _template(request)
    path = request.path.removeprefix(PREFIX)
    fault = request.app[FAULTS].next(request.method, path, request.content_length or 0)
    if fault is not None:
        world.touch()
        await fault.wait()
    place = ":".join(request.match_info[k] for k in MAJOR if k in request.match_info)
    bucket, spent = limits.take(f"{request.method} {template}", place)
    body: Body | None = None
    if fault is not None and fault.status:
        answer = _failing(fault)
    elif spent is not None:
        answer = _too_many(spent)
    else:
        try:
            body = await _read(request, fault)
            answer = await _answer(request, handler, template, body)
        except Refused as refused:
            answer = _json(refused.body(), refused.status)
            if isinstance(refused, Malformed):
                world.violate(f"{request.method} {template}: {refused.why}")
        except Exception as error:
            if request.transport is None or request.transport.is_closing():
                return web.Response(status=400)  # the bot died midway: nothing was done
            world.violate(f"stand-in: {request.method} {template}: {error!r}")
            raise
    limits.note(answer.status)
    told = json.loads(answer.text) if _is_json(answer) and answer.text else None
    _judge_response(request, template, answer.status, told)
    code = told.get("code") if isinstance(told, dict) and answer.status >= 400 else None
    world.requests.append(
        Entry(
            at=world.clock.now(),
            method=request.method,
            path=path,
            route=template,
            status=answer.status,
            code=code,
            body=body.json if body else None,
        )
    )
    world.touch()
    if fault is not None and fault.lost and request.transport is not None:
        request.transport.close()
        return answer
    answer.headers.update(bucket.headers(world.clock.now()))
    return answer


async def _answer(
    request: web.Request, handler: Handler, template: str, body: Body
) -> web.Response:
    world = request.app[WORLD]
    proof = request.headers.get("Authorization")
    if not template.startswith(TOKENLESS) and proof != f"Bot {world.token}":
        raise Refused(40001)
    judge = request.app.get(JUDGE)
    if judge is not None and judge.knows(request.method, template):
        verdict = judge.request(request.method, template, dict(request.query), body.json)
        for why in verdict.unnamed:
            world.violate(f"{request.method} {template}: {why}")
        if verdict.faults:
            field, _, why = verdict.faults[0].partition(": ")
            raise Malformed(field, why)
    if body.files and body.json is None:
        world.violate(f"{request.method} {template}: files without payload_json")
    request[BODY] = body
    answer = await handler(request)
    assert isinstance(answer, web.Response)
    return answer


def _judge_response(request: web.Request, template: str, status: int, told: Any) -> None:
    judge = request.app.get(JUDGE)
    if judge is None or not judge.knows(request.method, template):
        return
    for why in judge.response(request.method, template, status, told):
        request.app[WORLD].violate(f"stand-in: {why}")


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return (resource.canonical if resource else request.path).removeprefix(PREFIX)


async def _read(request: web.Request, fault: Fault | None) -> Body:
    """The request's JSON and files.

    Raises:
        Refused: 50109, where it is not JSON.
    """
    bandwidth = fault.bandwidth if fault else 0.0
    kind = request.content_type
    if not request.body_exists:
        return Body()
    try:
        if kind == "multipart/form-data":
            return await _multipart(request, bandwidth)
        return Body(json.loads(await request.read() or b"null"))
    except ValueError:
        raise Refused(50109) from None


async def _multipart(request: web.Request, bandwidth: float) -> Body:
    said: Any = None
    files: dict[int, Upload] = {}
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        data = bytearray()
        while chunk := await part.read_chunk(64 * 1024):
            data += chunk
            if bandwidth:
                await asyncio.sleep(len(chunk) / bandwidth)
        name = part.name or ""
        if name == "payload_json":
            said = json.loads(bytes(data))
        elif name.startswith("files[") and name[6:-1].isdigit():
            files[int(name[6:-1])] = Upload(part.filename or "unknown", bytes(data))
        else:
            request.app[WORLD].violate(f"multipart: a part called {name!r}")
    return Body(said, files)


def _failing(fault: Fault) -> web.Response:
    if 400 <= fault.status < 500 and fault.status != 429:
        return web.json_response({"message": "refused", "code": 0}, status=fault.status)
    if fault.status != 429:
        return web.Response(status=fault.status, text="upstream error", content_type="text/plain")
    spent = Spent(fault.retry_after, "global" if fault.everywhere else "user")
    answer = _too_many(spent)
    if not fault.via:
        del answer.headers["Via"]
    return answer


def _too_many(spent: Spent) -> web.Response:
    if spent.scope == "banned":
        return web.Response(status=429, text="error code: 1015", content_type="text/plain")
    told = {
        "message": "You are being rate limited.",
        "code": 0,
        "retry_after": spent.retry_after,
        "global": spent.scope == "global",
    }
    answer = _json(told, 429)
    answer.headers["Retry-After"] = str(int(spent.retry_after) + 1)
    answer.headers["X-RateLimit-Scope"] = spent.scope
    answer.headers["Via"] = "1.1 google"
    if spent.scope == "global":
        answer.headers["X-RateLimit-Global"] = "true"
    return answer


def _is_json(answer: web.Response) -> bool:
    return answer.content_type == "application/json"


def _json(told: Any, status: int = 200) -> web.Response:
    """JSON with no charset beside its type: the library looks at the whole header."""
    answer = web.Response(status=status, body=json.dumps(told).encode())
    answer.headers["Content-Type"] = "application/json"
    return answer


def _nothing() -> web.Response:
    return web.Response(status=204)


# Finding things, and being allowed to.


def _world(request: web.Request) -> World:
    return request.app[WORLD]


def _body(request: web.Request) -> Body:
    return request[BODY]


def _id(request: web.Request, name: str) -> int:
    value = request.match_info[name]
    if not value.isdigit():
        raise Malformed(name, f"Value {value!r} is not snowflake.")
    return int(value)


def _channel(request: web.Request, *needed: Permission) -> Channel:
    """The channel of the path, where the app may do what is needed there.

    Raises:
        Refused: 10003, 50001 without a view of it, 50013 without a further permission.
    """
    world = _world(request)
    where = world.channels.get(_id(request, "channel_id"))
    if where is None:
        raise Refused(10003)
    may = permissions.of(world, world.app.id, where)
    if not may & Permission.VIEW_CHANNEL:
        raise Refused(50001)
    if any(not may & permission for permission in needed):
        raise Refused(50013)
    return where


def _message(request: web.Request, where: Channel) -> Message:
    message = _world(request).messages.get(_id(request, "message_id"))
    if message is None or message.channel_id != where.id or message.audience is not None:
        raise Refused(10008)
    return message


# Who am I, and where is the gateway.


@routes.get(f"{PREFIX}/users/@me")
async def get_me(request: web.Request) -> web.Response:
    return _json(payloads.me(_world(request)))


@routes.get(f"{PREFIX}/users/@me/guilds")
async def get_my_guilds(request: web.Request) -> web.Response:
    world = _world(request)
    mine = [g for g in world.guilds.values() if world.app.id in g.members]
    return _json(
        [
            {
                "id": str(g.id),
                "name": g.name,
                "icon": None,
                "banner": None,
                "owner": False,
                "permissions": str(int(permissions.in_guild(g, world.app.id))),
                "features": [],
            }
            for g in mine
        ]
    )


@routes.get(f"{PREFIX}/oauth2/applications/@me")
@routes.get(f"{PREFIX}/applications/@me")
async def get_application(request: web.Request) -> web.Response:
    return _json(payloads.application(_world(request)))


@routes.get(f"{PREFIX}/gateway")
async def get_gateway(request: web.Request) -> web.Response:
    return _json({"url": request.app[GATEWAY].url})


@routes.get(f"{PREFIX}/gateway/bot")
async def get_gateway_bot(request: web.Request) -> web.Response:
    gateway = request.app[GATEWAY]
    start = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 16}
    return _json({"url": gateway.url, "shards": gateway.shards, "session_start_limit": start})


@routes.get(f"{PREFIX}/users/{{user_id}}")
async def get_user(request: web.Request) -> web.Response:
    found = _world(request).users.get(_id(request, "user_id"))
    if found is None:
        raise Refused(10013)
    return _json(payloads.user(found))


@routes.post(f"{PREFIX}/users/@me/channels")
async def open_dm(request: web.Request) -> web.Response:
    world = _world(request)
    found = world.users.get(int(_body(request).fields.get("recipient_id") or 0))
    if found is None:
        raise Refused(10013)
    if found.bot:
        raise Refused(50007)
    return _json(payloads.channel(world, world.direct(found.id)))


# Servers and channels.


@routes.get(f"{PREFIX}/guilds/{{guild_id}}")
async def get_guild(request: web.Request) -> web.Response:
    world = _world(request)
    found = _guild(request)
    told = payloads.guild(world, found)
    if request.query.get("with_counts"):
        told |= {"approximate_member_count": len(found.members), "approximate_presence_count": 0}
    return _json(told)


def _guild(request: web.Request) -> Guild:
    world = _world(request)
    found = world.guilds.get(_id(request, "guild_id"))
    if found is None:
        raise Refused(10004)
    if world.app.id not in found.members:
        raise Refused(50001)
    return found


@routes.get(f"{PREFIX}/guilds/{{guild_id}}/channels")
async def get_channels(request: web.Request) -> web.Response:
    world, found = _world(request), _guild(request)
    mine = [c for c in world.channels.values() if c.guild_id == found.id]
    return _json([payloads.channel(world, c) for c in mine if c.kind != PUBLIC_THREAD])


@routes.get(f"{PREFIX}/guilds/{{guild_id}}/roles")
async def get_roles(request: web.Request) -> web.Response:
    return _json([payloads.role(r) for r in _guild(request).roles.values()])


@routes.get(f"{PREFIX}/guilds/{{guild_id}}/members/{{user_id}}")
async def get_member(request: web.Request) -> web.Response:
    found, user_id = _guild(request), _id(request, "user_id")
    if user_id not in found.members:
        raise Refused(10007)
    return _json(payloads.member(_world(request), found, user_id))


@routes.get(f"{PREFIX}/channels/{{channel_id}}")
async def get_channel(request: web.Request) -> web.Response:
    return _json(payloads.channel(_world(request), _channel(request)))


@routes.post(f"{PREFIX}/channels/{{channel_id}}/typing")
async def type_on(request: web.Request) -> web.Response:
    _channel(request, Permission.SEND_MESSAGES)
    return _nothing()


# Messages.


@routes.get(f"{PREFIX}/channels/{{channel_id}}/messages")
async def get_messages(request: web.Request) -> web.Response:
    world = _world(request)
    where = _channel(request, Permission.READ_MESSAGE_HISTORY)
    here = [m for m in world.messages.values() if m.channel_id == where.id and not m.audience]
    before = int(request.query.get("before", 1 << 63))
    after = int(request.query.get("after", 0))
    chosen = sorted((m for m in here if after < m.id < before), key=lambda m: -m.id)
    limit = int(request.query.get("limit", 50))
    return _json([payloads.message(world, m) for m in chosen[:limit]])


@routes.get(f"{PREFIX}/channels/{{channel_id}}/messages/{{message_id}}")
async def get_message(request: web.Request) -> web.Response:
    where = _channel(request, Permission.READ_MESSAGE_HISTORY)
    return _json(payloads.message(_world(request), _message(request, where)))


@routes.post(f"{PREFIX}/channels/{{channel_id}}/messages")
async def post_message(request: web.Request) -> web.Response:
    world, body = _world(request), _body(request)
    where = _channel(request, *_to_speak(request, body))
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
    return _json(payloads.message(world, said))


def _to_speak(request: web.Request, body: Body) -> list[Permission]:
    where = _world(request).channels.get(_id(request, "channel_id"))
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
    world = _world(request)
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
    world, body = _world(request), _body(request)
    where = _channel(request, *([Permission.ATTACH_FILES] if body.files else []))
    message = _message(request, where)
    if message.author_id != world.app.id:
        raise Refused(50005)
    limit = permissions.upload_limit(world, where.guild_id)
    return _json(payloads.message(world, messages.edit(world, message, body, limit)))


@routes.delete(f"{PREFIX}/channels/{{channel_id}}/messages/{{message_id}}")
async def delete_message(request: web.Request) -> web.Response:
    world, where = _world(request), _channel(request)
    message = _message(request, where)
    may = permissions.of(world, world.app.id, where)
    if message.author_id != world.app.id and not may & Permission.MANAGE_MESSAGES:
        raise Refused(50013)
    messages.delete(world, message)
    return _nothing()


# Commands.


@routes.get(f"{PREFIX}/applications/{{application_id}}/commands")
async def get_commands(request: web.Request) -> web.Response:
    return _json(list(_world(request).commands.values()))


@routes.put(f"{PREFIX}/applications/{{application_id}}/commands")
async def put_commands(request: web.Request) -> web.Response:
    said = _body(request).json or []
    return _json(commands.replace_all(_world(request), said))


@routes.post(f"{PREFIX}/applications/{{application_id}}/commands")
async def post_command(request: web.Request) -> web.Response:
    world, said = _world(request), _body(request).fields
    key = (said.get("type") or SLASH, said["name"])
    others = [c for c in world.commands.values() if (c["type"], c["name"]) != key]
    known = len(others) < len(world.commands)
    made = commands.replace_all(world, [*others, said])
    return _json(made[-1], 200 if known else 201)


# Interactions and their webhooks.


@routes.post(f"{PREFIX}/interactions/{{interaction_id}}/{{interaction_token}}/callback")
async def answer_interaction(request: web.Request) -> web.Response:
    told = interactions.acknowledge(
        _world(request),
        _id(request, "interaction_id"),
        request.match_info["interaction_token"],
        _body(request),
    )
    with_response = request.query.get("with_response", "").lower() in ("1", "true")
    return _json(told) if with_response else _nothing()


def _asked(request: web.Request) -> Interaction:
    token = request.match_info["webhook_token"]
    return interactions.by_token(_world(request), _id(request, "webhook_id"), token)


WEBHOOK = f"{PREFIX}/webhooks/{{webhook_id}}/{{webhook_token}}"


@routes.post(WEBHOOK)
async def follow_up(request: web.Request) -> web.Response:
    world = _world(request)
    said = interactions.follow_up(world, _asked(request), _body(request))
    return _json(payloads.message(world, said))


@routes.get(f"{WEBHOOK}/messages/@original")
async def get_original(request: web.Request) -> web.Response:
    world = _world(request)
    return _json(payloads.message(world, interactions.original(world, _asked(request))))


@routes.patch(f"{WEBHOOK}/messages/@original")
async def patch_original(request: web.Request) -> web.Response:
    world, asked = _world(request), _asked(request)
    said = interactions.original(world, asked)
    changed = messages.edit(world, said, _body(request), asked.limit)
    return _json(payloads.message(world, changed))


@routes.delete(f"{WEBHOOK}/messages/@original")
async def delete_original(request: web.Request) -> web.Response:
    world = _world(request)
    messages.delete(world, interactions.original(world, _asked(request)))
    return _nothing()


def _said(request: web.Request) -> tuple[Interaction, Message]:
    asked = _asked(request)
    message_id = _id(request, "message_id")
    return asked, interactions.said_through(_world(request), asked, message_id)


@routes.get(f"{WEBHOOK}/messages/{{message_id}}")
async def get_followup(request: web.Request) -> web.Response:
    return _json(payloads.message(_world(request), _said(request)[1]))


@routes.patch(f"{WEBHOOK}/messages/{{message_id}}")
async def patch_followup(request: web.Request) -> web.Response:
    world = _world(request)
    asked, said = _said(request)
    changed = messages.edit(world, said, _body(request), asked.limit)
    return _json(payloads.message(world, changed))


@routes.delete(f"{WEBHOOK}/messages/{{message_id}}")
async def delete_followup(request: web.Request) -> web.Response:
    messages.delete(_world(request), _said(request)[1])
    return _nothing()


# Money.


@routes.get(f"{PREFIX}/applications/{{application_id}}/skus")
async def get_skus(request: web.Request) -> web.Response:
    return _json(list(_world(request).skus.values()))


@routes.get(f"{PREFIX}/applications/{{application_id}}/entitlements")
async def get_entitlements(request: web.Request) -> web.Response:
    held = list(_world(request).entitlements.values())
    user_id = request.query.get("user_id")
    return _json([e for e in held if user_id in (None, e.get("user_id"))])


@routes.post(f"{PREFIX}/applications/{{application_id}}/entitlements/{{entitlement_id}}/consume")
async def consume_entitlement(request: web.Request) -> web.Response:
    held = _world(request).entitlements
    entitlement_id = _id(request, "entitlement_id")
    if entitlement_id not in held:
        raise Refused(10029)
    held[entitlement_id] = held[entitlement_id] | {"consumed": True}
    return _nothing()


async def unknown(request: web.Request) -> web.Response:
    """A route that neither Discord nor the stand-in has, or the stand-in alone lacks."""
    path = request.path.removeprefix(PREFIX)
    _world(request).violate(f"stand-in: has no {request.method} {path}")
    return _json({"message": "404: Not Found", "code": 0}, 404)


def application(
    world: World, gateway: Gateway, limits: Limits, faults: Faults, judge: Judge | None
) -> web.Application:
    app = web.Application(middlewares=[door], client_max_size=MOST_BYTES)
    app[WORLD], app[GATEWAY], app[LIMITS], app[FAULTS] = world, gateway, limits, faults
    if judge is not None:
        app[JUDGE] = judge
    app.add_routes(routes)
    app.router.add_route("*", "/{path:.*}", unknown)
    return app
