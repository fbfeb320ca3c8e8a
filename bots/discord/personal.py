"""/privacy and /forget: what is kept of somebody is told, handed out or deleted. For their eyes
alone.

No `from __future__ import annotations` here: discord.py reads the annotations.
"""

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Any, Self

import discord
from discord import app_commands, ui

from bots import privacy
from bots.discord.asking import Room
from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.hearing import account_of, acknowledge, acknowledge_update, answer, guarded
from bots.discord.paragraphs import layout

Interaction = discord.Interaction[Any]

FORGET_ID = re.compile("kn-forget")
SPARE_BYTES = 1_000_000
"""Of what a message may carry, for what goes around the file."""


class ForgetButton(ui.DynamicItem[ui.Button[Any]], template=FORGET_ID):
    """Deletes what is kept of who presses it."""

    def __init__(self, item: ui.Button[Any], room: Room) -> None:
        super().__init__(item)
        self._room = room

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, interaction.client.room)

    async def callback(self, interaction: Interaction) -> None:
        await guarded(interaction, lambda: _forgotten(self._room, interaction))


def register(tree: app_commands.CommandTree[Any], room: Room) -> None:
    @tree.command(name="privacy", description="What is kept about you, and for how long")
    @app_commands.describe(export="Send you all that is kept")
    async def privacy_(interaction: Interaction, export: bool = False) -> None:
        telling = _export if export else _notice
        await guarded(interaction, lambda: telling(room, interaction))

    @tree.command(name="forget", description="Delete what is kept about you")
    async def forget(interaction: Interaction) -> None:
        await guarded(interaction, lambda: _warn(room, interaction))


async def _notice(room: Room, interaction: Interaction) -> None:
    await acknowledge(interaction, hidden=True)
    await answer(interaction, view=layout(privacy.notice(room.desk.notice)))


async def _export(room: Room, interaction: Interaction) -> None:
    await acknowledge(interaction, hidden=True)
    account = await account_of(room.desk, interaction.user)
    made = await room.desk.privacy.export(account)
    most = interaction.filesize_limit - SPARE_BYTES
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, privacy.ARCHIVE_NAME)
        whole = await asyncio.to_thread(privacy.pack, made, file, most)
        said = privacy.ALL_OF_IT if whole else privacy.ROWS_ALONE
        upload = discord.File(file, privacy.ARCHIVE_NAME)
        await answer(interaction, content=said, attachments=[upload])


async def _warn(room: Room, interaction: Interaction) -> None:
    """Say what would go, with a button."""
    await acknowledge(interaction, hidden=True)
    account = await account_of(room.desk, interaction.user)
    left = (await room.desk.studio.wallet(account)).available
    view = note_view(plain(privacy.warning(left)), ACCENT)
    button: ui.Button[ui.LayoutView] = ui.Button(
        label=privacy.FORGET_LABEL,
        style=discord.ButtonStyle.danger,
        custom_id="kn-forget",
    )
    await answer(interaction, view=view.add_item(ui.ActionRow(button)))


async def _forgotten(room: Room, interaction: Interaction) -> None:
    """Whoever presses: only they were shown the button."""
    await acknowledge_update(interaction)
    account = await account_of(room.desk, interaction.user)
    receipt = await room.desk.privacy.forget(account)
    await answer(interaction, view=layout(privacy.told(receipt)))
