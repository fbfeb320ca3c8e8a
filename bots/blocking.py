"""`kinora admin block …`: pictures that nobody may send, and that no clip may show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bots.card import DOT
from bots.shell import HOST, Json, run, say, settings_of
from core.errors import BadPrompt
from core.job import new_id
from core.moderation import BLOCKED_AT_ONCE, Act, Block, Unblock, moment
from core.safety.blocklist import MOST, Blocked, hashes_in
from core.safety.gate import Seen

app = typer.Typer(help="Pictures that stay down.", no_args_is_help=True)

FILE_BYTES = 500_000_000

What = Annotated[
    list[str], typer.Argument(metavar="FILE|HASH…", help="A picture, a clip, a list, or a hash.")
]


@app.command()
def add(
    what: What,
    reason: Annotated[str, typer.Option(help="Why; it is written down.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Block pictures and whatever looks like them: mirrored, smaller, encoded again.

    A list is a text file with a hash on each line, as imagehash.dhash(image, 16) writes them.
    """

    _do(what, lambda hashes: Block(hashes=hashes, reason=reason), dry_run, as_json)


@app.command()
def remove(what: What, as_json: Json = False) -> None:
    """Block them no more."""
    _do(what, lambda hashes: Unblock(hashes=hashes), False, as_json)


@app.command("list")
def list_(
    last: Annotated[int, typer.Option(min=1, max=MOST, help="How many.")] = 50,
    as_json: Json = False,
) -> None:
    """What is blocked, the newest first: hash, reason, by whom and when."""
    from bots import app as kinora

    async def work() -> None:
        async with kinora.store_of(settings_of()) as store:
            for blocked in await store.blocked.newest(last):
                say(json.dumps(asdict(blocked), default=str) if as_json else _line(blocked))

    run(work())


def _do(
    what: Sequence[str], act_of: Callable[[tuple[str, ...]], Act], dry_run: bool, as_json: bool
) -> None:
    from bots import app as kinora
    from bots import check, offices

    async def work() -> None:
        settings = settings_of()
        async with check.looking() as look:
            found = [one for each in what for one in await _hashes(each, look)]
        hashes = tuple(dict.fromkeys(found))
        async with kinora.store_of(settings) as store:
            moderators = offices.moderators_of(settings, store)
            for start in range(0, len(hashes), BLOCKED_AT_ONCE):
                some = hashes[start : start + BLOCKED_AT_ONCE]
                done = await moderators.do(HOST, act_of(some), new_id(), dry=dry_run)
                said = {"words": done.words, "hashes": some}
                say(json.dumps(said) if as_json else done.words)

    run(work())


async def _hashes(what: str, look: Callable[[Path, bytes], Awaitable[Seen]]) -> Sequence[str]:
    """Of a hash, of a list, or of what a file shows. Raises BadPrompt and BadPicture."""
    path = Path(what)
    try:
        data = await asyncio.to_thread(_read, path)
    except OSError:
        return hashes_in(what)
    if (text := _text(data)) is not None:
        return hashes_in(text)
    seen = await look(path, data)
    if not seen.hashes:
        raise BadPrompt(f"{path.name} shows next to nothing, so it would block too much.")
    return seen.hashes


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(FILE_BYTES + 1)
    if len(data) > FILE_BYTES:
        raise BadPrompt(f"A file can have up to {FILE_BYTES // 1_000_000} MB.")
    return data


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _line(blocked: Blocked) -> str:
    """ "00e0…4e0 · spam · the shell · 3 Dec 2026, 12:00 UTC" """
    return DOT.join((blocked.hash, blocked.why, blocked.by, moment(blocked.at)))
