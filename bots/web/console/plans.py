"""Plans and settings, as they are. They are changed in `.env`, by whoever has the shell."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bots.web.console import frame, lists
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.frame import Page
from bots.web.problems import Problem
from bots.web.site import site
from core.plans import Plan


async def plans(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    _check(seat)
    studio = site(request).studio
    return await frame.show(
        request, seat, "plans", plans=studio.terms.plans.by_name.values(),
        settings=console(request).settings, label=console(request).label,
    )  # fmt: skip


async def sheet(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    _check(seat)
    known = tuple(site(request).studio.terms.plans.by_name.values())

    async def fetch(limit: int, skip: int) -> Sequence[Plan]:
        return known[skip : skip + limit]

    return await lists.sheet(
        request, "plans", Plan.__slots__, fetch,
        lambda plan: [getattr(plan, name) for name in Plan.__slots__],
    )  # fmt: skip


def _check(seat: Seat) -> None:
    if not seat.operator:
        raise Problem(403, "Only who runs this Kinora sees how it is set.", "rank")


PAGE = Page(
    "plans",
    "Plans and settings",
    (web.get(f"{AT}/plans", plans), web.get(f"{AT}/plans.csv", sheet, allow_head=False)),
    operators=True,
)
