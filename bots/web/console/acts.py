"""What is done from the console: read from a form, said first, and done once somebody is sure.

The first press only says what would be done (the act itself, undone). The second carries the same
fields and a key, by which a repeat does nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bots import moderation
from bots.web import doors, problems
from bots.web.console import frame
from bots.web.console.desk import Seat, console
from bots.web.site import site
from core import moderation as acts
from core.errors import BadPrompt, Transient, UserError
from core.job import new_id
from core.moderation import CREDITS_MAX, EVERYWHERE, Act, Rank
from core.moderators import Done

_KEY = re.compile(r"[0-9a-z]{12}")
HARD = acts.Take, acts.Ban, acts.Cancel, acts.Deny, acts.TakeDown
"""What is hard to take back."""

FIELDS = (
    "verb", "credits", "plan", "days", "uses", "name", "until", "reason", "text", "channel"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in. server: what it is about; of nobody the account is 0."""

    said: Mapping[str, str]
    server: str
    end: Callable[[str], datetime | None]
    account_id: int = 0
    job_id: str = ""

    @property
    def reason(self) -> str:
        return self.said.get("reason", "").strip()

    @property
    def until(self) -> datetime | None:
        return self.end(self.said.get("until", ""))

    def credits(self) -> int:
        """Raises BadPrompt."""
        return self.count("credits", CREDITS_MAX)

    def count(self, name: str, most: int) -> int:
        """Raises BadPrompt."""
        said = self.said.get(name, "").strip()
        if not (said.isascii() and said.isdecimal() and len(said) <= 12) or int(said) > most:
            raise BadPrompt(f"Say how many {name}, as a whole number up to {most}.")
        return int(said)


def _quota(form: Form) -> Act:
    none = form.said.get("credits", "").strip().lower() in ("", "none")
    count = None if none else form.credits()
    return acts.SetQuota(server=form.server, account_id=form.account_id, credits=count)


ON_PERSON: Mapping[str, Callable[[Form], Act]] = {
    "grant": lambda form: acts.Grant(
        server=form.server, account_id=form.account_id, credits=form.credits(), reason=form.reason
    ),
    "take": lambda form: acts.Take(
        account_id=form.account_id, credits=form.credits(), reason=form.reason
    ),
    "quota": _quota,
    "plan": lambda form: acts.SetPlan(
        account_id=form.account_id, plan=form.said.get("plan", ""), until=form.until
    ),
    "pause": lambda form: acts.Pause(
        server=form.server, account_id=form.account_id, reason=form.reason, until=form.until
    ),
    "resume": lambda form: acts.Resume(server=form.server, account_id=form.account_id),
    "ban": lambda form: acts.Ban(
        server=form.server, account_id=form.account_id, reason=form.reason, until=form.until
    ),
    "unban": lambda form: acts.Unban(server=form.server, account_id=form.account_id),
    "lift": lambda form: acts.LiftStrikes(account_id=form.account_id, reason=form.reason),
    "note": lambda form: acts.Note(
        server=form.server, account_id=form.account_id, text=form.said.get("text", "")
    ),
}


def _on_job(kind: type[acts.OnJob]) -> Callable[[Form], Act]:
    return lambda form: kind(
        server=form.server, account_id=form.account_id, job_id=form.job_id, reason=form.reason
    )


ON_JOB: Mapping[str, Callable[[Form], Act]] = {
    "cancel": _on_job(acts.Cancel),
    "first": lambda form: _moved(form, first=True),
    "last": lambda form: _moved(form, first=False),
    acts.TakeDown.verb: _on_job(acts.TakeDown),
}


ON_HELD = {kind.verb: _on_job(kind) for kind in (acts.Approve, acts.Deny)}
ON_REPORTED = {kind.verb: _on_job(kind) for kind in (acts.TakeDown, acts.DismissReports)}

ON_QUEUE: Mapping[str, Callable[[Form], Act]] = {
    "pause": lambda form: acts.Pause(
        server=form.server, channel=_channel(form), reason=form.reason, until=form.until
    ),
    "resume": lambda form: acts.Resume(server=form.server, channel=_channel(form)),
}


async def perform(
    request: web.Request,
    seat: Seat,
    read: Mapping[str, Callable[[Form], Act]],
    back: str,
    *,
    account_id: int = 0,
    job_id: str = "",
    more: Sequence[str] = (),
    known: Mapping[str, str] | None = None,
    answer: Callable[[Done], Awaitable[web.StreamResponse]] | None = None,
) -> web.StreamResponse:
    """Say what a form would do, or do it. back: where they came from, and go then; answer: what
    they see instead. more: fields that this form has besides; known: what is filled in for them."""
    posted = await request.post()
    doors.check_token(request, _said(posted, "token"))
    said = {name: _said(posted, name) for name in (*FIELDS, *more) if name in posted}
    said |= known or {}
    here, moderators = site(request), console(request).moderators
    zone = here.studio.terms.zone
    key = key_of(posted)
    sure = bool(key)
    try:
        make = read.get(said.get("verb", ""))
        if make is None:
            raise BadPrompt("There is no such thing to do.", allowed=tuple(read))
        form = Form(
            said, seat.server, lambda end: moderation.until(end, here.clock(), zone),
            account_id, job_id,
        )  # fmt: skip
        act = make(form)
        theirs = Rank.MEMBER
        if account_id and act.server != EVERYWHERE:
            theirs = await console(request).leadership.rank_of(account_id, act.server)
        done = await moderators.do(
            seat.actor, act, f"console:{seat.authority.account.id}/{key if sure else new_id()}",
            theirs, dry=not sure,
        )  # fmt: skip
    except (UserError, Transient) as error:
        problem = problems.from_error(error)
        return await frame.show(
            request, seat, "sure", status=problem.status, problem=problem.detail, back=back
        )
    if sure and answer is not None:
        return await answer(done)
    if sure:
        return doors.see_other(f"{back}?did={done.number}")
    return await frame.show(
        request, seat, "sure", problem="", words=done.words, fields=said, key=new_id(),
        hard=isinstance(act, HARD), asks_why=hasattr(act, "reason") and "reason" not in said,
        back=back,
    )  # fmt: skip


def key_of(posted: Mapping[str, object]) -> str:
    """What a form for which somebody is sure carries; "" where nobody is yet."""
    key = _said(posted, "key")
    return key if _KEY.fullmatch(key) else ""


def _moved(form: Form, *, first: bool) -> Act:
    return acts.Move(
        server=form.server, account_id=form.account_id, job_id=form.job_id, first=first,
        reason=form.reason,
    )  # fmt: skip


def _channel(form: Form) -> str | None:
    said = form.said.get("channel", "").strip()
    if said and not re.fullmatch(r"[0-9@]{1,20}", said):
        raise BadPrompt("A channel is named by its id, such as 92; leave it empty for all.")
    return said or None


def _said(posted: Mapping[str, object], name: str) -> str:
    value = posted.get(name, "")
    return value if isinstance(value, str) else ""
