"""The queue: what runs, what is next, what is paused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from bots import card
from bots.web.console import acts, frame, lists
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.frame import Page
from bots.web.site import site
from core.dispatch import Outlook
from core.job import Job, State
from core.places import server

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that is under way. place: in the whole queue, 0 where it runs. words: how it stands."""

    job: Job
    name: str
    place: int
    words: str
    paused: str


async def queue(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    found = await _in_order(request, seat)
    paused = await console(request).moderators.holding(seat.actor, seat.server)
    return await frame.show(
        request, seat, "queue", waiting=found[:SHOWN], more=len(found) - SHOWN, paused=paused,
        csv=f"{seat.root}/queue.csv",
    )  # fmt: skip


async def sheet(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    found = await _in_order(request, seat)

    async def fetch(limit: int, skip: int) -> Sequence[Waiting]:
        return found[skip : skip + limit]

    return await lists.sheet(
        request,
        "queue",
        ("place", "clip", "account", "name", "server", "model", "credits", "asked", "paused"),
        fetch,
        lambda one: (
            one.place, one.job.id, one.job.account_id, one.name, server(one.job.place),
            one.job.request.model, one.job.credits, one.job.created_at, one.paused,
        ),
    )  # fmt: skip


async def act(request: web.Request) -> web.StreamResponse:
    """Pause or resume a channel, a server, or all."""
    seat = await seated(request, acting=True)
    return await acts.perform(request, seat, acts.ON_QUEUE, f"{seat.root}/queue")


async def _in_order(request: web.Request, seat: Seat) -> Sequence[Waiting]:
    """Of what they lead, as it will run; the numbers count everybody's."""
    here, studio = console(request), site(request).studio
    jobs = [
        job for job in await here.unfinished()
        if not seat.server or server(job.place) == seat.server
    ]  # fmt: skip
    names = await here.records.names([job.account_id for job in jobs]) if jobs else {}
    found = []
    for job in jobs:
        view = studio.viewed(job)
        if view.outlook is not None:
            name = names.get(job.account_id, "")
            found.append(_waiting(job, name, view.outlook, card.card(view, studio.catalogue)))
    return sorted(found, key=lambda one: (one.job.state is State.QUEUED, one.place))


def _waiting(job: Job, name: str, outlook: Outlook, shown: card.Card) -> Waiting:
    return Waiting(job, name, outlook.position, f"{shown.line_one} · {shown.line_two}",
                   outlook.paused)  # fmt: skip


PAGE = Page(
    "queue",
    "Queue",
    (
        web.get(f"{AT}/queue", queue),
        web.get(f"{AT}/queue.csv", sheet, allow_head=False),
        web.post(f"{AT}/queue/act", act),
    ),
)
