"""The first page: how things stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiohttp import web

from bots.web import doors
from bots.web.console import acts, frame, treasury
from bots.web.console.desk import AT, EVERYTHING, console, nobody, seated
from bots.web.console.frame import Page
from bots.web.site import site, visitor
from core.errors import NotFound
from core.job import State
from core.moderation import Rank
from core.places import server
from core.records import LogFilter
from core.sentences import allowed

ROWS = 8


async def entrance(request: web.Request) -> web.StreamResponse:
    """To all for operators, else to the server that they led last."""
    authority = await console(request).leadership.authority(visitor(request).account)
    if authority.rank >= Rank.OPERATOR:
        return doors.see_other(f"/console/{EVERYTHING}")
    if not authority.led:
        raise nobody()
    return doors.see_other(f"/console/{authority.led[0].server}")


async def choose(request: web.Request) -> web.StreamResponse:
    """The menu of servers, without scripts."""
    at = request.query.get("at", EVERYTHING)
    if not re.fullmatch(rf"{EVERYTHING}|[a-z]{{2,12}}:-?[0-9]{{1,20}}", at):
        raise NotFound("There is no such server here.")
    return doors.see_other(f"/console/{at}")


async def overview(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    here = console(request)
    jobs = [
        job for job in await here.unfinished()
        if not seat.server or server(job.place) == seat.server
    ]  # fmt: skip
    running = sum(job.state is State.RUNNING for job in jobs)
    review, reports = await here.reviews.counts(seat.server or None)
    funds = None
    if seat.server:
        funds = await here.moderators.treasury(seat.actor, seat.server)
    return await frame.show(
        request, seat, "overview", running=running, queued=len(jobs) - running,
        review=review, reports=reports,
        paused=await here.moderators.holding(seat.actor, seat.server),
        treasury=funds, allowed=allowed(funds.policy) if funds else "",
        policy=treasury.shown(funds.policy) if funds else {},
        models=_models(request), bots=site(request).bots() if seat.operator else {},
        lines=await frame.lines(request, await here.records.log(LogFilter(seat.server), ROWS)),
    )  # fmt: skip


async def act(request: web.Request) -> web.StreamResponse:
    """Fill the treasury, or say what it is for."""
    seat = await seated(request, acting=True)
    return await acts.perform(
        request, seat, treasury.on_treasury(_models(request)), seat.root, more=treasury.FIELDS
    )


def _models(request: web.Request) -> Sequence[str]:
    return [model.name for model in site(request).studio.catalogue]


PAGE = Page(
    "",
    "Overview",
    (
        web.get("/console", entrance),
        web.get("/console/choose", choose),
        web.get(AT, overview),
        web.post(f"{AT}/act", act),
    ),
)
