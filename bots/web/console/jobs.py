"""Jobs: what was asked for, filtered and sorted; anybody's can be cancelled, or taken
down."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bots.web.console import acts, frame, lists
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.frame import Page
from bots.web.site import site
from core.errors import BadPrompt
from core.job import State
from core.records import Asked, JobFilter, JobOrder

ORDERS = {
    JobOrder.NEWEST: "newest first",
    JobOrder.OLDEST: "oldest first",
    JobOrder.CREDITS: "dearest first",
    JobOrder.LONGEST: "longest drawn first",
}
UNFINISHED = "unfinished"
STATES = (
    State.QUOTED, State.HELD, State.QUEUED, State.RUNNING, State.SUCCEEDED, State.FAILED,
    State.CANCELLED, State.REFUSED,
)  # fmt: skip


async def jobs(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    asked = _asked(request, seat)
    records = console(request).records
    found = await lists.listed(request, lambda limit, skip: records.jobs(asked, limit, skip))
    return await frame.show(
        request, seat, "jobs", listing=found, asked=asked, orders=ORDERS, states=STATES,
        models=site(request).studio.catalogue,
    )  # fmt: skip


async def sheet(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    asked = _asked(request, seat)
    records, mine = console(request).records, seat.authority.account.id
    columns = (
        "clip", "account", "name", "server", "state", "model", "words", "credits", "charged",
        "asked", "started", "ended", "drawn_seconds",
    )  # fmt: skip

    def row_of(one: Asked) -> Sequence[object]:
        job = one.job
        words = "" if one.hidden and job.account_id != mine else job.request.prompt
        return (
            job.id, job.account_id, one.name, job.place.partition("/")[0], job.state.value,
            job.request.model, words, job.credits, job.charged, job.created_at, job.started_at,
            job.ended_at, job.run_seconds,
        )  # fmt: skip

    return await lists.sheet(
        request, "jobs", columns, lambda limit, skip: records.jobs(asked, limit, skip), row_of
    )


async def act(request: web.Request) -> web.StreamResponse:
    """Of the list and of the queue; ?from=queue leads back there."""
    seat = await seated(request, acting=True)
    job, owner = await console(request).moderators.owner(request.match_info["id"])
    listed = "queue" if request.query.get("from") == "queue" else "jobs"
    return await acts.perform(
        request, seat, acts.ON_JOB, f"{seat.root}/{listed}", account_id=owner.id, job_id=job.id
    )


def _asked(request: web.Request, seat: Seat) -> JobFilter:
    """Raises BadPrompt."""
    who, state = lists.words(request, "who").removesuffix("#"), request.query.get("state", "")
    if who and not (who.isascii() and who.isdecimal() and len(who) <= 18):
        raise BadPrompt("Whose is the number of an account, as in 12#.")
    states: tuple[State, ...] = (State.QUEUED, State.RUNNING) if state == UNFINISHED else ()
    if state and not states:
        states = (lists.chosen(request, "state", State, State.QUEUED),)
    return JobFilter(
        server=seat.server,
        states=states,
        model=lists.words(request, "model"),
        account_id=int(who) if who else None,
        words=lists.words(request).lower(),
        order=lists.chosen(request, "sort", JobOrder, JobOrder.NEWEST),
    )


PAGE = Page(
    "jobs",
    "Jobs",
    (
        web.get(f"{AT}/jobs", jobs),
        web.get(f"{AT}/jobs.csv", sheet, allow_head=False),
        web.post(f"{AT}/jobs/{{id:[0-9a-z]{{12}}}}/act", act),
    ),
)
