"""The buttons of a card. Each carries its job's id, so that it works after a restart, for months.

Who may press which: the author all of them; moderators may cancel and delete; anybody may report.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import Any, Self

import discord
from discord import ui

from bots.card import BUTTON_ID, REPORTED, REPORTED_BEFORE, Button
from bots.discord import appealing, forms, moderation, talk
from bots.discord.asking import Room, ask, heed, renew, tell_kept
from bots.discord.card_view import SHEET_CANCEL, SHEET_DELETE, SHOW
from bots.discord.hearing import (
    ANSWER_SECONDS,
    account_of,
    acknowledge,
    acknowledge_update,
    answer,
    guarded,
    in_time,
)
from bots.discord.owning import MODERATED, check_own, not_yours, own
from bots.discord.permissions import may_moderate, server_of
from bots.discord.showing import show
from bots.talk import NO_PAGE
from bots.variation import vary
from core import moderation as acts
from core.errors import WrongState
from core.job import Account, Job
from core.places import server

_PING_ID = re.compile(r"kn-ping:(?P<wanted>on|off)")


class JobButton(ui.DynamicItem[ui.Button[Any]], template=BUTTON_ID):
    """Any button of ours on any card."""

    def __init__(self, item: ui.Button[Any], action: str, job_id: str, room: Room) -> None:
        super().__init__(item)
        self._action = action
        self._job_id = job_id
        self._room = room

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, match["action"], match["job_id"], interaction.client.room)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await guarded(
            interaction, lambda: pressed(self._room, interaction, self._action, self._job_id)
        )


class PingButton(ui.DynamicItem[ui.Button[Any]], template=_PING_ID):
    """Whether somebody is pinged when a clip is done."""

    def __init__(self, item: ui.Button[Any], wanted: bool, room: Room) -> None:
        super().__init__(item)
        self._wanted = wanted
        self._room = room

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, match["wanted"] == "on", interaction.client.room)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async def work() -> None:
            await acknowledge_update(interaction)
            account = await account_of(self._room.desk, interaction.user)
            await self._room.desk.lobby.set_ping(account, self._wanted)
            layout = await talk.me(self._room, interaction)
            await answer(interaction, view=layout)

        await guarded(interaction, work)


async def pressed(
    room: Room, interaction: discord.Interaction[Any], action: str, job_id: str
) -> None:
    """Raises NotHeard, UserError or Transient."""
    _check_presser(interaction, action)
    match action:
        case Button.AGAIN | Button.RETRY | Button.EXTEND | Button.FOUR | Button.UPSCALE:
            await _vary(room, interaction, action, job_id)
        case Button.RENDER | Button.RELAX | Button.ATTEST:
            await _accept(room, interaction, job_id, action)
        case Button.APPEAL:
            await appealing.open_appeal(room, interaction, job_id)
        case Button.EDIT | Button.CHANGE:
            job = (await in_time(own(room, interaction, job_id))).view.job
            await forms.open_form(room, interaction, job, forms.EDIT)
        case "show" if action == SHOW:
            await in_time(own(room, interaction, job_id))
            await show(room, interaction, job_id, hidden=_is_hidden(interaction) or None)
        case Button.CANCEL | Button.DELETE:
            await _stop(room, interaction, action, [job_id])
        case _ if action in (SHEET_CANCEL, SHEET_DELETE):
            await _stop_sheet(room, interaction, action, job_id)
        case Button.REPORT:
            await _report(room, interaction, job_id)
        case Button.PAGE:
            await _page(room, interaction, job_id)
        case _:
            raise WrongState("This button is of another version of Kinora: try `/show`.")


async def _accept(
    room: Room, interaction: discord.Interaction[Any], job_id: str, action: str
) -> None:
    await acknowledge_update(interaction)
    shown = await own(room, interaction, job_id)
    await renew(room, interaction, shown.view.job.place)
    accepted = await room.desk.studio.accept(
        shown.owner, job_id, relaxed=action == Button.RELAX, attest=action == Button.ATTEST
    )
    room.cards.watch(accepted)


async def _vary(
    room: Room, interaction: discord.Interaction[Any], action: str, job_id: str
) -> None:
    studio = room.desk.studio

    async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
        await check_own(room, account, job_id)
        await heed(room, place, job_id, open_said=True)
        return await vary(studio, account, place, job_id, action, key)

    await ask(room, interaction, queue, hidden=_is_hidden(interaction) or None)


async def _stop(
    room: Room, interaction: discord.Interaction[Any], action: str, job_ids: Sequence[str]
) -> None:
    """Cancel or delete jobs, as their author or as a moderator.

    The message goes at once, and the card of a deleted job, where that is another one, soon after.
    Moderators have a say where the card is; of what is shown from elsewhere they delete the
    message alone.
    """
    await acknowledge_update(interaction)
    account = await account_of(room.desk, interaction.user)
    for job_id in job_ids:
        shown = await room.desk.lobby.shown(room.desk.studio, job_id)
        job = shown.view.job
        if shown.owner.id != account.id:
            here = server(job.place) == server_of(interaction)
            if not may_moderate(interaction) or (action == Button.CANCEL and not here):
                raise not_yours(shown.owner.name)
            if not here:
                continue
        if action == Button.CANCEL:
            with suppress(WrongState) if len(job_ids) > 1 else nullcontext():
                if shown.owner.id == account.id:
                    await room.desk.studio.cancel(shown.owner, job_id)
                else:
                    await moderation.stopped(room, interaction, acts.Cancel, shown.owner, job_id)
        elif shown.owner.id == account.id:
            await room.desk.studio.delete(shown.owner, job_id)
        else:
            await moderation.stopped(room, interaction, acts.Delete, shown.owner, job_id)
    if action == Button.DELETE:
        with suppress(discord.NotFound):
            async with asyncio.timeout(ANSWER_SECONDS):
                await interaction.delete_original_response()
    await tell_kept(room, interaction, account)


async def _stop_sheet(
    room: Room, interaction: discord.Interaction[Any], action: str, job_id: str
) -> None:
    """What Cancel and Delete mean for all jobs of a sheet."""
    first = await room.desk.lobby.shown(room.desk.studio, job_id)
    views = await room.desk.lobby.at(room.desk.studio, first.view.job.place)
    if action == SHEET_CANCEL:
        unfinished = [view.job.id for view in views if not view.job.state.ended]
        await _stop(room, interaction, Button.CANCEL, unfinished)
    else:
        await _stop(room, interaction, Button.DELETE, [view.job.id for view in views])


async def _report(room: Room, interaction: discord.Interaction[Any], job_id: str) -> None:
    await acknowledge(interaction, hidden=True)
    account = await account_of(room.desk, interaction.user)
    shown = await room.desk.lobby.shown(room.desk.studio, job_id)
    new = await room.desk.lobby.report(account, shown.view.job)
    await answer(interaction, content=REPORTED if new else REPORTED_BEFORE)


async def _page(room: Room, interaction: discord.Interaction[Any], job_id: str) -> None:
    await acknowledge(interaction, hidden=True)
    shown = await own(room, interaction, job_id)
    if room.desk.page_link is None:
        raise WrongState(NO_PAGE)
    link = await room.desk.page_link(shown.owner)
    opener: ui.View = ui.View(timeout=None).add_item(ui.Button(label="Open the page", url=link))
    await answer(
        interaction, content="This opens your page, once, and is for you alone.", view=opener
    )


def _check_presser(interaction: discord.Interaction[Any], action: str) -> None:
    """Raises NotYours where the message itself says that somebody else asked for it: nobody sees
    a "thinking…" that comes to nothing. Where it says nothing the owner of the job decides."""
    metadata = interaction.message.interaction_metadata if interaction.message else None
    if metadata is None or metadata.user.id == interaction.user.id or action == Button.REPORT:
        return
    if not (action in MODERATED and may_moderate(interaction)):
        raise not_yours(metadata.user.display_name, action)


def _is_hidden(interaction: discord.Interaction[Any]) -> bool:
    """Whether the button was on a message that only its reader sees."""
    return interaction.message is not None and interaction.message.flags.ephemeral
