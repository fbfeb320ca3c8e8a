"""Where any file came from: asked on the page, answered in words."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web

from bots import verifying as words
from bots.web import doors, problems, upload
from bots.web.site import site, visitor
from core.errors import Transient, UserError, WrongState
from core.provenance import VERIFIED_MAX_BYTES, Finding

FILE = "file"
"""The part of the form that it is in."""

UNABLE = "Nothing can be verified here just now."


async def show(request: web.Request) -> web.StreamResponse:
    return _page(request)


async def verify(request: web.Request) -> web.StreamResponse:
    try:
        finding = await found(request)
    except (UserError, Transient) as error:
        problem = problems.from_error(error)
        response = _page(request, problem=problem.detail)
        response.set_status(problem.status)
        response.headers.update(problem.headers)
        return response
    return _page(request, said=words.verified(finding, visitor(request).account))


async def found(request: web.Request) -> Finding:
    """What is known of the file in a form, which carries the session's token before it. Raises
    Problem, UserError or Transient."""
    here, account = site(request), visitor(request).account
    sending = upload.spooled(request, FILE, VERIFIED_MAX_BYTES, here.spooled, account.id)
    async with sending as (fields, path):
        doors.check_token(request, fields.get("token", ""))
        if path is None:
            raise upload.no_file()
        if here.verify is None:
            raise WrongState(UNABLE)
        return await here.verify(path)


def _page(request: web.Request, *, said: str = "", problem: str = "") -> web.Response:
    context = {
        "token": visitor(request).token,
        "said": said,
        "problem": problem,
        "most": f"{VERIFIED_MAX_BYTES / 1e6:g} MB",
    }
    return aiohttp_jinja2.render_template("verify.html", request, context)


ROUTES = (web.get("/verify", show), web.post("/verify", verify))
