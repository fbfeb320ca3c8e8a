"""Signing in to the console: by Discord, by Telegram, or by a link that a chat or the shell gives.

A session is the page's own. What a platform said at the sign-in is written down as a hint of what
to ask about; who leads what is asked of the platforms whenever it counts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta

import aiohttp_jinja2
from aiohttp import web

from bots.web import doors, session
from bots.web.console.desk import SERVERS_MOST, TELEGRAM_LOGIN, console, nobody
from bots.web.problems import Problem
from bots.web.site import site
from core.errors import Refused
from core.job import Account
from core.leaders import Led, SignedIn
from core.places import platform

COOKIE = "kinora_sign_in"
BACK = "/console/discord/back"
ASKED_SECONDS = 600
SEEN = timedelta(hours=1)
"""For how long a login by Telegram is known again; by then it is too old anyway."""


async def sign_in(request: web.Request) -> web.StreamResponse:
    return aiohttp_jinja2.render_template(
        "console/sign-in.html", request, {"discord": console(request).by_discord is not None}
    )


async def by_discord(request: web.Request) -> web.StreamResponse:
    """To Discord, which asks whether they agree. A cookie holds what only this browser knows."""
    here = console(request)
    if here.by_discord is None:
        raise web.HTTPNotFound
    secret = secrets.token_urlsafe(32)
    digest = hashlib.sha256(_derived(secret, "verifier").encode()).digest()
    address = here.by_discord.address(
        here.address + BACK, _derived(secret, "state"), _unpadded(digest)
    )
    response = doors.see_other(address)
    response.set_cookie(
        COOKIE, secret, max_age=ASKED_SECONDS, path="/console", httponly=True,
        secure=site(request).web.secure, samesite="Lax",
    )  # fmt: skip
    return response


async def from_discord(request: web.Request) -> web.StreamResponse:
    """Back from there, with a code that is good once."""
    here, secret = console(request), request.cookies.get(COOKIE, "")
    if here.by_discord is None:
        raise web.HTTPNotFound
    state, code = request.query.get("state", ""), request.query.get("code", "")
    ours = hmac.compare_digest(state.encode(), _derived(secret, "state").encode())
    if not (doors.is_secret(secret) and ours):
        raise Problem(403, "This sign-in did not begin in this browser. Begin anew.", "state")
    if not doors.is_secret(code):
        raise Problem(403, "Discord did not let you in, or you did not agree.", "code")
    found = await here.by_discord.signed_in(code, here.address + BACK, _derived(secret, "verifier"))
    response = await _let_in(request, found)
    response.del_cookie(COOKIE, path="/console")
    return response


async def from_telegram(request: web.Request) -> web.StreamResponse:
    """By a button that Telegram signs for: each press is good once."""
    here, credentials = console(request), site(request).credentials
    if here.by_telegram is None:
        raise web.HTTPNotFound
    now = site(request).clock()
    found = here.by_telegram(request.query, now)
    account = await _account(request, found)
    proof = request.query.get("hash", "")
    await credentials.add("telegram", proof, account.id, account.name, now + SEEN)
    if await credentials.redeem("telegram", proof, now) is None:
        raise Refused("This button was pressed before, and opens once: type /console again.")
    known = await here.records.servers(SERVERS_MOST)
    groups = [Led(one.server, one.title) for one in known if platform(one.server) == "telegram"]
    await here.leadership.look(account, groups)
    return await _opened(request, account)


async def _let_in(request: web.Request, found: SignedIn) -> web.StreamResponse:
    account = await _account(request, found)
    await console(request).leadership.told(account, found.led)
    return await _opened(request, account)


async def _opened(request: web.Request, account: Account) -> web.StreamResponse:
    """For who leads something: it is no way to the page for everybody with a name elsewhere."""
    if not await console(request).leadership.may_lead(account):
        raise nobody()
    return await session.opened(request, account, "/console")


async def _account(request: web.Request, found: SignedIn) -> Account:
    return await site(request).studio.account(found.identity, found.name)


def _derived(secret: str, what: str) -> str:
    """What is told of a secret, in place of it; 43 characters."""
    return _unpadded(hmac.new(secret.encode(), what.encode(), hashlib.sha256).digest())


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


ROUTES = (
    web.get("/console/sign-in", sign_in),
    web.get("/console/discord", by_discord, allow_head=False),
    web.get(BACK, from_discord, allow_head=False),
    web.get(TELEGRAM_LOGIN, from_telegram, allow_head=False),
)
