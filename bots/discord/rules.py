"""/settings: how Kinora is used on a server, by those who may manage it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import discord

from bots.discord.asking import Room
from bots.discord.card_view import ACCENT, note_view
from bots.discord.hearing import acknowledge, answer
from bots.discord.permissions import server_of
from bots.rules import changed, lengths, level, model, sizes
from core.catalog import named
from core.errors import Refused
from core.places import Rules

log = logging.getLogger("kinora.discord")


async def settle(
    room: Room, interaction: discord.Interaction[Any], said: Mapping[str, Any]
) -> None:
    """Change what was said, and show what holds now. Raises NotHeard, UserError or Transient."""
    if interaction.guild_id is None or not interaction.permissions.manage_guild:
        raise Refused("Only who may manage a server can change how Kinora is used there.")
    await acknowledge(interaction, hidden=True)
    server = server_of(interaction)
    rules = changed(await _without_gone(interaction, room.desk.lobby.rules(server)), said)
    if rules.model is not None:
        named(room.desk.studio.catalogue, rules.model)
    if rules != room.desk.lobby.rules(server):
        await room.desk.lobby.set_rules(server, rules)
    await answer(interaction, view=note_view(told(rules), ACCENT))


async def _without_gone(interaction: discord.Interaction[Any], rules: Rules) -> Rules:
    """The rules without channels that were deleted, which nobody can choose to take out."""
    guild = interaction.guild
    channels = []
    for channel in rules.channels:
        try:
            if guild is not None and guild.get_channel_or_thread(int(channel)) is None:
                await guild.fetch_channel(int(channel))
        except discord.NotFound:
            continue
        except discord.HTTPException as error:
            log.info("a channel of %s was not looked at: %s", server_of(interaction), error)
        channels.append(channel)
    return replace(rules, channels=tuple(channels))


def told(rules: Rules) -> str:
    """What holds on a server, in words."""
    listed = ", ".join(f"<#{channel}>" for channel in rules.channels)
    return "\n".join(
        (
            "**Kinora on this server**",
            f"Channels: {listed or 'all that I may write in'}",
            f"Length: {lengths(rules)}",
            f"Resolution: {sizes(rules)}",
            f"Model: {model(rules)}",
            f"Safety: {level(rules)}",
            f"Cards: {'for who asked alone, unless they say' if rules.private else 'for all'}",
        )
    )
