"""The door that every request to REST comes through, and what its handlers ask of a request.

At the door a request is recorded, meets its faults, is counted, proves who it is, and is judged
against Discord's description; so is the answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import BodyPartReader, web

from tests.discord import permissions
from tests.discord.cdn import Upload
from tests.discord.consent import Consent
from tests.discord.faults import Fault, Faults
from tests.discord.gateway import Gateway
from tests.discord.limits import Limits, Spent
from tests.discord.messages import Body
from tests.discord.permissions import Permission
from tests.discord.refusals import Malformed, Refused
from tests.discord.schema import Judge
from tests.discord.world import Channel, Entry, Message, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PREFIX = "/api/v10"
WORLD = web.AppKey("world", World)
GATEWAY = web.AppKey("gateway", Gateway)
LIMITS = web.AppKey("limits", Limits)
FAULTS = web.AppKey("faults", Faults)
JUDGE = web.AppKey("judge", Judge)
CONSENT = web.AppKey("consent", Consent)
BODY = web.RequestKey("body", Body)
TOKENLESS = ("/interactions/{", "/webhooks/{", "/oauth2/authorize", "/oauth2/token")
BY_BEARER = ("/users/@me", "/users/@me/guilds")
MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token", "interaction_id")


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
            answer = as_json(refused.body(), refused.status)
            if isinstance(refused, Malformed):
                world.violate(f"{request.method} {template}: {refused.why}")
        except Exception as error:
            if request.transport is None or request.transport.is_closing():
                return web.Response(status=400)  # the bot died midway: nothing was done
            world.violate(f"stand-in: {request.method} {template}: {error!r}")
            raise
    limits.note(answer.status)
    told = json.loads(answer.text) if _is_json(answer) and answer.text else None
    if fault is None or fault.status != 200:
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
    user = request.app[CONSENT].bearer(proof or "") if template in BY_BEARER else None
    if not template.startswith(TOKENLESS) and proof != f"Bot {world.token}" and user is None:
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
        if kind == "application/x-www-form-urlencoded" and "/oauth2/" in request.path:
            return Body({name: str(value) for name, value in (await request.post()).items()})
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
    answer = as_json(told, 429)
    answer.headers["Retry-After"] = str(int(spent.retry_after) + 1)
    answer.headers["X-RateLimit-Scope"] = spent.scope
    answer.headers["Via"] = "1.1 google"
    if spent.scope == "global":
        answer.headers["X-RateLimit-Global"] = "true"
    return answer


def _is_json(answer: web.Response) -> bool:
    return answer.content_type == "application/json"


def as_json(told: Any, status: int = 200) -> web.Response:
    """JSON with no charset beside its type: the library looks at the whole header."""
    answer = web.Response(status=status, body=json.dumps(told).encode())
    answer.headers["Content-Type"] = "application/json"
    return answer


def nothing() -> web.Response:
    return web.Response(status=204)


def world_of(request: web.Request) -> World:
    return request.app[WORLD]


def body_of(request: web.Request) -> Body:
    return request[BODY]


def number(request: web.Request, name: str) -> int:
    value = request.match_info[name]
    if not value.isdigit():
        raise Malformed(name, f"Value {value!r} is not snowflake.")
    return int(value)


def channel_of(request: web.Request, *needed: Permission) -> Channel:
    """The channel of the path, where the app may do what is needed there.

    Raises:
        Refused: 10003, 50001 without a view of it, 50013 without a further permission.
    """
    world = world_of(request)
    where = world.channels.get(number(request, "channel_id"))
    if where is None:
        raise Refused(10003)
    may = permissions.of(world, world.app.id, where)
    if not may & Permission.VIEW_CHANNEL:
        raise Refused(50001)
    if any(not may & permission for permission in needed):
        raise Refused(50013)
    return where


def message_of(request: web.Request, where: Channel) -> Message:
    message = world_of(request).messages.get(number(request, "message_id"))
    if message is None or message.channel_id != where.id or message.audience is not None:
        raise Refused(10008)
    return message
