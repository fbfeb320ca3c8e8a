"""What the commands of the shell have in common: where they print, settings, and errors."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console

from bots.settings import FILE, PREFIX, Settings
from bots.unfit import unfit
from core.errors import KinoraError, NotFound
from core.job import Account, Identity
from core.moderation import Actor, Rank

if TYPE_CHECKING:
    from bots.talk import Paragraph
    from core.moderators import Moderators

T = TypeVar("T")

out = Console(markup=False)
err = Console(stderr=True, markup=False)

_TURNS = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

HOST = Actor("the shell", Rank.HOST)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def settings_of() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        for line in unfit(error):
            err.print(line, highlight=False, soft_wrap=True)
    except SettingsError as error:
        level = str(error).partition('"')[2].partition('"')[0].upper()
        why = "its parts are set one by one, as in KINORA_DISCORD__TOKEN"
        err.print(f"{PREFIX}{level}: {why}", highlight=False, soft_wrap=True)
    except (OSError, UnicodeDecodeError) as error:
        why = str(error.strerror) if isinstance(error, OSError) else "it is not UTF-8"
        err.print(f"{FILE.absolute()} can't be read: {why}.", highlight=False, soft_wrap=True)
    raise typer.Exit(2)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what a person can mend becomes one sentence on stderr.

    What was imported is left out of the search for garbage: else each long one, and the end of the
    program, takes half a second.
    """
    gc.freeze()
    gc.enable()
    try:
        return asyncio.run(work)
    except (KinoraError, OSError) as error:
        mendable: Exception = error
    except ExceptionGroup as group:
        known, rest = group.split((KinoraError, OSError))
        if known is None or rest is not None:
            raise
        mendable = known
    while isinstance(mendable, ExceptionGroup):
        mendable = mendable.exceptions[0]
    err.print(str(mendable), highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def say(words: str) -> None:
    """Print one line. What would turn it around, or end it, is seen as in \\u202e."""
    shown = _TURNS.sub(lambda found: f"\\u{ord(found[0]):04x}", words)
    out.print(shown, highlight=False, soft_wrap=True)


def say_lines(paragraph: Paragraph) -> None:
    """Print one line for each of the paragraph's, without its form."""
    for line in paragraph:
        say("".join(bit if isinstance(bit, str) else bit.text for bit in line.bits))


@asynccontextmanager
async def moderators_here() -> AsyncIterator[Moderators]:
    """What an operator may do, with the data of this Kinora."""
    from bots import app as kinora
    from bots import offices

    settings = settings_of()
    async with kinora.store_of(settings) as store:
        yield offices.moderators_of(settings, store)


async def named_person(moderators: Moderators, who: str) -> Account:
    """Raises NotFound: nobody is made by a slip of the pen."""
    from core.moderators import NOBODY

    if who.endswith("#") and who[:-1].isdecimal():
        found = await moderators.account(int(who[:-1]))
        if found is None:
            raise NotFound(NOBODY)
        return found
    platform, colon, subject = who.partition(":")
    return await moderators.person(Identity(platform, subject) if colon else Identity("web", who))
