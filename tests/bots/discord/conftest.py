"""The bot in a house of its own, against a Discord of our own."""

from __future__ import annotations

from tests.discord.conftest import discord_standin

__all__ = ("discord_standin",)
