"""`kinora admin …`: what an operator does from the shell, with or without a Kinora that runs.

Whoever has the shell stands above everybody. People are named as discord:81, telegram:42, web:anna
(or just anna), or by their account as 12#; servers as discord:81 and telegram:-100123.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from bots import (
    audit,
    blocking,
    deciding,
    forgetting,
    keys,
    moderation,
    overturned,
    trials,
    vouchers,
)
from bots.acting import Dry, Reason, Who, perform, tell
from bots.shell import HOST, Json, moderators_here, named_person, run, say, say_lines, settings_of
from bots.terms import terms_of
from bots.wares import refund_of
from core import moderation as acts
from core.errors import NotFound
from core.job import OWNER, new_id
from core.moderation import EVERYWHERE, Act
from core.moderators import Moderators
from core.treasury import Policy

app = typer.Typer(help="What an operator does.", no_args_is_help=True)
treasury = typer.Typer(help="A server's credits, and what they are for.", no_args_is_help=True)
app.add_typer(treasury, name="treasury")
app.add_typer(audit.app, name="audit")
app.add_typer(blocking.app, name="block")
app.add_typer(vouchers.app, name="voucher")
app.add_typer(trials.app, name="trial")

Maybe = Annotated[str, typer.Argument(help="Whom; all, where neither they nor a channel is named.")]
Server = Annotated[str, typer.Option(help="Only there: discord:81; everywhere unless said.")]
There = Annotated[str, typer.Option(help="On which server: discord:81.")]
At = Annotated[str, typer.Argument(help="Of which server: discord:81.")]
Channel = Annotated[str, typer.Option(help="A channel of the server, by its id.")]
Until = Annotated[str, typer.Option(help="3d, 12h, 2026-12-31, or good.")]
Credits = Annotated[int, typer.Argument(min=1, help="How many.")]


@app.command()
def show(who: Who, as_json: Json = False) -> None:
    """Wallet, plan, what holds for somebody, and what was done to them."""

    from bots import app as kinora
    from bots import offices

    async def work() -> None:
        settings = settings_of()
        async with kinora.store_of(settings) as store:
            moderators = offices.moderators_of(settings, store)
            account = await named_person(moderators, who)
            shown = await moderators.show(HOST, account)
            standing = await offices.reviews_of(settings, store).strikes(account.id)
        if as_json:
            said = asdict(shown) | {"strikes": len(standing.strikes), "until": standing.until}
            print(json.dumps(said, default=str))
            return
        for paragraph in (*moderation.person(shown), moderation.standing(standing)):
            say_lines(paragraph)

    run(work())


@app.command()
def grant(
    who: Who, credits: Credits,
    server: Annotated[str, typer.Option(help="Out of its treasury.")] = EVERYWHERE,
    reason: Reason = "", dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Give credits."""
    _do(
        who,
        lambda account_id: acts.Grant(
            server=server, account_id=account_id, credits=credits, reason=reason
        ),
        dry_run,
        as_json,
    )


@app.command()
def take(
    who: Who, credits: Credits, reason: Reason = "", dry_run: Dry = False, as_json: Json = False
) -> None:
    """Take credits, as far as there are some."""
    _do(
        who,
        lambda account_id: acts.Take(account_id=account_id, credits=credits, reason=reason),
        dry_run,
        as_json,
    )


@app.command()
def refund(
    number: Annotated[int, typer.Argument(min=1, help="Of the payment, as /paysupport has it.")],
    reason: Reason = "", dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Give back what was paid in Telegram Stars. A Kinora that runs does it within a minute."""

    from bots import app as kinora
    from bots import offices

    async def work() -> None:
        settings = settings_of()
        async with kinora.store_of(settings) as store:
            act = refund_of(await store.payments.purchase(number), reason)
            moderators = offices.moderators_of(settings, store)
            done = await moderators.do(HOST, act, new_id(), dry=dry_run)
        tell(done, dry_run, as_json)

    run(work())


@app.command()
def quota(
    who: Who,
    credits: Annotated[str, typer.Argument(help="How many a day, or none for no limit.")],
    server: There, dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Set the most that somebody spends on a server in a day."""
    if credits != "none" and not credits.isdecimal():
        raise typer.BadParameter("a number of credits, or none", param_hint="CREDITS")
    most = None if credits == "none" else int(credits)
    _do(
        who,
        lambda account_id: acts.SetQuota(server=server, account_id=account_id, credits=most),
        dry_run,
        as_json,
    )


@app.command()
def plan(
    who: Who, name: Annotated[str, typer.Argument(metavar="PLAN")], until: Until = "",
    dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Assign a plan."""
    _do(
        who,
        lambda account_id: acts.SetPlan(account_id=account_id, plan=name, until=_end(until)),
        dry_run,
        as_json,
    )


@app.command()
def role(
    server: At, name: Annotated[str, typer.Argument(metavar="[ROLE]", help="Its id.")] = "",
    plan: Annotated[str, typer.Argument(metavar="[PLAN]", help="free for none.")] = "",
    dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Say which plan a role of a server gives; without one, print those that do."""
    if name and plan:
        act = acts.SetRole(server=server, role=name, plan=plan)
        _do("", lambda _: act, dry_run, as_json)
        return
    if name:
        raise typer.BadParameter("name the plan, too; free for none", param_hint="PLAN")

    async def work() -> None:
        async with moderators_here() as moderators:
            given = await moderators.role_plans(server)
        if as_json:
            print(json.dumps(given))
            return
        for paragraph in moderation.role_plans(given, {}):
            say_lines(paragraph)

    run(work())


@app.command()
def pause(
    who: Maybe = "", channel: Channel = "", server: Server = EVERYWHERE, reason: Reason = "",
    until: Until = "", dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Let jobs wait: somebody's, a channel's, a server's, or all."""
    _do(
        who,
        lambda account_id: acts.Pause(
            server=server,
            account_id=account_id or None,
            channel=channel or None,
            reason=reason,
            until=_end(until),
        ),
        dry_run,
        as_json,
    )


@app.command()
def resume(
    who: Maybe = "", channel: Channel = "", server: Server = EVERYWHERE, dry_run: Dry = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Let them go on."""
    _do(
        who,
        lambda account_id: acts.Resume(
            server=server, account_id=account_id or None, channel=channel or None
        ),
        dry_run,
        as_json,
    )


@app.command()
def merge(who: Who, other: Who, dry_run: Dry = False, as_json: Json = False) -> None:
    """Join two accounts of one person, as /link does: the older one has all then."""

    async def act(moderators: Moderators) -> Act:
        into, gone = sorted([(await named_person(moderators, one)).id for one in (who, other)])
        return acts.Merge(account_id=gone, into=into)

    perform(act, dry_run, as_json)


@app.command()
def unlink(
    name: Annotated[str, typer.Argument(help="One name of theirs: discord:81, or telegram:42.")],
    dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Take one name out of a joined account; the credits and clips stay."""

    async def act(moderators: Moderators) -> Act:
        account = await named_person(moderators, name)
        platform, _, subject = name.rpartition(":")
        return acts.Unlink(account_id=account.id, platform=platform or "web", subject=subject)

    perform(act, dry_run, as_json)


@app.command()
def cancel(
    clip: Annotated[str, typer.Argument(help="Its id.")], reason: Reason = "",
    dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Cancel anybody's clip; it then costs nothing. One that runs stops within seconds."""

    async def act(moderators: Moderators) -> Act:
        _, owner = await moderators.owner(clip)
        return acts.Cancel(account_id=owner.id, job_id=clip, reason=reason)

    perform(act, dry_run, as_json)


@app.command()
def move(
    clip: Annotated[str, typer.Argument(help="Its id; it has to be queued.")],
    last: Annotated[bool, typer.Option("--last", help="Behind all others.")] = False,
    reason: Reason = "", dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Put anybody's clip before all others in the queue."""

    async def act(moderators: Moderators) -> Act:
        _, owner = await moderators.owner(clip)
        return acts.Move(account_id=owner.id, job_id=clip, first=not last, reason=reason)

    perform(act, dry_run, as_json)


@app.command()
def ban(
    who: Who, reason: Annotated[str, typer.Argument(help="Why; they are told.")],
    server: Server = EVERYWHERE, until: Until = "", dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Take nothing more from somebody, and cancel what they have unfinished."""
    _do(
        who,
        lambda account_id: acts.Ban(
            server=server, account_id=account_id, reason=reason, until=_end(until)
        ),
        dry_run,
        as_json,
    )


@app.command()
def unban(
    who: Who, server: Server = EVERYWHERE, dry_run: Dry = False, as_json: Json = False
) -> None:
    """Lift a ban."""
    _do(who, lambda account_id: acts.Unban(server=server, account_id=account_id), dry_run, as_json)


@app.command()
def note(
    who: Who, text: Annotated[str, typer.Argument(help="For other moderators.")],
    server: Server = EVERYWHERE, dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Write something down about somebody."""
    _do(
        who,
        lambda account_id: acts.Note(server=server, account_id=account_id, text=text),
        dry_run,
        as_json,
    )


@treasury.command("fill")
def treasury_fill(
    server: At, credits: Credits, reason: Reason = "", dry_run: Dry = False, as_json: Json = False
) -> None:
    """Put credits in, which the server's members spend before their own."""
    _do("", lambda _: acts.Fill(server=server, credits=credits, reason=reason), dry_run, as_json)


@treasury.command("policy")
def treasury_policy(
    server: At,
    daily: Annotated[int | None, typer.Option(min=0, help="The most for a member a day.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only for these.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only there, by id.")] = None,
    longest: Annotated[float | None, typer.Option(min=0.1, help="Seconds of a clip.")] = None,
    largest: Annotated[str | None, typer.Option(help="Of a clip, as 480p.")] = None,
    hours: Annotated[str | None, typer.Option(help="Local ones, as 18-2.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="For anybody, for anything.")] = False,
    dry_run: Dry = False,
    as_json: Json = False,
) -> None:
    """Say what they are for; what isn't said is not limited. Alone, print what they are for."""
    if largest is not None and not (largest.endswith("p") and largest[:-1].isdecimal()):
        raise typer.BadParameter("write it as 480p", param_hint="--largest")
    policy = Policy(
        daily=daily, models=tuple(model or ()), channels=tuple(channel or ()), longest=longest,
        largest=largest, hours=_hours(hours),
    )  # fmt: skip
    if clear and policy != Policy():
        raise typer.BadParameter(
            "it takes all limits away: name none with it", param_hint="--clear"
        )
    if clear or policy != Policy():
        _do("", lambda _: acts.SetPolicy(server=server, policy=policy), dry_run, as_json)
    else:
        _show_treasury(server, as_json)


def _show_treasury(server: str, as_json: bool) -> None:
    async def work() -> None:
        async with moderators_here() as moderators:
            funds = await moderators.treasury(HOST, server)
        if funds is None:
            raise NotFound(f"{server} has no treasury: `kinora admin treasury fill` makes one.")
        if as_json:
            policy = funds.policy.as_dict()
            print(json.dumps({"policy": policy, "credits": funds.wallet.available}))
            return
        say(moderation.treasury(server, funds))

    run(work())


@app.command("console-link")
def console_link(
    who: Annotated[str, typer.Argument(help="An operator, or who leads a server.")] = OWNER.subject,
    as_json: Json = False,
) -> None:
    """Make a one-time link to the console."""
    from bots import app as kinora
    from bots import offices

    async def make() -> str:
        settings = settings_of()
        async with kinora.store_of(settings) as store:
            if who == OWNER.subject:
                account = await store.accounts.account(OWNER, who)
            else:
                account = await named_person(offices.moderators_of(settings, store), who)
            return await kinora.link_to_console(store, settings.web.address, account)

    made = run(make())
    print(json.dumps({"link": made, "account": who}) if as_json else made)


app.command("key")(keys.make)
app.command("revoke")(keys.revoke)
app.command("export")(forgetting.export)
app.command("forget")(forgetting.forget)
app.command("overturned")(overturned.overturned)
app.command("queue")(deciding.queue)
app.command("approve")(deciding.approve)
app.command("deny")(deciding.deny)
app.command("takedown")(deciding.takedown)
app.command("lift")(deciding.lift)


def _do(who: str, act: Callable[[int], Act], dry: bool, as_json: bool) -> None:
    """Do it to somebody; to nobody, who has the account 0, where `who` is ""."""

    async def of(moderators: Moderators) -> Act:
        return act((await named_person(moderators, who)).id if who else 0)

    perform(of, dry, as_json)


def _end(words: str) -> datetime | None:
    return moderation.until(words, datetime.now(UTC), terms_of(settings_of()).zone)


def _hours(said: str | None) -> tuple[int, int] | None:
    if said is None:
        return None
    first, _, last = said.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) < 24 and int(last) < 25):
        raise typer.BadParameter("write them as 18-2", param_hint="--hours")
    return int(first), int(last)
