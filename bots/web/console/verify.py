"""Verify: where any file came from, with its words for who leads where it was asked for, unless
only who asked sees its card."""

from __future__ import annotations

from aiohttp import web

from bots import verifying as words
from bots.web import problems, verifying
from bots.web.console import frame
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.frame import Page
from core.errors import Transient, UserError
from core.job import Job
from core.provenance import VERIFIED_MAX_BYTES
from core.records import Asked, JobFilter


async def show(request: web.Request) -> web.StreamResponse:
    return await _shown(request)


async def verify(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    try:
        finding = await verifying.found(request)
    except (UserError, Transient) as error:
        problem = problems.from_error(error)
        return await _shown(request, problem=problem.detail, status=problem.status)
    asked = await _asked(request, seat, finding.job)
    leads = asked is not None and not asked.hidden
    return await _shown(request, said=words.verified(finding, seat.authority.account, leads=leads),
                        job=asked.job.id if asked and not asked.job.deleted else "")  # fmt: skip


async def _asked(request: web.Request, seat: Seat, job: Job | None) -> Asked | None:
    """A clip among the jobs that they see."""
    if job is None:
        return None
    found = await console(request).records.jobs(JobFilter(seat.server, words=job.id), 1)
    return next(iter(found), None)


async def _shown(
    request: web.Request, *, said: str = "", job: str = "", problem: str = "", status: int = 200
) -> web.StreamResponse:
    return await frame.show(
        request, await seated(request), "verify", status=status, said=said, job=job,
        problem=problem, most=f"{VERIFIED_MAX_BYTES / 1e6:g} MB",
    )  # fmt: skip


PAGE = Page("verify", "Verify", (web.get(f"{AT}/verify", show), web.post(f"{AT}/verify", verify)))
