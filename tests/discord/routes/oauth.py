"""OAuth2 as a browser and an app see it: a page that asks, a code, a token that is given back.

https://docs.discord.com/developers/topics/oauth2
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from html import escape
from typing import Any

from aiohttp import encode_basic_auth, web
from yarl import URL

from tests.discord import payloads, permissions
from tests.discord.door import CONSENT, PREFIX, as_json, body_of, world_of
from tests.discord.refusals import Refused

SECRET = "the application's own secret"
SCOPES = {"identify", "guilds"}


routes = web.RouteTableDef()


@routes.get(f"{PREFIX}/oauth2/authorize")
async def ask(request: web.Request) -> web.Response:
    _check(request)
    who = world_of(request).users[request.app[CONSENT].browser].name
    page = f"<form method=post><p>{escape(who)}, let Kinora in?<button>Authorize</button></form>"
    return web.Response(text=page, content_type="text/html")


@routes.post(f"{PREFIX}/oauth2/authorize")
async def agree(request: web.Request) -> web.Response:
    said, consent = _check(request), request.app[CONSENT]
    code = secrets.token_urlsafe(16)
    consent.codes[code] = (consent.browser, said["code_challenge"], said["redirect_uri"])
    back = URL(said["redirect_uri"]).update_query(code=code, state=said["state"])
    return web.Response(status=302, headers={"Location": str(back)})


@routes.post(f"{PREFIX}/oauth2/token")
async def trade(request: web.Request) -> web.Response:
    said, consent = _from_app(request), request.app[CONSENT]
    user, challenge, back = consent.codes.pop(said.get("code", ""), (0, "", ""))
    digest = hashlib.sha256(said.get("code_verifier", "").encode()).digest()
    shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not user or shown != challenge or said.get("redirect_uri") != back:
        return as_json({"error": "invalid_grant"}, 400)
    token = secrets.token_urlsafe(16)
    consent.tokens[token] = user
    consent.given += 1
    told = {"access_token": token, "token_type": "Bearer", "expires_in": 604800}
    return as_json({**told, "refresh_token": secrets.token_urlsafe(16), "scope": "identify guilds"})


@routes.post(f"{PREFIX}/oauth2/token/revoke")
async def revoke(request: web.Request) -> web.Response:
    said = _from_app(request)
    request.app[CONSENT].tokens.pop(said.get("token", ""), None)
    return as_json({})


def me(request: web.Request, user_id: int) -> dict[str, Any]:
    return payloads.user(world_of(request).users[user_id]) | {
        "mfa_enabled": True,
        "locale": "en-GB",
    }


def guilds(request: web.Request, user_id: int) -> list[dict[str, Any]]:
    world = world_of(request)
    return [
        {
            "id": str(g.id), "name": g.name, "icon": None, "banner": None,
            "owner": g.owner_id == user_id, "features": [],
            "permissions": str(int(permissions.in_guild(g, user_id))),
        }
        for g in world.guilds.values() if user_id in g.members
    ]  # fmt: skip


def _check(request: web.Request) -> dict[str, str]:
    """Raises Refused, as Discord's page refuses."""
    said, consent = dict(request.query), request.app[CONSENT]
    good = (
        said.get("client_id") == str(world_of(request).app.id)
        and said.get("response_type") == "code"
        and set(said.get("scope", "").split()) <= SCOPES
        and said.get("redirect_uri") in consent.redirects
        and said.get("code_challenge_method") == "S256"
        and len(said.get("code_challenge", "")) == 43
        and said.get("state")
    )
    if not good:
        world_of(request).violate(f"oauth2/authorize: {sorted(said)}")
        raise Refused(50035)
    return said


def _from_app(request: web.Request) -> dict[str, str]:
    """A form, from who knows the application's secret. Raises Refused."""
    proof = encode_basic_auth(str(world_of(request).app.id), SECRET)
    if request.headers.get("Authorization") != proof:
        raise Refused(40001)
    return dict(body_of(request).json)
