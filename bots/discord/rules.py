"""/settings: how Kinora is used on a server, by those who may manage it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import discord

from bots.discord.asking import Room
from bots.discord.hearing import acknowledge
from bots.discord.permissions import server_of
from core.catalog import named
from core.errors import BadPrompt, Refused
from core.places import Rules

log = logging.getLogger("kinora.discord")

CHANNELS_MAX = 25

UNSET = "any"
"""In place of a resolution or a model: as it is where nothing is set."""


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
    await interaction.edit_original_response(content=told(rules))


def changed(rules: Rules, said: Mapping[str, Any]) -> Rules:
    """The rules with what was said. channel: allowed, or no longer where it was. Raises BadPrompt.

    0 and "any" take a setting back.
    """
    new: dict[str, Any] = {}
    for name in ("seconds", "longest"):
        if said.get(name) is not None:
            new[name] = said[name] or None
    for name in ("resolution", "largest", "model"):
        if said.get(name) is not None:
            new[name] = None if said[name] == UNSET else said[name]
    if said.get("private") is not None:
        new["private"] = said["private"]
    if (channel := said.get("channel")) is not None:
        others = tuple(one for one in rules.channels if one != channel)
        new["channels"] = others if channel in rules.channels else (*others, channel)
        if len(new["channels"]) > CHANNELS_MAX:
            raise BadPrompt(f"Up to {CHANNELS_MAX} channels can be named: take one out first.")
    after = replace(rules, **new)
    if after.seconds and after.longest and after.seconds > after.longest:
        raise BadPrompt(
            f"{after.seconds:g} s where nobody says is more than the most, {after.longest:g} s.",
            flag="seconds",
        )
    return after


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
    length = f"{rules.seconds:g} s" if rules.seconds else "as the model has it"
    most = f"{rules.longest:g} s at most" if rules.longest else "as long as the model can"
    size = rules.resolution or "as the model has it"
    largest = f"{rules.largest} at most" if rules.largest else "as large as the model can"
    return "\n".join(
        (
            "**Kinora on this server**",
            f"Channels: {listed or 'all that I may write in'}",
            f"Length: {length}; {most}",
            f"Resolution: {size}; {largest}",
            f"Model: {rules.model or 'the usual one'}",
            f"Cards: {'for who asked alone, unless they say' if rules.private else 'for all'}",
        )
    )
