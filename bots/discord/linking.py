"""/link and /unlink, for the eyes of who asks alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import discord
from discord import ui

from bots import linking as words
from bots.discord.asking import Room
from bots.discord.desk import PLATFORM
from bots.discord.hearing import (
    account_of,
    acknowledge,
    acknowledge_update,
    answer,
    guarded,
    key_of,
)
from bots.discord.paragraphs import layout
from bots.linking import JOIN_ID, PART_ID
from bots.moderation import name_of
from bots.talk import Paragraph
from core.errors import WrongState
from core.job import Account, Identity
from core.links import NOT_LINKED

Interaction = discord.Interaction[Any]


class JoinButton(ui.DynamicItem[ui.Button[Any]], template=JOIN_ID):
    """Joins what was said."""

    def __init__(self, item: ui.Button[Any], code: str, room: Room) -> None:
        super().__init__(item)
        self._code = code
        self._room = room

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: Any, /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, match["code"], interaction.client.room)

    async def callback(self, interaction: Interaction) -> None:
        await guarded(interaction, lambda: _join(self._room, interaction, self._code))


class PartButton(ui.DynamicItem[ui.Button[Any]], template=PART_ID):
    """Takes who presses it out of their account."""

    def __init__(self, item: ui.Button[Any], room: Room) -> None:
        super().__init__(item)
        self._room = room

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: object, /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, interaction.client.room)

    async def callback(self, interaction: Interaction) -> None:
        await guarded(interaction, lambda: _part(self._room, interaction))


async def link(room: Room, interaction: Interaction, code: str) -> None:
    """A code, or what the one that was typed would do. Raises NotHeard, UserError or Transient."""
    await acknowledge(interaction, hidden=True)
    account, links = await account_of(room.desk, interaction.user), room.desk.links
    if not code:
        await _answer(interaction, words.code(await links.code(account)))
        return
    offer = await links.offer(account, code, _name(interaction))
    button: ui.Button[ui.LayoutView] = ui.Button(
        label=words.JOIN_LABEL,
        style=discord.ButtonStyle.primary,
        custom_id=f"kn-join:{offer.code}",
    )
    await _answer(interaction, words.asked(offer), button)


async def unlink(room: Room, interaction: Interaction) -> None:
    """What leaving would mean. Raises as `link`."""
    await acknowledge(interaction, hidden=True)
    account = await account_of(room.desk, interaction.user)
    linked = await room.desk.links.linked(account)
    if len(linked) < 2:
        raise WrongState(NOT_LINKED)
    button: ui.Button[ui.LayoutView] = ui.Button(
        label=words.PART_LABEL, style=discord.ButtonStyle.danger, custom_id="kn-part"
    )
    await _answer(interaction, words.parting(linked, _identity(interaction)), button)


async def _join(room: Room, interaction: Interaction, code: str) -> None:
    await acknowledge_update(interaction)
    account, links = await account_of(room.desk, interaction.user), room.desk.links
    joined = await links.join(account, code, _name(interaction), _identity(interaction))
    wallet = await room.desk.studio.wallet(joined)
    told = words.joined(joined.name, wallet.available, await links.linked(joined))
    await _answer(interaction, told)


async def _part(room: Room, interaction: Interaction) -> None:
    await acknowledge_update(interaction)
    account: Account = await account_of(room.desk, interaction.user)
    linked = await room.desk.links.linked(account)
    await room.desk.links.part(
        _identity(interaction), account, _name(interaction), key_of(interaction)
    )
    await _answer(interaction, words.parted(linked, _identity(interaction)))


async def _answer(
    interaction: Interaction,
    told: Sequence[Paragraph],
    button: ui.Button[ui.LayoutView] | None = None,
) -> None:
    row: ui.ActionRow[ui.LayoutView] | None = ui.ActionRow(button) if button else None
    await answer(interaction, view=layout(told, row))


def _identity(interaction: Interaction) -> Identity:
    return Identity(PLATFORM, str(interaction.user.id))


def _name(interaction: Interaction) -> str:
    return name_of(interaction.user.display_name, _identity(interaction))
