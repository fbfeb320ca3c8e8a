"""Where clips come from, by the API: what makes one again, and what any file says of itself."""

from __future__ import annotations

from aiohttp import web

from bots import verifying as words
from bots.web import verifying
from bots.web.problems import Problem
from bots.web.site import site, visitor
from core.errors import WrongState

NO_RECIPE = "This clip has no recipe: it goes on from another, or its model is gone."


async def recipe(request: web.Request) -> web.StreamResponse:
    """What makes a clip of yours again, in one word; with ?words=false without your words."""
    said = request.query.get("words", "true")
    if said not in ("true", "false"):
        raise Problem(422, "words is true or false.")
    studio = site(request).studio
    view = await studio.view(visitor(request).account, request.match_info["id"])
    token = await studio.token(view.job, words=said == "true")
    if not token:
        raise WrongState(NO_RECIPE)
    return web.json_response({"token": token})


async def verify(request: web.Request) -> web.StreamResponse:
    """Whether a picture or clip was made here, when and as which clip."""
    finding = await verifying.found(request)
    said = words.verified(finding, visitor(request).account)
    return web.json_response({**finding.as_dict(), "words": said})
