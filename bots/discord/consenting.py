"""Whoever a picture shows is asked in their direct messages, and answers there."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Self

import discord
from discord import ui

from bots import reviewing as words
from bots.discord.asking import Room
from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.desk import PLATFORM
from bots.discord.hearing import acknowledge_update, answer, guarded, say_besides
from bots.discord.messages import Upload
from bots.discord.talk import layout
from bots.thumb import LOOKED_AT, thumbnail
from core.errors import BadPrompt, Refused, Transient, Unreachable
from core.job import Account, Asks, Identity, Job, State

Interaction = discord.Interaction[Any]

CONSENT_ID = re.compile(r"kn-consent:(?P<said>yes|no):(?P<job_id>[0-9a-z]{12})")
SEEN = "SPOILER_picture.jpg"


class ConsentButton(ui.DynamicItem[ui.Button[Any]], template=CONSENT_ID):
    """Yes, or no, of who is shown."""

    def __init__(self, item: ui.Button[Any], agreed: bool, job_id: str, room: Room) -> None:
        super().__init__(item)
        self._agreed = agreed
        self._job_id = job_id
        self._room = room

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, match["said"] == "yes", match["job_id"], interaction.client.room)

    async def callback(self, interaction: Interaction) -> None:
        await guarded(
            interaction, lambda: _said(self._room, interaction, self._job_id, self._agreed)
        )


def check(subject: discord.abc.User, picture: discord.Attachment | None) -> None:
    """Raises Refused or BadPrompt for who can't be asked."""
    if subject.bot:
        raise Refused(words.NO_BOT)
    if picture is None:
        raise BadPrompt(words.NO_PICTURE)


async def ask(
    room: Room, interaction: Interaction, author: Account, job: Job, subject: discord.abc.User
) -> None:
    """Ask them, where the job waits for that; cancel it where they can't be. Raises UserError."""
    if job.state is not State.HELD or job.asks is not Asks.SUBJECT:
        return
    row: ui.ActionRow[ui.LayoutView] = ui.ActionRow(
        _button(words.AGREE, "yes", job.id), _button(words.DECLINE, "no", job.id)
    )
    view = layout(words.consent(author.name, job), row)
    files = [Upload(SEEN, picture)] if (picture := await _picture(room, job)) else []
    if files:
        container = view.children[0]
        assert isinstance(container, ui.Container)
        shown = discord.MediaGalleryItem(
            f"attachment://{SEEN}", description="The picture", spoiler=True
        )
        container.add_item(ui.MediaGallery(shown))
    try:
        channel = await room.messages.direct(subject.id)
        await room.messages.send(channel, view, files, nonce=f"ask-{job.id}")
    except (Unreachable, Transient, TimeoutError):
        await room.desk.studio.cancel(author, job.id)
        await say_besides(interaction, words.CANT_ASK.format(plain(subject.display_name)))


async def _said(room: Room, interaction: Interaction, job_id: str, agreed: bool) -> None:
    await acknowledge_update(interaction)
    who = Identity(PLATFORM, str(interaction.user.id))
    job = await room.desk.reviews.consent(who, job_id, agreed)
    view = note_view(words.consented(job, agreed), ACCENT)
    await answer(interaction, view=view, attachments=[])


async def _picture(room: Room, job: Job) -> bytes | None:
    for one in job.request.pictures[:1]:
        path = await room.desk.pictures(one)
        if path is not None:
            return await asyncio.to_thread(thumbnail, path, LOOKED_AT)
    return None


def _button(label: str, said: str, job_id: str) -> ui.Button[ui.LayoutView]:
    style = discord.ButtonStyle.success if said == "yes" else discord.ButtonStyle.secondary
    return ui.Button(label=label, style=style, custom_id=f"kn-consent:{said}:{job_id}")
