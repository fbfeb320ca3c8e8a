"""People: who asked for clips, searched and sorted."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bots.web.console import frame, lists
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.frame import Page
from bots.web.site import site
from core.errors import BadPrompt
from core.records import PeopleFilter, PeopleOrder, Person
from core.restraints import Kind

ORDERS = {
    PeopleOrder.RECENT: "asked of late",
    PeopleOrder.NEWEST: "newest here",
    PeopleOrder.NAME: "by name",
    PeopleOrder.JOBS: "most clips",
    PeopleOrder.CREDITS: "most credits",
}
HELD = {Kind.BAN: "banned", Kind.PAUSE: "paused", Kind.QUOTA: "with a quota"}


async def people(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    asked = _asked(request, seat)
    records = console(request).records
    found = await lists.listed(request, lambda limit, skip: records.people(asked, limit, skip))
    studio, orders = site(request).studio, dict(ORDERS)
    if not seat.operator:
        del orders[PeopleOrder.CREDITS]
    return await frame.show(
        request, seat, "people", listing=found, asked=asked, orders=orders, held=HELD,
        plans=tuple(studio.terms.plans.by_name), plan_of=studio.plan,
    )  # fmt: skip


async def sheet(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    asked = _asked(request, seat)
    records = console(request).records
    studio = site(request).studio
    columns = ["account", "name", "names", "plan", "held", "clips", "newest"]
    if seat.operator:
        columns += ["available", "waiting"]

    def row_of(one: Person) -> Sequence[object]:
        names = " ".join(f"{name.platform}:{name.subject}" for name in one.identities)
        said: list[object] = [
            one.account.id, one.account.name, names, studio.plan(one.account).name,
            " ".join(one.held), one.jobs, one.newest,
        ]  # fmt: skip
        return [*said, one.available, one.waiting] if seat.operator else said

    return await lists.sheet(
        request, "people", columns, lambda limit, skip: records.people(asked, limit, skip), row_of
    )


def _asked(request: web.Request, seat: Seat) -> PeopleFilter:
    """Raises BadPrompt."""
    order = lists.chosen(request, "sort", PeopleOrder, PeopleOrder.RECENT)
    if order is PeopleOrder.CREDITS and not seat.operator:
        raise BadPrompt("Only who runs this Kinora sees what people have.")
    held = request.query.get("held", "")
    return PeopleFilter(
        server=seat.server,
        words=lists.words(request),
        plan=lists.words(request, "plan"),
        held=lists.chosen(request, "held", Kind, Kind.BAN) if held else None,
        order=order,
    )


PAGE = Page(
    "people",
    "People",
    (web.get(f"{AT}/people", people), web.get(f"{AT}/people.csv", sheet, allow_head=False)),
)
