"""`kinora`: serve, render, check, models, doctor, db, link, admin.

Commands import the composition root themselves: `render` and `models` need not wait for it.
"""

from __future__ import annotations

import gc
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from bots import admin, keys, logs
from bots import doctor as examination
from bots.lock import is_running
from bots.misspelt import misspelt
from bots.render import CATALOGUE
from bots.render import render as render_clip
from bots.settings import Settings, given
from bots.shell import Json, err, out, run, settings_of
from core.errors import UserError
from core.job import Identity
from core.prompt import FLAGS
from core.safety.gate import Words
from core.safety.level import Level

log = logging.getLogger("kinora.settings")

app = typer.Typer(
    help="A self-hosted video studio that lives in the chat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
db = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(admin.app, name="admin")

_FLAGS_HELP = "Flags, as in every chat: " + ", ".join(
    f"--{flag.name} {flag.example}".strip() for flag in FLAGS
)


@app.command()
def serve() -> None:
    """Start everything and print the link that opens the page."""
    from bots import serving

    settings = settings_of()
    logs.configure(settings.log_format, settings.log_level)
    for name in misspelt(given(), settings):
        log.warning("%s", name)

    def announce(address: str, link: str) -> None:
        out.print(f"Kinora is up at {address}", highlight=False)
        out.print("Open it with this link; it works once:", highlight=False)
        out.print(link, soft_wrap=True, highlight=False, style="bold")

    def tell(line: str) -> None:
        out.print(line, highlight=False, soft_wrap=True)

    run(serving.serve(settings, announce, tell))


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
    settings = settings_of()
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
        made = run(render_clip(settings, prompt, context.args, images, output.absolute(), progress))
    if as_json:
        print(json.dumps(asdict(made)))
        return
    out.print(
        f"{output}: {made.seconds:g} s · {made.width}×{made.height} · {made.frame_rate} fps · "
        f"{made.model} · seed {made.seed} · rendered in {made.run_seconds:.1f} s",
        highlight=False,
        soft_wrap=True,
    )
    for note in (*made.notes, f"Recipe: {made.recipe}"):
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
        for kind, known in model.vocabulary:
            out.print(f"  {kind}: {', '.join(known)}", highlight=False, soft_wrap=True)


@app.command()
def check(
    prompts: Annotated[list[str] | None, typer.Argument(help="Prompts, each in quotes.")] = None,
    negative: Annotated[str, typer.Option(help="What to avoid, beside each prompt.")] = "",
    file: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A picture or a clip; may be repeated."),
    ] = None,
    lines: Annotated[
        typer.FileText | None,
        typer.Option(
            help='JSON lines, as {"text": …, "negative": …, "level": …}; - is stdin.',
            errors="replace",
        ),
    ] = None,
    level: Annotated[
        Level | None, typer.Option(help="How strict; as the settings have it, unless given.")
    ] = None,
    quick: Annotated[bool, typer.Option(help="By rules alone; no model is loaded.")] = False,
    rules: Annotated[
        bool, typer.Option("--rules", help="Run the rows of tests in all files of rules instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what the gates make of prompts and files, and why; JSON lines with --json."""
    from bots import check as gates

    settings = settings_of()
    logs.configure(settings.log_format, "ERROR")
    if rules:
        _check_rules(settings, as_json=as_json)
        return
    at = level or settings.safety.level

    read, wrong = gates.lines(lines.read(), at) if lines else ([], [])
    for sentence in wrong:
        err.print(sentence, highlight=False, soft_wrap=True)

    async def look() -> None:
        asks = [gates.Ask(Words(prompt, negative), at) for prompt in prompts or ()]
        asks += [gates.Ask(path, at) for path in file or ()]
        asks += read
        if not asks and not wrong:
            raise UserError("Say what to look at: prompts, --file, --lines, or --rules.")
        async for looked in gates.check(settings, asks, quick=quick):
            if as_json:
                print(json.dumps(looked.as_dict()), flush=True)
            else:
                out.print(gates.told(looked), highlight=False, soft_wrap=True)

    run(look())
    if wrong:
        raise typer.Exit(1)


def _check_rules(settings: Settings, *, as_json: bool) -> None:
    from bots import check as gates

    async def rows() -> list[gates.Row]:
        return list(gates.rows(settings))

    ran = run(rows())
    wrong = [row for row in ran if not row.right]
    if as_json:
        print(json.dumps({"rows": len(ran), "wrong": [row.as_dict() for row in wrong]}))
    else:
        for row in wrong:
            out.print(str(row), highlight=False, soft_wrap=True)
        out.print(f"{len(ran) - len(wrong)} of {len(ran)} rows come out as they say.")
    if wrong:
        raise typer.Exit(1)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Any file.")],
    as_json: Json = False,
) -> None:
    """Say of any picture or clip whether it was made here, when, and from which job.

    Exits with 0 where it was, and is unchanged; with 2 where it can't be read; else with 1.
    """
    from bots.sealing import looked_into
    from bots.verifying import verified
    from core.provenance import Proof

    settings = settings_of()
    try:
        finding = run(looked_into(settings, file))
    except typer.Exit:
        raise typer.Exit(2) from None
    sentence = verified(finding, leads=True)
    if as_json:
        print(json.dumps(finding.as_dict() | {"sentence": sentence}))
    else:
        out.print(sentence, highlight=False, soft_wrap=True)
    if finding.proof is not Proof.MANIFEST:
        raise typer.Exit(1)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is configured, what is missing, and what to do about it."""
    from bots import app as kinora

    findings = run(kinora.examine(settings_of()))
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

    settings = settings_of()

    async def make() -> tuple[str, str]:
        called = keys.named(name)
        async with kinora.store_of(settings) as store:
            identity = Identity("web", called)
            return await kinora.new_link(store, settings.web.address, identity, called), called

    made, called = run(make())
    print(json.dumps({"link": made, "account": called}) if as_json else made)
    if not is_running(settings):
        err.print(f"No Kinora runs with the data in {settings.data_dir.absolute()} now.",
                  highlight=False, soft_wrap=True)  # fmt: skip


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest schema; `serve` does it by itself."""
    from bots import app as kinora

    async def bring() -> None:
        async with kinora.store_of(settings_of()):
            pass

    run(bring())
    out.print("The database is at the newest schema.")


def main() -> None:
    """The entry point. Nothing that a command imports is garbage, so nobody looks until it runs."""
    gc.disable()
    app()
