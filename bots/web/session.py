"""Browser sessions: opened by a one-time link, closed by a button."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

from aiohttp import web

from bots.web import doors
from bots.web.problems import Problem
from bots.web.site import site
from core.job import Account

SESSION_DAYS = 30
_PREVIEWS = re.compile(r"bot[/-]|bot \(|facebookexternalhit|whatsapp/|preview", re.IGNORECASE)


async def open_link(request: web.Request) -> web.StreamResponse:
    """Redeem a link's code for a session; ?to=console leads there. A prefetch is turned away, and
    what draws previews of links in a chat, so that they cost no link."""
    here, headers = site(request), request.headers
    agent = headers.get("User-Agent", "")
    if "prefetch" in headers.get("Sec-Purpose", "") or _PREVIEWS.search(agent):
        raise Problem(503, "This link opens when it is really followed.")
    code = request.match_info["code"]
    account = None
    if doors.is_secret(code):
        account = await here.credentials.redeem("link", code, here.clock())
    if account is None:
        raise Problem(
            410,
            "This link was used before, or its time is over: each opens one browser, once. "
            "`kinora link` makes a new one.",
            "link",
        )
    return await opened(request, account, "/console" if request.query.get("to") else "/")


async def opened(request: web.Request, account: Account, to: str) -> web.StreamResponse:
    """From now on this browser is theirs. to: where it goes."""
    here = site(request)
    session = secrets.token_urlsafe(32)
    lasts = timedelta(days=SESSION_DAYS)
    await here.credentials.add("session", session, account.id, "browser", here.clock() + lasts)
    response = doors.see_other(to)
    response.set_cookie(
        doors.COOKIE,
        session,
        max_age=int(lasts.total_seconds()),
        path="/",
        httponly=True,
        secure=here.web.secure,
        # Strict would stay behind on the way from a link in somebody's mail to the page.
        samesite="Lax",
    )
    return response


async def close(request: web.Request) -> web.StreamResponse:
    """Sign this browser out."""
    form = await request.post()
    doors.check_token(request, str(form.get("token", "")))
    await site(request).credentials.revoke("session", request.cookies[doors.COOKIE])
    response = doors.message(
        request,
        Problem(200, "This browser is signed out. `kinora link` makes a link to come back."),
    )
    response.del_cookie(doors.COOKIE, path="/")
    return response


ROUTES = (
    web.get("/open/{code}", open_link, allow_head=False),
    web.post("/close", close),
)
