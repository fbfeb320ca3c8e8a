"""`kinora admin queue, approve, deny, takedown, lift`: what waits for a moderator, and the word."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bots import reviewing
from bots.acting import Dry, Reason, Who, perform
from bots.shell import Json, named_person, run, say, say_lines, settings_of
from core import moderation as acts
from core.moderation import Act
from core.moderators import Moderators
from core.reviews import LISTED_MOST, Held, Reported

Clip = Annotated[str, typer.Argument(metavar="JOB", help="The clip's id, as `queue` has it.")]
Told = Annotated[str, typer.Option(help="Why; who asked for it is told.")]


def queue(as_json: Json = False) -> None:
    """What waits for a moderator, the nearest deadline first; then what people reported."""
    from bots import app as kinora
    from bots import offices

    async def work() -> None:
        settings = settings_of()
        async with kinora.store_of(settings) as store:
            reviews = offices.reviews_of(settings, store)
            held = await reviews.pending(None, LISTED_MOST)
            reported = await reviews.reports(None, LISTED_MOST)
        if as_json:
            for row in (*map(_held, held), *map(_reported, reported)):
                say(json.dumps(row, ensure_ascii=False, default=str))
            return
        if not held:
            say(reviewing.NOTHING_HELD.replace(" here", ""))
        if not reported:
            say(reviewing.NOTHING_REPORTED.replace(" here", ""))
        for waits in held:
            for paragraph in reviewing.held(waits):
                say_lines(paragraph)
        for report in reported:
            for paragraph in reviewing.reported(report):
                say_lines(paragraph)

    run(work())


def approve(clip: Clip, reason: Reason = "", dry_run: Dry = False, as_json: Json = False) -> None:
    """Let what is held be made, once it is paid for; its strike is lifted."""
    _decide(acts.Approve, clip, reason, dry_run, as_json)


def deny(clip: Clip, reason: Told, dry_run: Dry = False, as_json: Json = False) -> None:
    """Refuse what is held, for good."""
    _decide(acts.Deny, clip, reason, dry_run, as_json)


def takedown(clip: Clip, reason: Reason, dry_run: Dry = False, as_json: Json = False) -> None:
    """Delete a clip and what was made from it, and block what looks like it."""
    _decide(acts.TakeDown, clip, reason, dry_run, as_json)


def lift(who: Who, reason: Reason = "", dry_run: Dry = False, as_json: Json = False) -> None:
    """Hold what was refused to somebody until now against them no more."""

    async def act(moderators: Moderators) -> Act:
        account = await named_person(moderators, who)
        return acts.LiftStrikes(account_id=account.id, reason=reason)

    perform(act, dry_run, as_json)


def _decide(
    kind: type[acts.Approve | acts.Deny | acts.TakeDown],
    clip: str,
    reason: str,
    dry: bool,
    as_json: bool,
) -> None:
    async def act(moderators: Moderators) -> Act:
        _, owner = await moderators.owner(clip)
        return kind(account_id=owner.id, job_id=clip, reason=reason)

    perform(act, dry, as_json)


def _held(one: Held) -> dict[str, object]:
    job = one.job
    return {
        "job": job.id,
        "what": "appealed" if one.appealed else "held",
        "account": one.author.id,
        "name": one.author.name,
        "place": job.place,
        "clause": job.clause,
        "since": one.since,
        "decide_by": one.decide_by,
        "prompt": job.request.prompt,
        "words": one.words,
    }


def _reported(one: Reported) -> dict[str, object]:
    job = one.job
    return {
        "job": job.id,
        "what": "reported",
        "account": one.author.id,
        "name": one.author.name,
        "place": job.place,
        "by": one.by,
        "since": one.since,
        "prompt": job.request.prompt,
    }
