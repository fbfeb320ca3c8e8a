"""What is first only said, and done once a button is pressed; and how far it is, where that takes
its time.

What waits for its button is in memory: where it is gone, the button says so.
"""

from __future__ import annotations

import re
from typing import Any, Self

import discord
from discord import ui

from bots import moderation
from bots.discord.asking import Room
from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.desk import PLATFORM
from bots.discord.hearing import acknowledge_update, answer, guarded, key_of
from bots.discord.ranks import actor_of, check_leads
from bots.hearing import NOT_ASKER
from core import moderation as acts
from core.bulk import Progress
from core.errors import Refused
from core.moderation import Act, Rank

Interaction = discord.Interaction[Any]

EDIT_SECONDS = 2.5
CONFIRM_ID = re.compile(r"kn-mod:(?P<key>\d{1,20})")
STOP_ID = re.compile(r"kn-stop:(?P<key>\d{1,20})")


class ConfirmButton(ui.DynamicItem[ui.Button[Any]], template=CONFIRM_ID):
    """Does what was said."""

    def __init__(self, item: ui.Button[Any], key: str, room: Room) -> None:
        super().__init__(item)
        self._key = key
        self._room = room

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, match["key"], interaction.client.room)

    async def callback(self, interaction: Interaction) -> None:
        await guarded(interaction, lambda: _confirmed(self._room, interaction, self._key))


class StopButton(ui.DynamicItem[ui.Button[Any]], template=STOP_ID):
    """Leaves those as they are whose turn has not come."""

    def __init__(self, item: ui.Button[Any], key: str, room: Room) -> None:
        super().__init__(item)
        self._key = key
        self._room = room

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, match["key"], interaction.client.room)

    async def callback(self, interaction: Interaction) -> None:
        async def work() -> None:
            actor = actor_of(self._room, interaction)
            check_leads(actor)
            self._room.desk.bulk.stop(f"{PLATFORM}:{self._key}", actor)
            await acknowledge_update(interaction)

        await guarded(interaction, work)


async def confirm(room: Room, interaction: Interaction, act: Act, said: str, theirs: Rank) -> None:
    """Say what it would be, with a button that does it."""
    waiting = moderation.Waiting(interaction.user.id, act, key_of(interaction), theirs)
    room.waiting.add(str(interaction.id), waiting)
    view = note_view(plain(said), ACCENT)
    button: ui.Button[ui.LayoutView] = ui.Button(
        label="Do it", style=discord.ButtonStyle.danger, custom_id=f"kn-mod:{interaction.id}"
    )
    view.add_item(ui.ActionRow(button))
    await answer(interaction, view=view)


async def follow(room: Room, interaction: Interaction, key: str) -> None:
    """Show how far it is, in the message of the button, for as long as that can be changed."""
    progress = room.desk.bulk.progress(key)
    while not interaction.is_expired():
        await answer(interaction, view=_view(progress, key))
        if progress.ended:
            return
        progress = await room.desk.bulk.changed(key, EDIT_SECONDS)


async def _confirmed(room: Room, interaction: Interaction, key: str) -> None:
    """Whoever presses has to lead still."""
    await acknowledge_update(interaction)
    waiting = room.waiting.find(key)
    if waiting.by != interaction.user.id:
        raise Refused(NOT_ASKER)
    actor = actor_of(room, interaction)
    if isinstance(waiting.act, acts.ToRole):
        await room.desk.bulk.begin(actor, waiting.act, waiting.key)
        room.waiting.done(key)
        await follow(room, interaction, waiting.key)
        return
    done = await room.desk.moderators.do(actor, waiting.act, waiting.key, waiting.theirs)
    room.waiting.done(key)
    await answer(interaction, view=note_view(plain(done.words), ACCENT))


def _view(progress: Progress, key: str) -> ui.LayoutView:
    view = note_view(plain(progress.words), ACCENT)
    if not progress.ended:
        stop: ui.Button[ui.LayoutView] = ui.Button(
            label="Stop", custom_id=f"kn-stop:{key.rpartition(':')[2]}"
        )
        view.add_item(ui.ActionRow(stop))
    return view
