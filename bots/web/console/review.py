"""Review: what waits for a moderator's word; what was asked is covered until they look."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bots.web.console import acts, files, frame
from bots.web.console.desk import AT, console, seated
from bots.web.console.frame import Page
from bots.web.upload import is_id
from core.errors import NotFound
from core.reviews import Held
from core.safety.verdict import POLICY

ROWS = 20


async def review(request: web.Request) -> web.StreamResponse:
    """?clip=ID shows that one alone."""
    seat = await seated(request)
    after, only = request.query.get("after", ""), request.query.get("clip", "")
    if not all(is_id(one) for one in (after, only) if one):
        raise NotFound("There is no such clip.")
    reviews, server = console(request).reviews, seat.server or None
    if only:
        found: Sequence[Held] = [await reviews.held(server, only)]
    else:
        found = await reviews.pending(server, ROWS + 1, after or None)
    return await frame.show(
        request, seat, "review", cases=found[:ROWS], policy=POLICY, only=only,
        after=found[ROWS - 1].job.id if len(found) > ROWS else "",
    )  # fmt: skip


async def picture(request: web.Request) -> web.StreamResponse:
    """One that the clip would be made from, small."""
    seat = await seated(request)
    held = await console(request).reviews.held(seat.server or None, request.match_info["id"])
    asked = held.job.request
    last = request.match_info["which"] == "last-picture"
    return await files.picture(request, asked.last_picture if last else asked.picture)


async def act(request: web.Request) -> web.StreamResponse:
    """Approve or deny."""
    seat = await seated(request, acting=True)
    job, owner = await console(request).moderators.owner(request.match_info["id"])
    return await acts.perform(
        request, seat, acts.ON_HELD, f"{seat.root}/review", account_id=owner.id, job_id=job.id
    )


_HELD = f"{AT}/review/{{id:[0-9a-z]{{12}}}}"

PAGE = Page(
    "review",
    "Review",
    (
        web.get(f"{AT}/review", review),
        web.get(f"{_HELD}/{{which:picture|last-picture}}", picture),
        web.post(f"{_HELD}/act", act),
    ),
)
