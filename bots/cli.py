"""`kinora`: serve, render, models, doctor, db, link, admin.

Commands import the composition root themselves: `render` and `models` need not wait for it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from bots import doctor as examination
from bots import logs
from bots.misspelt import misspelt
from bots.render import CATALOGUE
from bots.render import render as render_clip
from bots.settings import FILE, LEVELS, PREFIX, Settings, given
from core.errors import KinoraError
from core.job import Identity
from core.prompt import FLAGS

log = logging.getLogger("kinora.settings")

T = TypeVar("T")

app = typer.Typer(
    help="A self-hosted video studio that lives in the chat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="The database.", no_args_is_help=True)
admin = typer.Typer(help="What an operator does.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(admin, name="admin")

out = Console(markup=False)
err = Console(stderr=True, markup=False)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

_FLAGS_HELP = "Flags, as in every chat: " + ", ".join(
    f"--{flag.name} {flag.example}".strip() for flag in FLAGS
)


@app.command()
def serve() -> None:
    """Start everything and print the link that opens the page."""
    from bots import app as kinora

    settings = _settings()
    logs.configure(settings.log_format, settings.log_level)
    for name in misspelt(given(), settings):
        log.warning("%s", name)

    def announce(address: str, link: str) -> None:
        out.print(f"Kinora is up at {address}", highlight=False)
        out.print("Open it with this link; it works once:", highlight=False)
        out.print(link, soft_wrap=True, highlight=False, style="bold")

    def tell(line: str) -> None:
        out.print(line, highlight=False, soft_wrap=True)

    _run(kinora.serve(settings, announce, tell))


@app.command(
    epilog=_FLAGS_HELP,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def render(
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(help="What to see; flags may be in it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The MP4 to write.")],
    image: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The first frame.")
    ] = None,
    last_image: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The last frame.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Render one clip, with no server."""
    settings = _settings()
    logs.configure(settings.log_format, "WARNING")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=as_json) as bar:
        task = bar.add_task("starting", total=1)

        def progress(stage: str, step: int, steps: int) -> None:
            bar.update(task, description=stage, completed=step, total=max(steps, 1))

        images = image, last_image
        made = _run(
            render_clip(settings, prompt, context.args, images, output.absolute(), progress)
        )
    if as_json:
        print(json.dumps(asdict(made)))
        return
    out.print(
        f"{output}: {made.seconds:g} s · {made.width}×{made.height} · {made.frame_rate} fps · "
        f"{made.model} · seed {made.seed} · rendered in {made.run_seconds:.1f} s",
        highlight=False,
        soft_wrap=True,
    )
    for note in made.notes:
        out.print(note, highlight=False, soft_wrap=True)


@app.command()
def models(as_json: Json = False) -> None:
    """List the models and what they take."""
    if as_json:
        print(json.dumps([model.as_dict() for model in CATALOGUE]))
        return
    table = Table("model", "takes", "seconds", "resolutions", "flags", "licence", box=None)
    for model in CATALOGUE:
        table.add_row(
            model.name,
            examination.takes(model),
            f"{model.seconds.low:g}–{model.seconds.high:g}",
            " ".join(model.resolutions),
            " ".join(f"--{flag}" for flag in sorted(model.flags)),
            model.licence,
        )
    out.print(table)
    for model in CATALOGUE:
        out.print(f"{model.name}: {model.summary}", highlight=False, soft_wrap=True)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is configured, what is missing, and what to do about it."""
    from bots import app as kinora

    findings = _run(kinora.examine(_settings()))
    if as_json:
        print(json.dumps([finding.as_dict() for finding in findings]))
    else:
        for finding in findings:
            mark, style = {"ok": ("✓", "green"), "note": ("·", "dim"), "bad": ("✗", "red")}[
                finding.verdict
            ]
            out.print(f"{mark} {finding.what}: {finding.seen}", style=style, highlight=False,
                      soft_wrap=True)  # fmt: skip
            if finding.remedy:
                out.print(f"  → {finding.remedy}", highlight=False, soft_wrap=True)
    if any(finding.verdict == "bad" for finding in findings):
        raise typer.Exit(1)


@app.command()
def link(
    name: Annotated[str, typer.Argument(help="Who it is for; a new name is a new account.")] = (
        "owner"
    ),
    as_json: Json = False,
) -> None:
    """Make another one-time link to the page."""
    from bots import app as kinora

    settings = _settings()

    async def make() -> str:
        async with kinora.store_of(settings) as store:
            return await kinora.new_link(store, settings.web.address, Identity("web", name), name)

    made = _run(make())
    print(json.dumps({"link": made, "account": name}) if as_json else made)
    if not kinora.is_running(settings):
        err.print(f"No Kinora runs with the data in {settings.data_dir.absolute()} now.",
                  highlight=False, soft_wrap=True)  # fmt: skip


@admin.command("key")
def admin_key(
    name: Annotated[str, typer.Argument(help="Whose; a new name is a new account.")] = "owner",
    as_json: Json = False,
) -> None:
    """Make an API key. It is shown once and kept only as a hash."""
    from bots import app as kinora

    async def make() -> str:
        async with kinora.store_of(_settings()) as store:
            _, key = await kinora.new_key(store, Identity("web", name), name)
            return key

    made = _run(make())
    print(json.dumps({"key": made, "account": name}) if as_json else made)


@admin.command("revoke")
def admin_revoke(
    name: Annotated[str, typer.Argument(help="Whose keys.")],
    as_json: Json = False,
) -> None:
    """End every API key of a name. KINORA_WEB__ADMIN_KEY is a setting: change it there."""
    from bots import app as kinora

    async def end() -> int:
        async with kinora.store_of(_settings()) as store:
            return await store.credentials.revoke_all("key", name)

    count = _run(end())
    print(json.dumps({"account": name, "revoked": count}) if as_json else f"Keys ended: {count}.")


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest schema; `serve` does it by itself."""
    from bots import app as kinora

    async def bring() -> None:
        async with kinora.store_of(_settings()):
            pass

    _run(bring())
    out.print("The database is at the newest schema.")


def main() -> None:
    """The entry point."""
    app()


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = PREFIX + LEVELS.join(str(part) for part in problem["loc"]).upper()
            why = problem["msg"].removeprefix("Value error, ")
            err.print(f"{name}: {why}", highlight=False, soft_wrap=True)
    except SettingsError as error:
        level = str(error).partition('"')[2].partition('"')[0].upper()
        why = "its parts are set one by one, as in KINORA_DISCORD__TOKEN"
        err.print(f"{PREFIX}{level}: {why}", highlight=False, soft_wrap=True)
    except (OSError, UnicodeDecodeError) as error:
        why = str(error.strerror) if isinstance(error, OSError) else "it is not UTF-8"
        err.print(f"{FILE.absolute()} can't be read: {why}.", highlight=False, soft_wrap=True)
    raise typer.Exit(2)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what a person can mend becomes one sentence on stderr."""
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
