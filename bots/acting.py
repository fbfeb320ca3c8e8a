"""An act of whoever has the shell: done, or only said, and told."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from bots.moderation import DRY
from bots.shell import HOST, moderators_here, run, say
from core.job import new_id
from core.moderation import Act
from core.moderators import Done, Moderators

Who = Annotated[str, typer.Argument(help="discord:81, telegram:42, web:anna or anna, or 12#.")]
Reason = Annotated[str, typer.Option(help="Why; it is written down.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def perform(act: Callable[[Moderators], Awaitable[Act]], dry: bool, as_json: bool) -> None:
    async def work() -> None:
        async with moderators_here() as moderators:
            done = await moderators.do(HOST, await act(moderators), new_id(), dry=dry)
        tell(done, dry, as_json)

    run(work())


def tell(done: Done, dry: bool, as_json: bool) -> None:
    if as_json:
        say(json.dumps({"done": not dry, "words": done.words, "jobs": done.jobs}))
        return
    say(f"{DRY if dry else ''}{done.words}")
