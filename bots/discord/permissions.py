"""Whether a card may live where it is asked for: looked at before anything is charged."""

from __future__ import annotations

import discord

from bots.card import NOTHING_CHARGED
from bots.discord.desk import DIRECT, PLATFORM
from core.places import Rules

INVITED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    embed_links=True,
    read_message_history=True,
)
"""What Kinora asks for when it is invited."""

VIEW = "View Channels"
"""Which the library knows by the name that it had before."""

_WORDS = {
    "view_channel": ("see", "View Channel"),
    "send_messages": ("write in", "Send Messages"),
    "send_messages_in_threads": ("write in", "Send Messages in Threads"),
    "attach_files": ("post files in", "Attach Files"),
    "embed_links": ("show pictures in", "Embed Links"),
}


def lacking(given: discord.Permissions) -> list[str]:
    """What of `INVITED` is not given, as Discord's own app calls it."""
    if given.administrator:
        return []
    missing = [name for name, wanted in INVITED if wanted and not getattr(given, name)]
    words = (name.replace("_", " ").title().replace(" In ", " in ") for name in missing)
    return [VIEW if name == "Read Messages" else name for name in words]


def server_of(interaction: discord.Interaction) -> str:
    """The server as in `core.places.server`."""
    return f"{PLATFORM}:{interaction.guild_id or DIRECT}"


def is_member(interaction: discord.Interaction) -> bool:
    """Whether the bot itself is where the interaction comes from, and not only its token."""
    if interaction.guild_id is not None:
        return interaction.client.get_guild(interaction.guild_id) is not None
    return interaction.context.dm_channel is True


def is_adult(interaction: discord.Interaction) -> bool:
    is_nsfw = getattr(interaction.channel, "is_nsfw", None)
    return interaction.guild_id is not None and is_nsfw is not None and bool(is_nsfw())


def may_moderate(interaction: discord.Interaction) -> bool:
    """Whether whoever asks may remove other people's messages there."""
    return interaction.guild_id is not None and interaction.permissions.manage_messages


def refusal(interaction: discord.Interaction, rules: Rules, *, hidden: bool) -> str:
    """Why no card may live there, and what to do about it; "" where one may.

    hidden: the card is for who asked alone, which needs less.
    """
    if (elsewhere := _elsewhere(interaction, rules)) != "":
        return elsewhere
    needed = ["attach_files"]
    if is_member(interaction) and interaction.guild_id is not None and not hidden:
        threaded = isinstance(interaction.channel, discord.Thread)
        speak = "send_messages_in_threads" if threaded else "send_messages"
        needed = ["view_channel", speak, "attach_files", "embed_links"]
    given = interaction.app_permissions
    missing = [name for name in needed if not getattr(given, name)]
    if not missing:
        return ""
    return missing_sentence(missing, f"<#{interaction.channel_id}>")


def missing_sentence(missing: list[str], where: str) -> str:
    """I may not post files in #general. An admin can allow *Attach Files* …"""
    verb = _WORDS[missing[0]][0]
    names = " and ".join(f"*{_WORDS[name][1]}*" for name in missing)
    return (
        f"I may not {verb} {where}. An admin can allow {names} for Kinora, or try another "
        f"channel. {NOTHING_CHARGED}"
    )


def _elsewhere(interaction: discord.Interaction, rules: Rules) -> str:
    if not rules.channels or interaction.guild_id is None:
        return ""
    here = {str(interaction.channel_id), str(getattr(interaction.channel, "parent_id", ""))}
    if here & set(rules.channels):
        return ""
    listed = ", ".join(f"<#{channel}>" for channel in rules.channels)
    return f"On this server Kinora is used in {listed}. {NOTHING_CHARGED}"
