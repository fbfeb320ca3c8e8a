"""What was paid for, and what came by codes; and what is offered. For who runs this Kinora."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bots import wares
from bots.web.console import frame, lists
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.frame import Page
from bots.web.problems import Problem
from core.purchases import STARS, VOUCHER, Purchase

PROVIDERS = {STARS: "Telegram Stars", "discord": "Discord", VOUCHER: "voucher codes"}
COLUMNS = (
    "id", "at", "provider", "charge", "account_id", "ware", "state", "credits", "taken", "plan",
    "until", "asked",
)  # fmt: skip


async def payments(request: web.Request) -> web.StreamResponse:
    seat, here = await _operator(request), console(request)
    found = await lists.listed(request, _fetch(request))
    numbers = {one.account_id for one in found.rows if one.account_id is not None}
    names = await here.records.names(sorted(numbers)) if numbers else {}
    offered = here.purchases.wares
    return await frame.show(
        request, seat, "payments", listing=found, names=names, providers=PROVIDERS,
        provider=_provider(request), on=offered.on,
        wares=[(ware, wares.brings(ware)) for ware in offered.by_name.values()],
    )  # fmt: skip


async def sheet(request: web.Request) -> web.StreamResponse:
    await _operator(request)
    return await lists.sheet(
        request, "payments", COLUMNS, _fetch(request),
        lambda one: [getattr(one, name) for name in COLUMNS],
    )  # fmt: skip


def _fetch(request: web.Request) -> lists.Fetch[Purchase]:
    provider, purchases = _provider(request), console(request).purchases

    async def fetch(limit: int, skip: int) -> Sequence[Purchase]:
        return await purchases.newest(limit, provider or None, skip)

    return fetch


def _provider(request: web.Request) -> str:
    said = request.query.get("provider", "")
    return said if said in PROVIDERS else ""


async def _operator(request: web.Request) -> Seat:
    seat = await seated(request)
    if not seat.operator:
        raise Problem(403, "Only who runs this Kinora sees what was paid.", "rank")
    return seat


PAGE = Page(
    "payments",
    "Payments",
    (
        web.get(f"{AT}/payments", payments),
        web.get(f"{AT}/payments.csv", sheet, allow_head=False),
    ),
    operators=True,
)
