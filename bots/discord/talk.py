"""What is said to one person alone: /me, /queue, /models, /help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import ui

from bots import talk
from bots.discord.asking import Room, tell_kept
from bots.discord.card_view import ACCENT, plain
from bots.discord.hearing import account_of, acknowledge, answer
from bots.discord.paragraphs import layout
from bots.discord.permissions import server_of
from bots.linking import mine
from bots.talk import Bold, Code, line
from bots.wares import described

Interaction = discord.Interaction[Any]

OFFERED = 12
"""Wares that a message has room for: 40 components, and each is three."""

BUYING = "Discord takes the payment. What you bought is told in your direct messages, and in /me."
Telling = Callable[[Room, Interaction], Awaitable[ui.LayoutView]]


async def tell(room: Room, interaction: Interaction, telling: Telling) -> None:
    """Answer for their eyes alone. Raises NotHeard, UserError or Transient."""
    await acknowledge(interaction, hidden=True)
    await answer(interaction, view=await telling(room, interaction))
    account = await account_of(room.desk, interaction.user)
    await tell_kept(room, interaction, account)


async def me(room: Room, interaction: Interaction) -> ui.LayoutView:
    """Credits, what runs, the newest clips, and the ping."""
    account = await account_of(room.desk, interaction.user)
    told = await talk.me(room.desk.studio, account, _here(interaction))
    now = "a short message when a clip is done" if account.ping else "no message when it is done"
    wanted, label = ("off", "Don't ping me") if account.ping else ("on", "Ping me when it's done")
    row: ui.ActionRow[ui.LayoutView] = ui.ActionRow(
        ui.Button(label=label, custom_id=f"kn-ping:{wanted}")
    )
    linked = mine(await room.desk.links.linked(account))
    return layout([*told, (line(f"Ping: {now}"), linked)], row)


def _here(interaction: Interaction) -> str:
    return f"{server_of(interaction)}/{interaction.channel_id}/@{interaction.id}"


async def queue(room: Room, interaction: Interaction) -> ui.LayoutView:
    """How many run and wait, and where theirs are."""
    studio = room.desk.studio
    account = await account_of(room.desk, interaction.user)
    return layout(await talk.queue(studio, room.desk.lobby, account))


async def models(room: Room, interaction: Interaction) -> ui.LayoutView:
    """What each model takes and makes."""
    return layout(talk.models(room.desk.studio))


async def buy(room: Room, interaction: Interaction) -> ui.LayoutView:
    """What is offered, each with the button that Discord puts the price on and answers itself."""
    offered = room.desk.purchases.wares.for_skus()[:OFFERED]
    view = ui.LayoutView(timeout=None)
    shelf: ui.Container[ui.LayoutView] = ui.Container(accent_colour=ACCENT)
    for ware in offered:
        shelf.add_item(ui.TextDisplay(f"**{plain(ware.title)}**\n{plain(described(ware))}"))
        shelf.add_item(ui.ActionRow(ui.Button(sku_id=int(ware.sku or 0))))
    shelf.add_item(ui.TextDisplay(f"-# {BUYING}"))
    return view.add_item(shelf)


async def help_(room: Room, interaction: Interaction) -> ui.LayoutView:
    """How to ask."""
    return layout(
        [
            (line(Bold("Kinora"), " renders clips on this community's own machine."),),
            (
                line(Code("/create"), " a red ball bouncing, blue background: a clip from words"),
                line(
                    *(Code("/animate"), " a picture: a clip from it; or open a message's menu, "),
                    *("then ", Bold("Apps"), ", then ", Bold("Animate this")),
                ),
                line(
                    *(Code("/again"), " · ", Code("/extend"), " · ", Code("/show")),
                    ": with a clip of yours",
                ),
                line(
                    *(Code("/queue"), " · ", Code("/me"), " · ", Code("/models")),
                    ": where things stand",
                ),
                line(Code("/link"), ": one wallet with your account on Telegram or the page"),
                line(
                    *(Code("/gift"), ": credits of yours to somebody; ", Code("/redeem")),
                    ": a voucher code",
                ),
            ),
            (
                line(
                    "Under a clip: Again, with a new seed; Edit; Extend; ×4, four of the kind; "
                    "Upscale. ",
                    *(Bold("Remix"), ", in its menu, starts from anybody's."),
                ),
            ),
            talk.flags(),
            (line(talk.COSTS), line(talk.MACHINE, small=True)),
        ]
    )
