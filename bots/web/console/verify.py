"""Verify: where any file came from, with its words for who leads where it was asked for."""

from __future__ import annotations

from aiohttp import web

from bots import verifying as words
from bots.web import problems, verifying
from bots.web.console import frame
from bots.web.console.desk import AT, seated
from bots.web.console.frame import Page
from core.errors import Transient, UserError
from core.places import server
from core.provenance import VERIFIED_MAX_BYTES


async def show(request: web.Request) -> web.StreamResponse:
    return await _shown(request)


async def verify(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    try:
        finding = await verifying.found(request)
    except (UserError, Transient) as error:
        problem = problems.from_error(error)
        return await _shown(request, problem=problem.detail, status=problem.status)
    job = finding.job
    leads = seat.operator or (job is not None and server(job.place) == seat.server)
    return await _shown(request, said=words.verified(finding, seat.authority.account, leads=leads),
                        job=job.id if job and leads and not job.deleted else "")  # fmt: skip


async def _shown(
    request: web.Request, *, said: str = "", job: str = "", problem: str = "", status: int = 200
) -> web.StreamResponse:
    return await frame.show(
        request, await seated(request), "verify", status=status, said=said, job=job,
        problem=problem, most=f"{VERIFIED_MAX_BYTES / 1e6:g} MB",
    )  # fmt: skip


PAGE = Page("verify", "Verify", (web.get(f"{AT}/verify", show), web.post(f"{AT}/verify", verify)))
