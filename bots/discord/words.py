"""Lets discord.py ask for people's words, in every language."""

from __future__ import annotations

import discord
from discord import app_commands

from bots.words import catalogue


class Words(app_commands.Translator):
    """discord.py asks it for every name, description and choice, in every language."""

    async def load(self) -> None:
        self._catalogue = catalogue()

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """None where our own words are to stay."""
        return self._catalogue.get(locale.value, {}).get(string.message)
