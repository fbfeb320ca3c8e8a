"""Whose a card is: the author presses its buttons, and others hear that they can't."""

from __future__ import annotations

from typing import Any

import discord

from bots import talk
from bots.card import Button
from bots.discord.asking import Room
from bots.discord.card_view import SHEET_CANCEL, SHEET_DELETE, plain
from bots.discord.hearing import NotYours, account_of
from core.job import Account
from core.lobby import Shown

MODERATED = (Button.CANCEL, Button.DELETE, SHEET_CANCEL, SHEET_DELETE)
"""What moderators may press, too."""


async def own(room: Room, interaction: discord.Interaction[Any], job_id: str) -> Shown:
    """Raises NotYours or NotFound."""
    account = await account_of(room.desk, interaction.user)
    return await check_own(room, account, job_id)


async def check_own(room: Room, account: Account, job_id: str) -> Shown:
    """Raises as `own`."""
    shown = await room.desk.lobby.shown(room.desk.studio, job_id)
    if shown.owner.id != account.id:
        raise not_yours(shown.owner.name)
    return shown


def not_yours(name: str, action: str = "") -> NotYours:
    """What somebody hears who presses a button of another's card."""
    if action in MODERATED:
        verb = "cancel" if action in (Button.CANCEL, SHEET_CANCEL) else "delete"
        may = f"Only who asked for it or a moderator may {verb} it."
        return NotYours(talk.not_yours(plain(name), may))
    instead = "For one of your own, open the message's menu, then *Apps*, then *Remix*."
    return NotYours(talk.not_yours(plain(name), instead))
