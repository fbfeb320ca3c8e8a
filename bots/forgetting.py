"""`kinora admin export` and `forget`: what somebody asked for who does not do it in a chat."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bots import privacy
from bots.shell import Json, named_person, run, say, say_lines, settings_of

Who = Annotated[str, typer.Argument(help="discord:81, telegram:42, web:anna or anna, or 12#.")]


def export(who: Who, file: Annotated[Path, typer.Argument(help="A ZIP, which is made.")]) -> None:
    """All that is kept of somebody, with clips and pictures, in a ZIP."""
    from bots import app as kinora
    from bots import offices

    async def work() -> None:
        settings = settings_of()
        async with kinora.store_of(settings) as store:
            account = await named_person(offices.moderators_of(settings, store), who)
            made = await offices.privacy_of(settings, store).export(account)
        privacy.pack(made, file)
        rows = sum(map(len, made.tables.values()))
        say(f"{rows} rows and {len(made.files)} files are in {file}.")

    run(work())


def forget(
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete what is kept of somebody. Cards in chats go when Kinora runs."""
    from bots import app as kinora
    from bots import offices

    async def work() -> None:
        settings = settings_of()
        async with kinora.store_of(settings) as store:
            account = await named_person(offices.moderators_of(settings, store), who)
            if not yes:
                typer.confirm(f"Delete all data of {account.name}?", abort=True)
            receipt = await offices.privacy_of(settings, store).forget(account)
        if as_json:
            print(privacy.receipt_json(receipt))
            return
        for paragraph in privacy.told(receipt):
            say_lines(paragraph)

    run(work())
