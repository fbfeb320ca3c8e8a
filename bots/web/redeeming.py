"""A voucher code, typed on the page."""

from __future__ import annotations

import re

import aiohttp_jinja2
from aiohttp import web

from bots import wares
from bots.web import doors, problems
from bots.web.site import site, visitor
from core.errors import BadPrompt, UserError
from core.job import new_id

_KEY = re.compile(r"[0-9a-z]{12}")


async def show(request: web.Request) -> web.StreamResponse:
    return _page(request)


async def redeem(request: web.Request) -> web.StreamResponse:
    """A form that is sent again brings nothing more, and is told the same."""
    form = {name: str(value) for name, value in (await request.post()).items()}
    doors.check_token(request, form.get("token", ""))
    account, key = visitor(request).account, form.get("key", "")
    if not _KEY.fullmatch(key):
        raise BadPrompt("This form is of another version of Kinora: open it again.")
    try:
        bought = await site(request).vouchers.redeem(
            account, form.get("code", ""), f"web:{account.id}/{key}"
        )
    except UserError as error:
        problem = problems.from_error(error)
        response = _page(request, problem=problem.detail)
        response.set_status(problem.status)
        return response
    return _page(request, came=wares.came(bought))


def _page(request: web.Request, *, came: str = "", problem: str = "") -> web.Response:
    context = {"token": visitor(request).token, "key": new_id(), "came": came, "problem": problem}
    return aiohttp_jinja2.render_template("redeem.html", request, context)


ROUTES = (web.get("/redeem", show), web.post("/redeem", redeem))
