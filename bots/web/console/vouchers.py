"""Voucher codes: made, listed without them, stopped. For who runs this Kinora."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from aiohttp import web

from bots.web import doors
from bots.web.console import acts, frame, lists
from bots.web.console.acts import Form
from bots.web.console.desk import AT, Seat, console, seated
from bots.web.console.frame import Page
from bots.web.problems import Problem
from bots.web.site import site
from core.job import new_id
from core.moderation import CREDITS_MAX, USES_MOST, Act, MakeVoucher, StopVoucher
from core.moderators import Done
from core.vouchers import NAME_CHARS, Voucher, digest, new_code

DAYS_MOST = 36_500
COLUMNS = (
    "name", "credits", "plan", "days", "uses", "used", "until", "stopped", "made_at", "made_by"
)  # fmt: skip


async def vouchers(request: web.Request) -> web.StreamResponse:
    return await _shown(request, await _operator(request))


async def sheet(request: web.Request) -> web.StreamResponse:
    await _operator(request)
    return await lists.sheet(
        request, "vouchers", COLUMNS, console(request).vouchers.vouchers,
        lambda one: [getattr(one, name) for name in COLUMNS],
    )  # fmt: skip


async def act(request: web.Request) -> web.StreamResponse:
    """Make a code, which its page shows once, or stop one."""
    seat, posted = await _operator(request, acting=True), await request.post()
    key = acts.key_of(posted) or new_id()
    code = _code(request, key)

    async def answer(done: Done) -> web.StreamResponse:
        return await _shown(request, seat, code, done.words)

    read: Mapping[str, Callable[[Form], Act]] = {
        "voucher": partial(_made, key[:NAME_CHARS], digest(code)),
        "stop": lambda form: StopVoucher(name=form.said.get("name", "")),
    }
    made = answer if posted.get("verb") == "voucher" else None
    return await acts.perform(request, seat, read, f"{seat.root}/vouchers", answer=made)


def _code(request: web.Request, key: str) -> str:
    """The same where a form is sent twice, so that what is shown last is what was made."""
    session = request.cookies[doors.COOKIE]
    return new_code(hmac.digest(session.encode(), f"voucher {key}".encode(), "sha256"))


def _made(name: str, digest: str, form: Form) -> Act:
    """Raises BadPrompt."""

    def count(name: str, most: int, none: int) -> int:
        return form.count(name, most) if form.said.get(name, "").strip() else none

    return MakeVoucher(
        name=name,
        digest=digest,
        credits=count("credits", CREDITS_MAX, 0),
        plan=form.said.get("plan") or None,
        days=count("days", DAYS_MOST, 0) or None,
        uses=count("uses", USES_MOST, 1),
        until=form.until,
    )


async def _shown(
    request: web.Request, seat: Seat, code: str = "", words: str = ""
) -> web.StreamResponse:
    found: lists.Listing[Voucher] = await lists.listed(request, console(request).vouchers.vouchers)
    here = site(request)
    plans: Sequence[str] = tuple(here.studio.terms.plans.by_name)
    return await frame.show(
        request, seat, "vouchers", listing=found, plans=plans, now=here.clock(), code=code,
        words=words,
    )  # fmt: skip


async def _operator(request: web.Request, *, acting: bool = False) -> Seat:
    seat = await seated(request, acting=acting)
    if not seat.operator:
        raise Problem(403, "Only who runs this Kinora makes codes.", "rank")
    return seat


PAGE = Page(
    "vouchers",
    "Vouchers",
    (
        web.get(f"{AT}/vouchers", vouchers),
        web.get(f"{AT}/vouchers.csv", sheet, allow_head=False),
        web.post(f"{AT}/vouchers", act),
    ),
    operators=True,
)
