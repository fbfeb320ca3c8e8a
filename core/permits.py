"""Who may do what to whom, and what can't be meant. Pure."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import datetime

from core.errors import BadPrompt, Refused
from core.moderation import (
    BLOCKED_AT_ONCE,
    CREDITS_MAX,
    EVERYWHERE,
    OF_A_SERVER,
    OF_OPERATORS,
    REASON_CHARS,
    REVIEWS,
    USES_MOST,
    Act,
    Actor,
    Ban,
    Block,
    Deny,
    MakeVoucher,
    Move,
    Note,
    OnPerson,
    Pause,
    Rank,
    Resume,
    SetPlan,
    SetQuota,
    SetRole,
    ToRole,
    Unblock,
    moment,
    one_of,
)
from core.plans import Plans

_UNKEPT = re.compile("[\0\ud800-\udfff]")


def may(actor: Actor, act: Act, theirs: Rank = Rank.MEMBER) -> None:
    """Raises Refused. theirs: the rank of the person whom it is done to.

    | | member | moderator | operator, host |
    | --- | --- | --- | --- |
    | grant | – | from the server's treasury | to anybody, from nothing |
    | take, refund, plan, role, fill, merge, unlink, block, lift | – | – | yes |
    | quota, policy | – | on their server | on any |
    | cancel, delete, take down, dismiss | – | jobs that were posted on their server | any |
    | approve, deny | – | those | any, their own too |
    | move | – | those, to the end of the queue | any, to either end |
    | pause, resume | – | a person, a channel, or all of their server | those, and the whole queue |
    | ban, unban, note | – | on their server | on any, and everywhere |
    | to somebody of their own rank or above | – | – | – |
    """
    if isinstance(act, ToRole):
        may(actor, one_of(act, 0))
    if actor.rank < Rank.MODERATOR:
        raise Refused("Only who leads a server or a chat, or runs this Kinora, may do that.")
    if actor.rank is Rank.MODERATOR:
        if isinstance(act, OF_OPERATORS):
            raise Refused(f"Only who runs this Kinora may do that: {act.verb}.")
        if isinstance(act, Move) and act.first:
            raise Refused("Only who runs this Kinora may put a clip before those of others.")
        if act.server != actor.server:
            raise Refused("You may do that on the server that you lead, and nowhere else.")
    alone = isinstance(act, REVIEWS) and actor.rank >= Rank.OPERATOR
    on_somebody = isinstance(act, OnPerson | Pause | Resume) and act.account_id
    if theirs >= actor.rank and on_somebody and not alone:
        raise Refused("Nobody acts on their own rank, or above it. Nothing was changed.")


def check(act: Act, now: datetime, plans: Plans) -> None:
    """Raises BadPrompt for what can't be meant."""
    if isinstance(act, ToRole):
        check(one_of(act, 0), now, plans)
    credits = getattr(act, "credits", None)
    least = 0 if isinstance(act, SetQuota | MakeVoucher) else 1
    if credits is not None and not least <= credits <= CREDITS_MAX:
        raise BadPrompt(f"Say how many credits, as a whole number from {least} to {CREDITS_MAX}.")
    until = getattr(act, "until", None)
    if until is not None and until <= now:
        raise BadPrompt(f"That ended already: it is {moment(now)} now.")
    words = getattr(act, "reason", None) if not isinstance(act, Note) else act.text
    if words is not None and len(words) > REASON_CHARS:
        raise BadPrompt(f"Up to {REASON_CHARS} characters, please; these are {len(words)}.")
    said = (getattr(act, field.name) for field in fields(act))
    if any(_UNKEPT.search(value) for value in said if isinstance(value, str)):
        raise BadPrompt("The words hold broken characters: type them as plain text.")
    if isinstance(act, Ban | Block | Note) and not (words or "").strip():
        raise BadPrompt("Say what is to be noted." if isinstance(act, Note) else
                        "Say why: others will want to know.")  # fmt: skip
    if isinstance(act, Block | Unblock) and not 1 <= len(act.hashes) <= BLOCKED_AT_ONCE:
        raise BadPrompt(f"Name from 1 to {BLOCKED_AT_ONCE} hashes at once.")
    if isinstance(act, Deny) and not act.reason.strip():
        raise BadPrompt("Say why: who asked for it is told.")
    if isinstance(act, OF_A_SERVER) and act.server == EVERYWHERE:
        raise BadPrompt("Say on which server, as in discord:81.")
    if act.server != EVERYWHERE and not all(act.server.partition(":")):
        raise BadPrompt(f'"{act.server}" is no server: write it as discord:81.')
    if isinstance(act, Pause | Resume) and act.channel and act.server == EVERYWHERE:
        raise BadPrompt("Say on which server the channel is, as in discord:81.")
    if isinstance(act, MakeVoucher) and not (act.days if act.plan else act.credits):
        raise BadPrompt("Say what it brings: credits, or a plan and for how many days, or both.")
    if isinstance(act, MakeVoucher) and not 1 <= act.uses <= USES_MOST:
        raise BadPrompt(f"From 1 to {USES_MOST} people may use a code.")
    if isinstance(act, SetPlan | SetRole | MakeVoucher) and act.plan not in (*plans.by_name, None):
        known = tuple(plans.by_name)
        raise BadPrompt(
            f'There is no plan "{act.plan}"; there are {", ".join(known)}.', allowed=known
        )
