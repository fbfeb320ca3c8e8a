"""/show and the numbers of a contact sheet: a job posted again, with its buttons."""

from __future__ import annotations

import logging
from typing import Any

import discord
from discord import ui

from bots.card import BUTTON_ID
from bots.discord.asking import (
    Room,
    answering,
    heeding,
    is_alone,
    is_hidden,
    refused,
    tell_kept,
)
from bots.discord.card_view import note_view
from bots.discord.hearing import account_of, say
from bots.talk import newest
from core.errors import Transient, Unreachable, UserError
from core.job import Account, Job
from core.places import Post, parts, platform
from core.studio import View

log = logging.getLogger("kinora.discord")

HOW = "Make one with `/create`."


async def show(
    room: Room,
    interaction: discord.Interaction[Any],
    job_id: str | None,
    *,
    hidden: bool | None = None,
) -> None:
    """Post a job of theirs again; the newest where none is named. An unfinished job's card moves.

    hidden: for its author alone; None as the server has it.
    Raises NotHeard, UserError or Transient.
    """
    open_said = hidden is False
    hidden = is_hidden(room, interaction, hidden)
    if (why_not := refused(room, interaction, hidden=hidden)) != "":
        await say(interaction, why_not)
        return
    async with answering(room, interaction, hidden=hidden) as answer:
        account = await account_of(room.desk, interaction.user)
        view = await room.desk.studio.view(account, await meant(room, account, job_id))
        before = await room.desk.lobby.post(view.job.place)
        post = heeding(before, answer, open_said=open_said)
        if not is_alone(post):
            room.desk.lobby.check_shown(view.job, post)
        if view.job.state.ended:
            if post.member:
                await room.desk.lobby.copied(view.job.id, post.place)
            await _show_ended(room, post, view)
            await room.desk.lobby.drop(post)  # no card: all that may come is that it is deleted
        else:
            await _move(room, view.job, before, post)
        await tell_kept(room, interaction, account, post.place)


async def meant(room: Room, account: Account, job_id: str | None) -> str:
    """The clip that somebody names, or their newest. Raises NotFound."""
    if job_id is not None:
        return job_id.strip().lower()
    return (await newest(room.desk.studio, account, HOW)).job.id


async def _show_ended(room: Room, post: Post, view: View) -> None:
    try:
        await room.delivery.show(post, [view])
    except Unreachable as error:
        raise UserError("I may not post that here: try another channel.") from error
    except TimeoutError as error:
        raise Transient("no answer came", 5) from error


async def _move(room: Room, job: Job, before: Post | None, post: Post) -> None:
    """The card goes on here; where it was says so."""
    moved = await room.desk.lobby.move(job, post)
    view = (await room.desk.lobby.shown(room.desk.studio, job.id)).view
    if view.job.state.ended:  # meanwhile, and its clip may have gone where the card was
        await _show_ended(room, post, view)
    else:
        room.cards.watch(moved)
    if before is None or platform(before.place) != "discord":
        return
    if await room.desk.lobby.at(room.desk.studio, before.place):
        return
    server, channel, message = parts(post.place)
    link = f"https://discord.com/channels/{'@me' if server == '@' else server}/{channel}/{message}"
    note = "This card is shown elsewhere now." if post.hidden else f"This card goes on at {link}"
    try:
        async with room.cards.lock(before.place):
            await room.messages.edit(before, note_view(note), ())
    except (Unreachable, Transient, TimeoutError) as error:
        log.info("the old card at %s stays as it is: %s", before.place, error)


def our_job(interaction: discord.Interaction[Any], message: discord.Message) -> str | None:
    """The job whose clip is in a message of ours; None where there is none."""
    if message.author.id != interaction.application_id and (
        interaction.client.user is None or message.author.id != interaction.client.user.id
    ):
        return None
    view = ui.LayoutView.from_message(message, timeout=None)
    for item in view.walk_children():
        found = BUTTON_ID.fullmatch(getattr(item, "custom_id", None) or "")
        if found is not None:
            return found["job_id"]
    return None
