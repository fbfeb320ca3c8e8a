"""Usage over time: what was asked for, drawn, paid, waited for and refused, by model or server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from aiohttp import web

from bots.web.console import frame, lists, plots
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.frame import Page
from bots.web.console.plots import Plot
from bots.web.site import site
from core.usage import By, Over, Totals, gathered, spans

OVERS = {
    Over.DAY: "the last 24 hours", Over.WEEK: "the last 7 days", Over.MONTH: "the last 30 days"
}  # fmt: skip
BYS = {By.MODEL: "by model", By.SERVER: "by server"}
EVERY = {Over.DAY: 4, Over.WEEK: 1, Over.MONTH: 5}


@dataclass(frozen=True, slots=True)
class Line:
    """One span of one model or server. key: as it is known; name: for people."""

    at: datetime
    label: str
    key: str
    name: str
    used: Totals


@dataclass(frozen=True, slots=True)
class Asked:
    over: Over
    by: By
    starts: Sequence[datetime]
    labels: Sequence[str]
    used: Mapping[str, Sequence[Totals]]


async def usage(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    asked = await _asked(request, seat)
    link = f"{request.path}.csv?over={asked.over}&by={asked.by}"
    return await frame.show(
        request, seat, "usage", asked=asked, overs=OVERS, bys=BYS, plots=_plots(asked, seat),
        lines=_lines(asked, seat), csv=link, zone=site(request).studio.terms.zone,
    )  # fmt: skip


async def sheet(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    asked = await _asked(request, seat)
    found = _lines(asked, seat)

    async def fetch(limit: int, skip: int) -> Sequence[Line]:
        return found[skip : skip + limit]

    return await lists.sheet(
        request,
        "usage",
        ("from", str(asked.by), "jobs", "gpu_seconds", "credits", "wait_seconds", "refused"),
        fetch,
        lambda one: (
            one.at, one.key, one.used.jobs, round(one.used.gpu_seconds, 1), one.used.credits,
            round(one.used.wait, 1), one.used.refused,
        ),
    )  # fmt: skip


async def _asked(request: web.Request, seat: Seat) -> Asked:
    """Raises BadPrompt."""
    here, zone = site(request), site(request).studio.terms.zone
    over = lists.chosen(request, "over", Over, Over.WEEK)
    by = lists.chosen(request, "by", By, By.MODEL)
    starts = spans(over, here.clock(), zone)
    slices = await console(request).usage.slices(starts[0], by, seat.server)
    labels = [_label(over, start, zone) for start in starts[:-1]]
    return Asked(over, by, starts, labels, gathered(slices, starts))


def _plots(asked: Asked, seat: Seat) -> Sequence[Plot]:
    used = {_name(asked.by, seat, key): spans for key, spans in asked.used.items()}
    whole = sum((one for spans in used.values() for one in spans), Totals())
    every = EVERY[asked.over]

    def plot(title: str, unit: str, name: str, total: str) -> Plot:
        values = {key: [float(getattr(one, name)) for one in spans] for key, spans in used.items()}
        return plots.stacked(title, unit, values, asked.labels, every, total)

    waits = [
        sum((spans[number] for spans in used.values()), Totals()).wait
        for number in range(len(asked.labels))
    ]
    return (
        plot("Clips asked for", "clips", "jobs", plots.short(whole.jobs)),
        plot("Drawing", "GPU-seconds", "gpu_seconds", plots.short(whole.gpu_seconds)),
        plot("Paid", "credits", "credits", plots.short(whole.credits)),
        plots.stacked("Wait until the start, on average", "seconds", {"all": waits}, asked.labels,
                      every, f"{plots.short(whole.wait)} on average"),
        plot("Refused", "asks", "refused", plots.short(whole.refused)),
    )  # fmt: skip


def _lines(asked: Asked, seat: Seat) -> Sequence[Line]:
    return [
        Line(start, label, key, _name(asked.by, seat, key), spans[number])
        for number, (start, label) in enumerate(zip(asked.starts[:-1], asked.labels, strict=True))
        for key, spans in asked.used.items()
        if spans[number] != Totals()
    ]


def _name(by: By, seat: Seat, key: str) -> str:
    if by is By.SERVER:
        return seat.called(key)
    return key or "no model named"


def _label(over: Over, at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if over is Over.DAY else f"{local.day} {local:%b}"


PAGE = Page(
    "usage",
    "Usage",
    (web.get(f"{AT}/usage", usage), web.get(f"{AT}/usage.csv", sheet, allow_head=False)),
)
