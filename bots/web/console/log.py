"""The log of what moderators did, and whether it is whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiohttp import web

from bots.web import doors
from bots.web.console import frame, lists
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.frame import Page
from core import moderation as acts
from core.audit import Row
from core.errors import BadPrompt
from core.moderators import Verdict
from core.records import LogFilter

VERBS = sorted(
    {
        act.verb
        for act in vars(acts).values()
        if isinstance(act, type) and issubclass(act, acts.Act) and hasattr(act, "verb")
    }
)
HEAD = re.compile(r"\d{1,12}:[0-9a-f]{64}|")


async def log(request: web.Request) -> web.StreamResponse:
    return await _shown(request, await seated(request))


async def verify(request: web.Request) -> web.StreamResponse:
    """Look through all of it. A form, since that takes a while."""
    seat = await seated(request)
    form = await request.post()
    doors.check_token(request, str(form.get("token", "")))
    noted = str(form.get("noted", "")).strip()
    if not HEAD.fullmatch(noted):
        raise BadPrompt("A head is a number, a colon and 64 letters and digits, as shown here.")
    verdict = await console(request).moderators.verify(noted)
    return await _shown(request, seat, verdict)


async def sheet(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    asked = _asked(request, seat)
    records = console(request).records

    def row_of(row: Row) -> Sequence[object]:
        return [getattr(row, name) for name in Row.__slots__]

    return await lists.sheet(
        request, "log", Row.__slots__, lambda limit, skip: records.log(asked, limit, skip), row_of
    )


async def _shown(
    request: web.Request, seat: Seat, verdict: Verdict | None = None
) -> web.StreamResponse:
    asked = _asked(request, seat)
    records = console(request).records
    found = await lists.listed(request, lambda limit, skip: records.log(asked, limit, skip))
    return await frame.show(
        request, seat, "log", listing=found, asked=asked, verbs=VERBS, verdict=verdict,
        lines=await frame.lines(request, found.rows),
    )  # fmt: skip


def _asked(request: web.Request, seat: Seat) -> LogFilter:
    whom = lists.words(request, "whom")
    if re.fullmatch(r"\d{1,18}#", whom):
        whom = acts.person(int(whom[:-1]))
    return LogFilter(
        server=seat.server,
        act=lists.words(request, "act"),
        who=lists.words(request, "who"),
        whom=whom,
    )


PAGE = Page(
    "log",
    "Log",
    (
        web.get(f"{AT}/log", log),
        web.post(f"{AT}/log", verify),
        web.get(f"{AT}/log.csv", sheet, allow_head=False),
    ),
)
