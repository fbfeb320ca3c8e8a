"""Whoever a picture shows is asked in their direct messages, and answers there."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import Any, Self

import discord
from discord import ui

from bots import reviewing as words
from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.desk import DIRECT, PLATFORM, DiscordDesk
from bots.discord.hearing import acknowledge_update, answer, guarded, say_besides
from bots.discord.messages import Messages, Upload
from bots.discord.paragraphs import COVERED, layout, to_cover
from core.errors import BadPrompt, Refused, Transient, Unreachable, WrongState
from core.job import Account, Asks, Identity, Job, State
from core.places import place, platform

Interaction = discord.Interaction[Any]

CONSENT_ID = re.compile(r"kn-consent:(?P<said>yes|no):(?P<job_id>[0-9a-z]{12})")


class ConsentButton(ui.DynamicItem[ui.Button[Any]], template=CONSENT_ID):
    """Yes, or no, of who is shown."""

    def __init__(self, item: ui.Button[Any], agreed: bool, job_id: str, desk: DiscordDesk) -> None:
        super().__init__(item)
        self._agreed = agreed
        self._job_id = job_id
        self._desk = desk

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, match["said"] == "yes", match["job_id"], interaction.client.room.desk)

    async def callback(self, interaction: Interaction) -> None:
        async def work() -> None:
            await acknowledge_update(interaction)
            who = Identity(PLATFORM, str(interaction.user.id))
            job = await self._desk.reviews.consent(who, self._job_id, self._agreed)
            said = words.consented(job, self._agreed)
            await answer(interaction, view=note_view(said, ACCENT), attachments=[])

        await guarded(interaction, work)


def check(subject: discord.abc.User, picture: discord.Attachment | None) -> None:
    """Raises Refused or BadPrompt for who can't be asked."""
    if subject.bot:
        raise Refused(words.NO_BOT)
    if picture is None:
        raise BadPrompt(words.NO_PICTURE)


def waits(job: Job) -> bool:
    """Whether it waits for somebody's consent."""
    return job.state is State.HELD and job.asks is Asks.SUBJECT


async def ask(
    desk: DiscordDesk, messages: Messages, interaction: Interaction, author: Account, job: Job
) -> None:
    """Ask for the consent that a job waits for, whose card is drawn. It is cancelled where nobody
    can be asked, and who wanted it is told why."""
    if await _asked(desk, messages, author, job):
        return
    subject = await desk.moderators.account(job.subject) if job.subject else None
    name = subject.name if subject else "them"
    await say_besides(interaction, words.CANT_ASK.format(plain(name)))


async def catch_up(desk: DiscordDesk, messages: Messages, began: datetime) -> None:
    """Ask those whom a program that ended before `began` did not get to ask."""
    for job in await desk.lobby.offered():
        mine = waits(job) and platform(job.place) == PLATFORM and job.created_at < began
        if mine and not await desk.lobby.copies(job.id):
            _, author = await desk.moderators.owner(job.id)
            await _asked(desk, messages, author, job)


async def _asked(desk: DiscordDesk, messages: Messages, author: Account, job: Job) -> bool:
    """Whether they could be asked; else the job is called off."""
    assert job.subject is not None, "it waits for somebody"
    known = await desk.moderators.identities(job.subject)
    here = next((one for one in known if one.platform == PLATFORM), None)
    try:
        if here is None:
            raise Unreachable("they are not on Discord")
        await _ask(desk, messages, int(here.subject), author, job)
    except (Unreachable, Transient, TimeoutError):
        with suppress(WrongState):  # it ended meanwhile
            await desk.studio.cancel(author, job.id)
        return False
    return True


async def _ask(desk: DiscordDesk, messages: Messages, user: int, author: Account, job: Job) -> None:
    """Raises Unreachable, Transient or TimeoutError."""
    paths = [await desk.pictures(one) for one in job.request.pictures[:1]]
    picture = await to_cover(paths[0]) if paths else None
    files = [Upload(COVERED, picture)] if picture else []
    row: ui.ActionRow[ui.LayoutView] = ui.ActionRow(
        _button(words.AGREE, "yes", job.id), _button(words.DECLINE, "no", job.id)
    )
    view = layout(words.consent(author.name, job), row, covered=COVERED if files else "")
    channel = await messages.direct(user)
    sent = await messages.send(channel, view, files, nonce=f"ask-{job.id}")
    await desk.lobby.copied(job.id, place(PLATFORM, DIRECT, str(channel), str(sent)))


def _button(label: str, said: str, job_id: str) -> ui.Button[ui.LayoutView]:
    style = discord.ButtonStyle.success if said == "yes" else discord.ButtonStyle.secondary
    return ui.Button(label=label, style=style, custom_id=f"kn-consent:{said}:{job_id}")
