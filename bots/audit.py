"""`kinora admin audit`: the log of what moderators did."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from bots import moderation
from bots.shell import HOST, Json, err, moderators_here, out, run, say
from bots.spreadsheet import cell
from core.audit import Row
from core.moderators import PAGE

app = typer.Typer(help="The log of what moderators did, oldest first.")


@app.callback(invoke_without_command=True)
def audit_show(
    context: typer.Context,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every row, as CSV.")] = False,
    last: Annotated[int, typer.Option(min=1, max=PAGE, help="How many, without --csv.")] = 20,
) -> None:
    """Print what moderators did."""
    if context.invoked_subcommand is not None:
        return

    async def work() -> None:
        async with moderators_here() as moderators:
            if not as_csv:
                for row in reversed(await moderators.log(HOST, last)):
                    say(moderation.row_of(row, await moderators.name(row.whom)))
                return
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(Row.__slots__)
            async for row in moderators.whole_log():
                writer.writerow([cell(getattr(row, name)) for name in Row.__slots__])

    run(work())


@app.command("verify")
def audit_verify(
    noted: Annotated[str, typer.Argument(help="A head that was noted before: NUMBER:HASH.")] = "",
    as_json: Json = False,
) -> None:
    """Look whether a row was changed, taken out or put in. Exit status 1 where one was."""

    async def work() -> int:
        async with moderators_here() as moderators:
            verdict = await moderators.verify(noted)
        if as_json:
            print(json.dumps(asdict(verdict)))
        elif verdict.fault:
            err.print(f"{verdict.fault[0].upper()}{verdict.fault[1:]}.", highlight=False,
                      soft_wrap=True)  # fmt: skip
        else:
            count = f"{verdict.rows:,}".replace(",", " ")
            out.print(f"{count} row{'' if verdict.rows == 1 else 's'}, unchanged.", highlight=False)
            out.print(f"Head: {verdict.head}", highlight=False, soft_wrap=True)
            out.print(
                "Note it elsewhere, and give it to `verify` later: rows cut off at the end, and a "
                "log that was written anew, show only so.", highlight=False, soft_wrap=True,
            )  # fmt: skip
        return int(bool(verdict.fault))

    if run(work()):
        raise typer.Exit(1)
