"""What moderators did, in words for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.moderation import (
    EVERYWHERE,
    Act,
    Approve,
    Ban,
    Block,
    Cancel,
    Delete,
    Deny,
    DismissReports,
    Fill,
    Grant,
    LiftStrikes,
    MakeVoucher,
    Merge,
    Move,
    Note,
    OnPerson,
    Outcome,
    Pause,
    Refund,
    Resume,
    RoleDone,
    SetPlan,
    SetPolicy,
    SetQuota,
    SetRole,
    StopVoucher,
    Take,
    TakeDown,
    ToRole,
    Unban,
    Unblock,
    Unlink,
    moment,
    one_of,
)
from core.plans import FREE, ROLE_KEPT
from core.treasury import Policy


def told(act: Act, name: str, outcome: Outcome) -> str:
    """What was done, and to whom, in words. name: of the person."""
    place = _on(act.server)
    match act:
        case Grant() if act.server == EVERYWHERE:
            return f"{_credits(act.credits)} for {name}, who then has {outcome.left}."
        case Grant():
            return (
                f"{_credits(act.credits)} for {name} from the treasury of {act.server}, "
                f"which then has {outcome.left}."
            )
        case Take():
            short = act.credits - outcome.credits
            rest = f" {short} could not be taken: spent, or held for clips." if short else ""
            taken = f"{_credits(outcome.credits)} taken from {name}"
            return f"{taken}, who then has {outcome.left}.{rest}"
        case SetQuota() if act.credits is None:
            return f"{name} has no quota{place} any more."
        case SetQuota():
            return f"{name} may spend {_credits(act.credits or 0)} a day{place}."
        case SetPlan() if act.plan == FREE:
            return f"{name} has the plan {FREE}, unless a role or a purchase gives a better one."
        case SetPlan():
            return f"{name} has the plan {act.plan}{_until(act.until)}."
        case Ban():
            lost = f" Clips cancelled: {len(outcome.jobs)}." if outcome.jobs else ""
            end = _until(act.until) or " for good"
            return f"{name} is banned{place}{end}: {act.reason}.{lost}"
        case Unban():
            return f"{name} is not banned{place} any more."
        case LiftStrikes():
            return f"The strikes of {name} are lifted."
        case Note():
            return f"Noted about {name}: {act.text}"
        case Refund():
            return f"Payment {act.purchase_id} of {name} goes back, with what is left of it."
        case Cancel():
            return f"Clip {act.job_id} of {name} is cancelled, and cost nothing."
        case Delete():
            return f"Clip {act.job_id} of {name} is deleted."
        case Approve():
            return f"Clip {act.job_id} of {name} is approved."
        case Deny():
            return f"Clip {act.job_id} of {name} is refused: {act.reason}"
        case TakeDown():
            others = len(outcome.jobs) - 1
            made = f", with {clips(others)} made from it" if others > 0 else ""
            return f"Clip {act.job_id} of {name} is taken down{made}."
        case DismissReports():
            return f"Clip {act.job_id} of {name} stays; its reports are dismissed."
        case Move():
            where = "first" if act.first else "last"
            return f"Clip {act.job_id} of {name} is {where} in the queue."
        case ToRole():
            return _for_each(one_of(act, 0), f"{people(len(act.account_ids))} with {act.name}")
        case SetRole() if act.plan == FREE:
            return f"The role {act.name or act.role}{place} gives no plan any more."
        case SetRole():
            whose = f"Who has the role {act.name or act.role}{place} has the plan {act.plan}: "
            days = f"until {ROLE_KEPT.days} days after they last did"
            return f"{whose}once they ask for something there, and {days}."
        case RoleDone():
            return f"Done for {act.done} people with the role {act.role}."
        case Pause():
            reason = f": {act.reason}" if act.reason else ""
            return f"{_paused(act, name)} paused{place}{_until(act.until)}{reason}."
        case Resume():
            return f"{_paused(act, name)} not paused{place} any more."
        case Fill():
            return (
                f"{_credits(act.credits)} into the treasury of {act.server}, which then has "
                f"{outcome.left}."
            )
        case MakeVoucher():
            brings = [_credits(act.credits)] if act.credits else []
            brings += [f"the plan {act.plan} for {act.days} days"] if act.plan else []
            whom = "one person" if act.uses == 1 else f"{act.uses} people"
            return f"Voucher {act.name}: {' and '.join(brings)} for {whom}{_until(act.until)}."
        case StopVoucher():
            return f"Voucher {act.name} is good no more."
        case Block():
            return f"{pictures(len(act.hashes))} blocked everywhere: {act.reason}."
        case Unblock():
            return f"{pictures(len(act.hashes))} not blocked any more."
        case SetPolicy():
            return f"The treasury of {act.server}: {allowed(act.policy)}."
        case Merge():
            return (
                f"{name}, account {act.account_id}, goes into account {act.into} with "
                f"{_credits(outcome.credits)}, which makes {outcome.left}."
            )
        case Unlink():
            return (
                f"{act.platform}:{act.subject} leaves {name} for an empty account; the credits "
                "and clips stay."
            )
    raise AssertionError(act)


def allowed(policy: Policy) -> str:
    """What a treasury is for, in words."""
    said = []
    if policy.daily is not None:
        said.append(f"{_credits(policy.daily)} a day for each member")
    if policy.members:
        said.append(f"only for the accounts {_listed(policy.members)}")
    if policy.models:
        said.append(f"only with {_listed(policy.models)}")
    if policy.channels:
        said.append(f"only in the channels {_listed(policy.channels)}")
    if policy.longest is not None:
        said.append(f"clips of {policy.longest:g} s at most")
    if policy.largest is not None:
        said.append(f"{policy.largest} at most")
    if policy.hours is not None:
        said.append("from {:02}:00 to {:02}:00".format(*policy.hours))
    return ", ".join(said) or "for anybody, for anything"


def people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def pictures(count: int) -> str:
    return "1 picture is" if count == 1 else f"{count} pictures are"


def clips(count: int) -> str:
    return "1 clip" if count == 1 else f"{count} clips"


def _for_each(act: OnPerson, whom: str) -> str:
    match act:
        case Grant():
            return f"{_credits(act.credits)} each for {whom}."
        case Take():
            most = _credits(act.credits)
            return f"Up to {most} taken from each of {whom}, as far as they have them."
        case SetQuota() if act.credits is None:
            return f"No quota{_on(act.server)} any more for {whom}."
        case SetQuota():
            return f"A quota of {_credits(act.credits or 0)} a day{_on(act.server)} for {whom}."
        case SetPlan():
            return f"The plan {act.plan}{_until(act.until)} for {whom}."
        case Note():
            return f"Noted about {whom}: {act.text}"
    raise AssertionError(act)


def _paused(act: Pause | Resume, name: str) -> str:
    if act.account_id is not None:
        return f"{name} is"
    if act.channel is not None:
        return f"Channel {act.channel} is"
    return "The whole queue is" if act.server == EVERYWHERE else "All is"


def _on(server: str) -> str:
    return "" if server == EVERYWHERE else f" on {server}"


def _listed(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))


def _until(at: datetime | None) -> str:
    return f" until {moment(at)}" if at else ""


def _credits(count: int) -> str:
    return f"{count} credit" if count == 1 else f"{count} credits"
