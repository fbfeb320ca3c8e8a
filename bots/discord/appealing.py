"""Appeal: a form for why, and then a moderator's word is waited for on the same card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord

from bots import reviewing as words
from bots.discord.asking import Room, renew
from bots.discord.hearing import acknowledge_update, in_time
from bots.discord.owning import own
from bots.discord.reasons import APPEAL, Form, Reason, ask_why
from core.reviews import PLEA_CHARS

_FORM = Form("Appeal", words.WHY_APPEAL, words.WHO_READS, PLEA_CHARS, required=False)


async def open_appeal(room: Room, interaction: discord.Interaction[Any], job_id: str) -> None:
    """Ask why, where somebody may decide. Raises NotHeard, UserError or Transient."""
    shown = await in_time(own(room, interaction, job_id))
    if shown.view.job.appealable:
        await ask_why(interaction, APPEAL, job_id, _FORM)
        return
    await acknowledge_update(interaction)
    await room.desk.reviews.appeal(shown.owner, job_id)  # which says why not


async def appeal(room: Room, interaction: discord.Interaction[Any], reason: Reason) -> None:
    """The form came back. Raises NotHeard, UserError or Transient."""
    await acknowledge_update(interaction)
    shown = await own(room, interaction, reason.job_id)
    await renew(room, interaction, shown.view.job.place)
    held = await room.desk.reviews.appeal(shown.owner, reason.job_id, reason.words)
    post = await room.desk.lobby.post(held.place)
    if post is not None and post.pinged:
        await room.desk.lobby.keep(replace(post, pinged=False))  # how it ends is news again
    room.cards.watch(held)
