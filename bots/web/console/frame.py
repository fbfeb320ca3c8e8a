"""What all pages of the console have around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from bots import moderation
from bots.web.console.desk import Seat, console
from core.audit import Row
from core.moderation import EVERYWHERE
from core.records import LogFilter


@dataclass(frozen=True, slots=True)
class Page:
    """A line of the menu. name: in the address, "" for the first; operators: for them alone."""

    name: str
    title: str
    routes: Sequence[web.RouteDef]
    operators: bool = False


MENU = web.AppKey("console menu", Sequence[Page])


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the log, for people. whom: with their name."""

    row: Row
    whom: str
    said: str


async def show(
    request: web.Request, seat: Seat, page: str, *, status: int = 200, **context: Any
) -> web.Response:
    """The template of a page, in its frame. ?did=NUMBER says which row an act has made."""
    menu = [one for one in request.app[MENU] if seat.operator or not one.operators]
    response = aiohttp_jinja2.render_template(
        f"console/{page}.html",
        request,
        {"seat": seat, "menu": menu, "did": await _did(request, seat), "path": request.path}
        | context,
    )
    response.set_status(status)
    return response


async def lines(request: web.Request, rows: Sequence[Row]) -> Sequence[Line]:
    """Rows of the log with the names of whom they are about."""
    kinds = [row.whom.partition(":") for row in rows]
    numbers = [int(number) for kind, _, number in kinds if kind == "account"]
    names = await console(request).records.names(numbers) if numbers else {}
    known = {f"account:{number}": name for number, name in names.items()}
    return [Line(row, known.get(row.whom, row.whom), moderation.details(row)) for row in rows]


async def _did(request: web.Request, seat: Seat) -> Line | None:
    number = request.query.get("did", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        return None
    scope = EVERYWHERE if seat.operator else seat.server
    rows = await console(request).records.log(LogFilter(scope, number=int(number)), 1)
    return next(iter(await lines(request, rows)), None)
