"""What moderators say and are told, the same in every chat and in the shell."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from bots.card import DOT, credits
from bots.talk import Bold, Code, Paragraph, line
from core.audit import Row
from core.conduct import Standing
from core.days import beginning
from core.errors import BadPrompt, WrongState
from core.job import Claim, Identity
from core.moderation import EVERYWHERE, Act, Ban, MakeVoucher, Rank, Refund, Take, TakeDown, moment
from core.moderators import Funds, Moderators, Shown
from core.restraints import Kind, Restraint
from core.sentences import allowed
from core.treasury import Policy

DRY = "Nothing is done yet. This would be: "
FOR_GOOD = ("", "good", "for good", "ever", "forever")
HOW_LONG = "Say until when as 3d, 12h, 2w, 2026-12-31, or 2026-12-31T18:00."
LONGEST = timedelta(days=36_500)
CONFIRMED = Take, Ban, Refund, TakeDown
"""What a button has to confirm."""
WAITING_MOST = 100
TOO_LATE = (
    "That was asked too long ago. /mod log says whether it was done; if it was not, type it again."
)
DONE = "That was done already: /mod log has it."

_SPAN = re.compile(r"(\d{1,5})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SAID = ("clips", "credits", "policy", "plan", "until", "channel", "reason", "text")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for its button. by: who asked, by their id; None for who hides behind a group."""

    by: int | None
    act: Act
    key: str
    theirs: Rank


class Confirmations:
    """What waits, by the names of the buttons, and what was done by them; in memory, and the newest
    alone."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._done: deque[str] = deque(maxlen=WAITING_MOST)

    def add(self, name: str, waiting: Waiting) -> None:
        while len(self._waiting) >= WAITING_MOST:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[name] = waiting

    def find(self, name: str) -> Waiting:
        """Raises WrongState where nothing waits for it any more."""
        if name in self._done:
            raise WrongState(DONE)
        if name not in self._waiting:
            raise WrongState(TOO_LATE)
        return self._waiting[name]

    def done(self, name: str) -> None:
        if self._waiting.pop(name, None) is not None:
            self._done.append(name)


def until(words: str, now: datetime, zone: tzinfo) -> datetime | None:
    """ "3d", "12h", a date or a moment → in UTC; "" or "good" → None, for good. A date means its
    first moment in `zone`. Raises BadPrompt."""
    said = words.strip().lower()
    if said in FOR_GOOD:
        return None
    if found := _SPAN.fullmatch(said):
        span = timedelta(**{_UNITS[found[2]]: int(found[1])})
        return now + min(span, LONGEST)
    try:
        at = datetime.fromisoformat(said.upper())
        if len(said) <= len("2026-12-31"):
            return beginning(at.date(), zone)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadPrompt(f'"{words}" is no end. {HOW_LONG}') from None


def is_end(word: str) -> bool:
    """Whether a word looks like one."""
    return bool(_SPAN.fullmatch(word.lower()) or re.match(r"\d{4}-\d{2}-\d{2}", word))


def name_of(name: str, identity: Identity) -> str:
    """Somebody in the log."""
    return f"{name} ({identity.platform}:{identity.subject})"


def person(shown: Shown) -> Sequence[Paragraph]:
    """What there is to know of somebody."""
    account = shown.account
    head = [line(Bold(account.name), f"{DOT}account {account.id}{DOT}plan {shown.plan}")]
    head += [line(f"{one.plan} by {one.source}{_until(one)}", small=True) for one in account.claims]
    if shown.identities:
        head.append(line(" ".join(f"{one.platform}:{one.subject}" for one in shown.identities)))
    if shown.wallet is not None:
        held = f"{DOT}{credits(shown.wallet.held)} held" if shown.wallet.held else ""
        head.append(line(f"{credits(shown.wallet.available)}{held}"))
    if shown.spent is not None:
        head.append(line(f"{credits(shown.spent)} spent here today"))
    told: list[Paragraph] = [tuple(head)]
    if shown.restraints:
        told.append(tuple(line(_restraint(one)) for one in shown.restraints))
    if shown.unfinished:
        jobs = (
            line(Code(job.id), f" {job.state}{DOT}{credits(job.credits)}")
            for job in shown.unfinished[:8]
        )
        told.append((line(Bold("Under way")), *jobs))
    if shown.entries:
        lines = (
            line(f"{moment(one.created_at)}{DOT}{one.kind} {one.available_change:+d}"
                 f"{f'{DOT}{one.note}' if one.note else ''}", small=True)
            for one in shown.entries
        )  # fmt: skip
        told.append((line(Bold("Wallet")), *lines))
    if shown.rows:
        told.append((line(Bold("Log")), *(line(row_of(row), small=True) for row in shown.rows)))
    return told


def standing(theirs: Standing) -> Paragraph:
    """Strikes, and until when nothing is taken from them."""
    until = f"{DOT}nothing is taken until {moment(theirs.until)}" if theirs.until else ""
    lines = (line(f"{moment(one.at)}{DOT}{one.clause}{DOT}{one.job_id}", small=True)
             for one in theirs.strikes)  # fmt: skip
    return (line(f"Strikes that count: {len(theirs.strikes)}{until}"), *lines)


def role_plans(given: Mapping[str, str], known: Mapping[str, str]) -> Sequence[Paragraph]:
    """Which roles give which plan. known: what roles are called, by their ids."""
    if not given:
        return [(line("No role gives a plan here."),)]
    lines = (line(f"{known.get(role, role)}: {plan}") for role, plan in sorted(given.items()))
    return [(line(Bold("Plans by role")), *lines)]


def treasury(server: str, funds: Funds) -> str:
    """What is in it, and what it is for."""
    there = credits(funds.wallet.available)
    return f"{there} in the treasury of {server}: {allowed(funds.policy)}."


async def log(moderators: Moderators, rows: Sequence[Row]) -> Sequence[Paragraph]:
    """The newest of what was done."""
    if not rows:
        return [(line("No moderator did anything here yet."),)]
    lines = [line(row_of(row, await moderators.name(row.whom))) for row in rows]
    return [(line(Bold("What moderators did")), *lines)]


def row_of(row: Row, whom: str = "") -> str:
    """ "17 · 22 Nov 2026, 12:00 UTC · mia (discord:81) · ban · Ada (account:3) · reason spam" """
    bits = (row.who, row.act, whom or row.whom, row.server or "everywhere", details(row))
    return DOT.join((str(row.number), moment(row.at), *(bit for bit in bits if bit)))


def details(row: Row) -> str:
    """ "credits 20 · reason spam" """
    said = json.loads(row.details)
    came = said["came"]
    if came["jobs"]:
        said["clips"] = len(came["jobs"])  # what came back for them is in their wallets
    else:
        said["credits"] = came["moved"] or said.get("credits")
    if row.act == MakeVoucher.verb:
        said["credits"] = said["credits"] or None
    if "policy" in said:
        said["policy"] = allowed(Policy.from_dict(said["policy"]))
    if said.get("until"):
        said["until"] = moment(datetime.fromisoformat(said["until"]))
    return DOT.join(f"{name} {said[name]}" for name in _SAID if said.get(name) not in (None, ""))


def _until(one: Claim | Restraint) -> str:
    return f" until {moment(one.until)}" if one.until else ""


def _restraint(one: Restraint) -> str:
    place = "everywhere" if one.server == EVERYWHERE else f"on {one.server}"
    end = _until(one)
    if one.kind is Kind.QUOTA:
        return f"Quota {place}: {credits(one.credits)} a day"
    said = "Banned" if one.kind is Kind.BAN else "Paused"
    return f"{said} {place}{end}{f': {one.reason}' if one.reason else ''}"
