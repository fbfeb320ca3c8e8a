"""One person: what there is to know of them, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bots.web.console import acts, frame, lists
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.people import HELD
from bots.web.problems import Problem
from bots.web.site import site
from core.errors import NotFound
from core.moderators import NOBODY
from core.ports import Entry
from core.records import JobFilter, PeopleFilter, Person
from core.safety.verdict import POLICY

ENTRIES = 20
ENTRIES_MOST = 5000
CLIPS = 10


async def person(request: web.Request) -> web.StreamResponse:
    seat = await seated(request)
    found = await _found(request, seat)
    here, studio = console(request), site(request).studio
    shown = await here.moderators.show(seat.actor, found.account)
    clips = await here.records.jobs(JobFilter(seat.server, account_id=found.account.id), CLIPS)
    entries: Sequence[Entry] = ()
    if seat.operator:
        entries = await studio.entries(found.account, ENTRIES)
    return await frame.show(
        request, seat, "person", person=found, shown=shown, clips=clips, entries=entries,
        lines=await frame.lines(request, shown.rows), held=HELD, policy=POLICY,
        standing=await here.reviews.strikes(found.account.id),
        attested=await here.reviews.attestations(found.account.id),
        plans=tuple(studio.terms.plans.by_name), treasury=await _treasury(request, seat),
    )  # fmt: skip


async def wallet(request: web.Request) -> web.StreamResponse:
    """The ledger of one person as CSV, for operators."""
    seat = await seated(request)
    if not seat.operator:
        raise Problem(403, "Only who runs this Kinora sees what people have.", "rank")
    found = await _found(request, seat)
    entries = await site(request).studio.entries(found.account, ENTRIES_MOST)

    async def fetch(limit: int, skip: int) -> Sequence[Entry]:
        return entries[skip : skip + limit]

    return await lists.sheet(
        request,
        f"wallet-{found.account.id}",
        ("at", "kind", "available", "held", "clip", "note"),
        fetch,
        lambda one: (
            one.created_at, one.kind, one.available_change, one.held_change, one.job_id, one.note
        ),
    )  # fmt: skip


async def act(request: web.Request) -> web.StreamResponse:
    seat = await seated(request, acting=True)
    account = (await _found(request, seat)).account
    back = f"{seat.root}/people/{account.id}"
    return await acts.perform(request, seat, acts.ON_PERSON, back, account_id=account.id)


async def _found(request: web.Request, seat: Seat) -> Person:
    """Who leads a server sees the people of that server alone. Raises NotFound."""
    number = request.match_info["account"]
    found = await console(request).records.people(
        PeopleFilter(server="" if seat.operator else seat.server, words=f"{number}#"), 1
    )
    if not found:
        raise NotFound(NOBODY)
    return found[0]


async def _treasury(request: web.Request, seat: Seat) -> int | None:
    """What may be granted from; None where it comes out of nothing, or there is none."""
    if not seat.server:
        return None
    treasury = await console(request).moderators.treasury(seat.actor, seat.server)
    return treasury.wallet.available if treasury else None


_PERSON = f"{AT}/people/{{account:[0-9]{{1,18}}}}"

ROUTES = (
    web.get(_PERSON, person),
    web.get(f"{_PERSON}/wallet.csv", wallet, allow_head=False),
    web.post(f"{_PERSON}/act", act),
)
