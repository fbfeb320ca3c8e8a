"""`kinora admin voucher …`: codes that bring credits or a plan to whoever has one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from bots import moderation
from bots.card import DOT, credits
from bots.shell import HOST, Json, run, say, settings_of
from bots.terms import terms_of
from core.job import new_id
from core.moderation import MakeVoucher, StopVoucher, moment
from core.moderators import Moderators
from core.vouchers import NAME_CHARS, Voucher, VoucherBook, digest, new_code

app = typer.Typer(help="Codes that bring something, once to each person.", no_args_is_help=True)

CODES_MOST, LISTED_MOST = 1000, 1000


@app.command()
def make(
    credits: Annotated[int, typer.Option(min=0, help="That it brings; they never expire.")] = 0,
    plan: Annotated[str | None, typer.Option(help="That it brings, for --days.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="Of the plan.")] = None,
    uses: Annotated[int, typer.Option(help="How many people may use a code.")] = 1,
    until: Annotated[str, typer.Option(help="3d, 12h, 2026-12-31, or good.")] = "",
    count: Annotated[int, typer.Option(min=1, max=CODES_MOST, help="How many codes.")] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make codes. Each is shown once, and kept only as a hash."""

    async def work() -> None:
        zone = terms_of(settings_of()).zone
        end = moderation.until(until, datetime.now(UTC), zone)
        async with _desk() as (moderators, _):
            for _ in range(count):
                code, name = new_code(), new_id()[:NAME_CHARS]
                act = MakeVoucher(
                    name=name, digest=digest(code), credits=credits, plan=plan, days=days,
                    uses=uses, until=end,
                )  # fmt: skip
                done = await moderators.do(HOST, act, new_id(), dry=dry_run)
                if dry_run:
                    say(f"{moderation.DRY}{done.words}")
                    return
                line = {"code": code, "name": name, "words": done.words}
                say(json.dumps(line) if as_json else f"{code}  {done.words}")

    run(work())


@app.command("list")
def list_(
    last: Annotated[int, typer.Option(min=1, max=LISTED_MOST, help="How many.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest vouchers first: what they bring, and how often they were used."""

    async def work() -> None:
        async with _desk() as (_, book):
            for voucher in await book.vouchers(last):
                say(json.dumps(asdict(voucher), default=str) if as_json else _line(voucher))

    run(work())


@app.command()
def stop(
    name: Annotated[str, typer.Argument(help="As `list` has it.")], as_json: Json = False
) -> None:
    """Let nobody more use it. Who did keeps what it brought."""

    async def work() -> None:
        async with _desk() as (moderators, _):
            done = await moderators.do(HOST, StopVoucher(name=name), new_id())
            say(json.dumps({"words": done.words}) if as_json else done.words)

    run(work())


@asynccontextmanager
async def _desk() -> AsyncIterator[tuple[Moderators, VoucherBook]]:
    from bots import app as kinora
    from bots import offices

    settings = settings_of()
    async with kinora.store_of(settings) as store:
        yield offices.moderators_of(settings, store), store.vouchers


def _line(voucher: Voucher) -> str:
    """ "k3v9qd · 100 credits · used 2 of 5 · until 31 Dec 2026, 00:00 UTC" """
    said = [voucher.name]
    said += [credits(voucher.credits)] if voucher.credits else []
    said += [f"plan {voucher.plan}, {voucher.days} days"] if voucher.plan else []
    said.append(f"used {voucher.used} of {voucher.uses}")
    said += [f"until {moment(voucher.until)}"] if voucher.until else []
    said += ["stopped"] if voucher.stopped else []
    return DOT.join(said)
