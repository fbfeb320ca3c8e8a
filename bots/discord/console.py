"""/console: the way into the console, for who leads a server. For their eyes alone.

No `from __future__ import annotations` here: discord.py reads the annotations.
"""

from typing import Any

import discord
from discord import app_commands, ui

from bots.discord.asking import Room
from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.hearing import account_of, acknowledge, answer, guarded
from bots.discord.permissions import server_of
from bots.discord.ranks import actor_of, check_leads
from bots.talk import NO_CONSOLE
from core.errors import WrongState
from core.leaders import Led
from core.moderation import Rank

Interaction = discord.Interaction[Any]


def register(tree: app_commands.CommandTree[Any], room: Room) -> None:
    @tree.command(name="console", description="Open the console, for those who lead this server")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def console(interaction: Interaction) -> None:
        await guarded(interaction, lambda: _opened(room, interaction))


async def _opened(room: Room, interaction: Interaction) -> None:
    """Raises NotHeard, UserError or Transient."""
    actor = actor_of(room, interaction)
    check_leads(actor)
    await acknowledge(interaction, hidden=True)
    entrance = room.desk.entrance
    if entrance is None:
        raise WrongState(NO_CONSOLE)
    account = await account_of(room.desk, interaction.user)
    if actor.rank is Rank.MODERATOR:
        title = interaction.guild.name if interaction.guild else ""
        await entrance.leaders.leads(account.id, Led(server_of(interaction), title))
    words = "This opens the console in your browser, once and within 10 minutes, for you alone."
    view = note_view(plain(words), ACCENT)
    link = await entrance.link(account)
    button: ui.Button[ui.LayoutView] = ui.Button(label="Open the console", url=link)
    view.add_item(ui.ActionRow(button))
    await answer(interaction, view=view)
