"""What is said to one person alone: /me, /queue, /models, /help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import ui

from bots import doctor
from bots.card import DOT, card, credits
from bots.discord.asking import Room, tell_kept
from bots.discord.card_view import ACCENT, plain
from bots.discord.hearing import account_of, acknowledge
from core.job import State
from core.prompt import FLAGS
from core.studio import View

LISTED = 8
WORDS_CHARS = 60

Interaction = discord.Interaction[Any]
Telling = Callable[[Room, Interaction], Awaitable[ui.LayoutView]]

_MARKS = {
    State.SUCCEEDED: "done",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.REFUSED: "refused",
    State.HELD: "held",
    State.QUEUED: "waiting",
    State.RUNNING: "running",
}


async def tell(room: Room, interaction: Interaction, telling: Telling) -> None:
    """Answer for their eyes alone. Raises NotHeard, UserError or Transient."""
    await acknowledge(interaction, hidden=True)
    layout = await telling(room, interaction)
    await interaction.edit_original_response(view=layout)
    account = await account_of(room.desk.studio, interaction.user)
    await tell_kept(room, interaction, account)


async def me(room: Room, interaction: Interaction) -> ui.LayoutView:
    """Credits, what runs, the newest clips, and the ping."""
    studio = room.desk.studio
    account = await account_of(studio, interaction.user)
    wallet = await studio.wallet(account)
    views = await studio.history(account, LISTED)
    unfinished = [view for view in views if not view.job.state.ended]
    held = f"{DOT}{credits(wallet.held)} held for what is under way" if wallet.held else ""
    texts = [
        f"**{plain(account.name)}**\n{credits(wallet.available)}{held}",
        f"Plan: free, filled up to {credits(studio.terms.daily_credits)} each day",
        "**Under way**\n" + "\n".join(f"{_linked(view)}" for view in unfinished)
        if unfinished
        else "",
        "**Your newest clips**\n" + "\n".join(_linked(view) for view in views) if views else "",
        "-# `/show` posts one again, with its buttons." if views else "",
    ]
    now = "A short message when a clip is done" if account.ping else "No message when it is done"
    wanted, label = ("off", "Don't ping me") if account.ping else ("on", "Ping me when it's done")
    row: ui.ActionRow[ui.LayoutView] = ui.ActionRow(
        ui.Button(label=label, custom_id=f"kn-ping:{wanted}")
    )
    return _layout([*texts, f"Ping: {now.lower()}"], row)


async def queue(room: Room, interaction: Interaction) -> ui.LayoutView:
    """How many run and wait, and where theirs are."""
    studio = room.desk.studio
    account = await account_of(studio, interaction.user)
    everything = await room.desk.lobby.unfinished()
    running = sum(job.state is State.RUNNING for job in everything)
    waiting = len(everything) - running
    mine = [studio.viewed(job) for job in everything if job.account_id == account.id]
    lines = []
    for view in mine[:LISTED]:
        shown = card(view, studio.catalogue)
        lines.append(f"{_linked(view)}\n-# {shown.line_one}{DOT}{shown.line_two}")
    if len(mine) > LISTED:
        lines.append(f"-# and {len(mine) - LISTED} more")
    texts = [
        f"**Queue**\n{running} running, {waiting} waiting",
        "\n".join(lines) or "None of them is yours.",
    ]
    return _layout(texts)


async def models(room: Room, interaction: Interaction) -> ui.LayoutView:
    """What each model takes and makes."""
    texts = []
    for model in room.desk.studio.catalogue[:LISTED]:
        flags = " ".join(f"`--{flag}`" for flag in sorted(model.flags))
        texts.append(
            f"**{model.name}** {plain(model.summary)}\n"
            f"takes {doctor.takes(model)}{DOT}{model.seconds.low:g}–{model.seconds.high:g} s"
            f"{DOT}{', '.join(model.resolutions)}{DOT}{', '.join(model.aspects)}\n"
            f"-# {flags}{DOT if flags else ''}{plain(model.licence)}"
        )
    return _layout(texts)


async def help_(room: Room, interaction: Interaction) -> ui.LayoutView:
    """How to ask."""
    flags = " ".join(f"`--{flag.name} {flag.example}`".replace(" `", "`") for flag in FLAGS)
    return _layout(
        [
            "**Kinora** renders clips on this community's own machine.",
            "`/create` a red ball bouncing: a clip from words\n"
            "`/animate` a picture: a clip from it; or open a message's menu, then *Apps*, then "
            "*Animate this*\n"
            "`/again` · `/extend` · `/show`: with a clip of yours\n"
            "`/queue` · `/me` · `/models`: where things stand",
            "Under a clip: Again, with a new seed; Edit; Extend; ×4, four of the kind; Upscale. "
            "*Remix*, in its menu, starts from anybody's.",
            f"Flags go behind the words, as on every surface: {flags}",
            "A clip that fails or is cancelled costs nothing.",
        ]
    )


def line(view: View) -> str:
    """A job in a line: "a red ball bouncing · 5 s · done"."""
    job = view.job
    words = job.request.prompt or "from a picture"
    if len(words) > WORDS_CHARS:
        words = f"{words[: WORDS_CHARS - 1]}…"
    length = job.clip.seconds if job.clip else job.request.seconds
    return f"{words}{DOT}{length:.3g} s{DOT}{_MARKS[job.state]}"


def _linked(view: View) -> str:
    return f"`{view.job.id}` {plain(line(view))}"


def _layout(texts: list[str], row: ui.ActionRow[ui.LayoutView] | None = None) -> ui.LayoutView:
    children: list[ui.Item[ui.LayoutView]] = [ui.TextDisplay(text) for text in texts if text]
    if row is not None:
        children.append(row)
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.Container(*children, accent_colour=ACCENT))
    return view
