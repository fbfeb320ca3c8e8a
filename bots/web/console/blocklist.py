"""Pictures that stay down: listed, added by a file or by hashes, removed. For operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from bots.web import doors, problems, upload
from bots.web.console import acts, frame, lists
from bots.web.console.acts import Form
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.frame import Page
from bots.web.problems import Problem
from bots.web.site import site, visitor
from core.errors import BadPrompt, Transient, UserError
from core.moderation import BLOCKED_AT_ONCE, Act, Block, Unblock
from core.safety.blocklist import Blocked, hashes_in

FILE = "file"
MAX_BYTES = 100_000_000
COLUMNS = ("hash", "why", "by", "at")


async def blocklist(request: web.Request) -> web.StreamResponse:
    return await _shown(request, await _operator(request))


async def sheet(request: web.Request) -> web.StreamResponse:
    await _operator(request)
    return await lists.sheet(
        request, "blocklist", COLUMNS, _fetch(request),
        lambda one: [getattr(one, name) for name in COLUMNS],
    )  # fmt: skip


async def look(request: web.Request) -> web.StreamResponse:
    """The hashes of a picture or a clip, in the form that blocks them. Nothing is kept of it."""
    seat = await _operator(request)
    here, account = site(request), visitor(request).account
    try:
        sending = upload.spooled(request, FILE, MAX_BYTES, here.spooled, account.id)
        async with sending as (fields, path):
            doors.check_token(request, fields.get("token", ""))
            if path is None:
                raise upload.no_file()
            seen = await console(request).seen(path)
        if not seen.hashes:
            raise BadPrompt("It shows next to nothing, so it would block too much.")
    except (UserError, Transient) as error:
        problem = problems.from_error(error)
        return await _shown(request, seat, problem=problem.detail, status=problem.status)
    return await _shown(request, seat, hashes=seen.hashes)


async def act(request: web.Request) -> web.StreamResponse:
    """Block hashes, or block them no more: those that are named, or all that were blocked together
    with one."""
    seat = await _operator(request, acting=True)
    one = str((await request.post()).get("with", ""))
    together = await console(request).blocked.together(one, BLOCKED_AT_ONCE) if one else ()
    known = {"hashes": " ".join(together)} if together else None
    return await acts.perform(
        request, seat, ON_BLOCKLIST, f"{seat.root}/blocklist", more=("hashes",), known=known
    )


def _hashes(form: Form) -> tuple[str, ...]:
    """Raises BadPrompt."""
    return hashes_in("\n".join(form.said.get("hashes", "").split()))


ON_BLOCKLIST: Mapping[str, Callable[[Form], Act]] = {
    "block": lambda form: Block(hashes=_hashes(form), reason=form.reason),
    "unblock": lambda form: Unblock(hashes=_hashes(form), reason=form.reason),
}


async def _shown(
    request: web.Request,
    seat: Seat,
    *,
    hashes: Sequence[str] = (),
    problem: str = "",
    status: int = 200,
) -> web.StreamResponse:
    book = console(request).blocked
    found = await lists.listed(request, lambda limit, skip: book.acts(limit, skip))
    return await frame.show(
        request, seat, "blocklist", status=status, listing=found, hashes=hashes, problem=problem,
        at_once=BLOCKED_AT_ONCE,
        most=f"{MAX_BYTES / 1e6:g} MB",
    )  # fmt: skip


def _fetch(request: web.Request) -> lists.Fetch[Blocked]:
    book = console(request).blocked

    async def fetch(limit: int, skip: int) -> Sequence[Blocked]:
        return await book.newest(limit, skip)

    return fetch


async def _operator(request: web.Request, *, acting: bool = False) -> Seat:
    seat = await seated(request, acting=acting)
    if not seat.operator:
        raise Problem(403, "Only who runs this Kinora says what stays down everywhere.", "rank")
    return seat


PAGE = Page(
    "blocklist",
    "Blocklist",
    (
        web.get(f"{AT}/blocklist", blocklist),
        web.get(f"{AT}/blocklist.csv", sheet, allow_head=False),
        web.post(f"{AT}/blocklist", act),
        web.post(f"{AT}/blocklist/look", look),
    ),
    operators=True,
)
