"""/verify, and Verify in the menu of a message: whether a file was made here. It is told for the
eyes of who asks alone.

No `from __future__ import annotations` here: discord.py reads the annotations.
"""

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands

from bots.discord.asking import Room
from bots.discord.attachments import shown_in
from bots.discord.desk import DIRECT
from bots.discord.hearing import account_of, acknowledge, answer, guarded
from bots.discord.paragraphs import layout
from bots.discord.ranks import actor_of
from bots.talk import Bold, Paragraph, line
from bots.verifying import verified
from core.errors import NotFound, WrongState
from core.job import Job
from core.moderation import Actor, Rank
from core.places import parts

Interaction = discord.Interaction[Any]

MAX_BYTES = 50_000_000
NO_FILE = "There is no picture or video in that message."
LOOKED_AT = 4
"""Files of one message."""


def register(tree: app_commands.CommandTree[Any], room: Room) -> None:
    @tree.command(name="verify", description="Whether a picture or clip was made here, and when")
    @app_commands.describe(file="Any picture or video")
    async def verify(interaction: Interaction, file: discord.Attachment) -> None:
        await guarded(interaction, lambda: _verify(room, interaction, [file.url]))

    @tree.context_menu(name="Verify")
    async def verify_this(interaction: Interaction, message: discord.Message) -> None:
        async def work() -> None:
            found = shown_in(message)
            if not found:
                raise NotFound(NO_FILE)
            await _verify(room, interaction, found[:LOOKED_AT])

        await guarded(interaction, work)


async def _verify(room: Room, interaction: Interaction, addresses: Sequence[str]) -> None:
    """Raises NotHeard, UserError or Transient."""
    if room.desk.verify is None:
        raise WrongState("Nothing can be verified here just now.")
    await acknowledge(interaction, hidden=True)
    account = await account_of(room.desk, interaction.user)
    actor = actor_of(room, interaction)
    said: list[Paragraph] = []
    for number, address in enumerate(addresses, 1):
        finding = await room.desk.verify(await room.cdn.read(address, MAX_BYTES))
        leads = await _leads(room, actor, finding.job)
        words = verified(finding, account, leads=leads, fit=True)
        which = (Bold(f"{number} "),) if len(addresses) > 1 else ()
        said.append((line(*which, words),))
    await answer(interaction, view=layout(said))


async def _leads(room: Room, actor: Actor, job: Job | None) -> bool:
    """Whether a clip was asked for where they lead, and not for the eyes of who asked alone."""
    if job is None or actor.rank < Rank.MODERATOR:
        return False
    if actor.rank is Rank.MODERATOR and not job.place.startswith(f"{actor.server}/"):
        return False
    post = await room.desk.lobby.post(job.place)
    return post is not None and not post.hidden and parts(job.place)[0] != DIRECT
