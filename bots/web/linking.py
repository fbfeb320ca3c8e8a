"""The page's linked accounts: a code for elsewhere, a code from elsewhere, and leaving."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web

from bots import linking as words
from bots.card import credits
from bots.moderation import name_of
from bots.web import doors, problems, session
from bots.web.site import site, visitor
from core.errors import UserError, WrongState
from core.job import Account, Identity, new_id
from core.links import NOT_LINKED, Offer

PLATFORM = "web"


async def show(request: web.Request) -> web.StreamResponse:
    """What is linked, and the forms."""
    return await _page(request)


async def make_code(request: web.Request) -> web.StreamResponse:
    """A code to type elsewhere; it is shown this once."""
    await _form(request)
    return await _page(request, made=await site(request).links.code(visitor(request).account))


async def offer(request: web.Request) -> web.StreamResponse:
    """What the code that was typed would do."""
    typed = (await _form(request)).get("code", "")
    account = visitor(request).account
    try:
        offered = await site(request).links.offer(account, typed, await _name(request, account))
    except UserError as error:
        problem = problems.from_error(error)
        response = await _page(request, problem=problem.detail)
        response.set_status(problem.status)
        return response
    return await _page(request, offered=offered)


async def join(request: web.Request) -> web.StreamResponse:
    typed = (await _form(request)).get("code", "")
    account = visitor(request).account
    by = await _own(request, account)
    await site(request).links.join(account, typed, await _name(request, account), by)
    return doors.see_other("/link")


async def part(request: web.Request) -> web.StreamResponse:
    """The name on the page leaves, and this browser goes with it."""
    await _form(request)
    here, account = site(request), visitor(request).account
    own = await _own(request, account)
    if own is None or len(await here.links.linked(account)) < 2:
        raise WrongState(NOT_LINKED)
    key = f"web:{new_id()}"
    await here.links.part(own, account, await _name(request, account), key)
    return await session.opened(request, await here.studio.account(own, account.name), "/link")


async def _page(
    request: web.Request, *, made: str = "", offered: Offer | None = None, problem: str = ""
) -> web.Response:
    here, who = site(request), visitor(request)
    linked = await here.links.linked(who.account)
    context = {
        "token": who.token,
        "name": who.account.name,
        "linked": [(words.places([one]), one.subject) for one in linked],
        "leaves": len(linked) > 1 and await _own(request, who.account) is not None,
        "rest": words.places(one for one in linked if one.platform != PLATFORM),
        "made": made,
        "offered": offered,
        "elsewhere": words.places(offered.elsewhere) if offered else "",
        "together": credits(offered.credits) if offered else "",
        "problem": problem,
    }
    return aiohttp_jinja2.render_template("link.html", request, context)


async def _form(request: web.Request) -> dict[str, str]:
    form = {name: str(value) for name, value in (await request.post()).items()}
    doors.check_token(request, form.get("token", ""))
    return form


async def _own(request: web.Request, account: Account) -> Identity | None:
    """The name by which they are known on the page; None where they came from a chat."""
    linked = await site(request).links.linked(account)
    return next((one for one in linked if one.platform == PLATFORM), None)


async def _name(request: web.Request, account: Account) -> str:
    own = await _own(request, account)
    return name_of(account.name, own or Identity(PLATFORM, f"account {account.id}"))


ROUTES = (
    web.get("/link", show),
    web.post("/link", offer),
    web.post("/link/code", make_code),
    web.post("/link/join", join),
    web.post("/link/part", part),
)
