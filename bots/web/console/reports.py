"""Reports: clips that people find wrong, covered until somebody looks; taken down or left."""

from __future__ import annotations

from aiohttp import web

from bots.web.console import acts, files, frame
from bots.web.console.desk import AT, console, seated
from bots.web.console.frame import Page
from bots.web.upload import is_id
from core.errors import NotFound
from core.job import Clip

ROWS = 20


async def reports(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    after = request.query.get("after", "")
    if after and not is_id(after):
        raise NotFound("There is no such clip.")
    found = await console(request).reviews.reports(seat.server or None, ROWS + 1, after or None)
    return await frame.show(
        request, seat, "reports", reports=found[:ROWS],
        after=found[ROWS - 1].job.id if len(found) > ROWS else "",
    )  # fmt: skip


async def video(request: web.Request) -> web.StreamResponse:
    return await files.stored((await _clip(request)).video)


async def poster(request: web.Request) -> web.StreamResponse:
    return await files.stored((await _clip(request)).poster)


async def act(request: web.Request) -> web.StreamResponse:
    """Take it down, or leave it."""
    seat = await seated(request, acting=True)
    job, owner = await console(request).moderators.owner(request.match_info["id"])
    return await acts.perform(
        request, seat, acts.ON_REPORTED, f"{seat.root}/reports", account_id=owner.id, job_id=job.id
    )


async def _clip(request: web.Request) -> Clip:
    """Raises NotFound."""
    seat = await seated(request)
    found = await console(request).reviews.reported(seat.server or None, request.match_info["id"])
    if found.clip is None:
        raise NotFound(files.GONE)
    return found.clip


_REPORTED = f"{AT}/reports/{{id:[0-9a-z]{{12}}}}"

PAGE = Page(
    "reports",
    "Reports",
    (
        web.get(f"{AT}/reports", reports),
        web.get(f"{_REPORTED}/video", video),
        web.get(f"{_REPORTED}/poster", poster),
        web.post(f"{_REPORTED}/act", act),
    ),
)
