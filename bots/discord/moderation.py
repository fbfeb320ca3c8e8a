"""/mod: what those who lead a server, and operators, do there. Answered for their eyes alone.

What is hard to take back is first only said; a button does it. What waits for its button is in
memory: where it is gone, the button says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import discord

from bots import moderation
from bots.discord.asking import Room
from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.confirming import confirm
from bots.discord.hearing import account_of, acknowledge, answer, key_of
from bots.discord.paragraphs import layout
from bots.discord.permissions import may_moderate, server_of
from bots.discord.ranks import actor_of, check_leads, rank_here, rank_of
from bots.talk import Paragraph
from core import moderation as acts
from core.errors import BadPrompt, Refused
from core.job import Account
from core.moderation import EVERYWHERE, Act, Actor, Rank

Interaction = discord.Interaction[Any]
Stop = acts.Cancel | acts.Delete
ActOf = Callable[[Actor, int], Act]
"""What is to be done, by whom, to which account; 0 for none."""


async def act(
    room: Room,
    interaction: Interaction,
    act_of: ActOf,
    member: discord.User | discord.Member | None = None,
) -> None:
    """Do it to a member, or to none. Raises NotHeard, UserError or Transient."""
    actor = actor_of(room, interaction)
    check_leads(actor)
    await acknowledge(interaction, hidden=True)
    account_id, theirs = 0, Rank.MEMBER
    if member is not None:
        if member.bot:
            raise Refused("That is a bot, which asks for nothing.")
        account_id = (await account_of(room.desk, member)).id
        theirs = rank_of(member)
    await _do(room, interaction, actor, act_of(actor, account_id), theirs)


async def role(
    room: Room, interaction: Interaction, role: discord.Role | None, plan: str | None
) -> None:
    """Say what a role gives; or, without either, which roles give what here."""
    if (role is None) != (plan is None):
        raise BadPrompt("Name both: the role, and the plan that it gives.")
    actor = actor_of(room, interaction)
    check_leads(actor)
    await acknowledge(interaction, hidden=True)
    here = server_of(interaction)
    if role is None or plan is None:
        given = await room.desk.moderators.role_plans(here)
        known = (
            {str(one.id): one.name for one in interaction.guild.roles} if interaction.guild else {}
        )
        await _answer(interaction, moderation.role_plans(given, known))
        return
    act = acts.SetRole(server=here, role=str(role.id), plan=plan, name=role.name)
    await _do(room, interaction, actor, act, Rank.MEMBER)


async def cancel(room: Room, interaction: Interaction, clip: str, reason: str) -> None:
    """Cancel anybody's clip that was asked for here."""
    actor = actor_of(room, interaction)
    check_leads(actor)
    await acknowledge(interaction, hidden=True)
    _, owner = await room.desk.moderators.owner(clip.strip().lower())
    act = acts.Cancel(
        server=actor.server, account_id=owner.id, job_id=clip.strip().lower(), reason=reason
    )
    await _do(room, interaction, actor, act, await rank_here(room, interaction, owner))


async def stopped(
    room: Room, interaction: Interaction, kind: type[Stop], owner: Account, job_id: str
) -> None:
    """Somebody else's clip, by the button of its card, as who manages messages may, too."""
    actor = actor_of(room, interaction)
    if may_moderate(interaction):
        actor = replace(actor, rank=max(actor.rank, Rank.MODERATOR))
    act = kind(server=actor.server, account_id=owner.id, job_id=job_id)
    theirs = await rank_here(room, interaction, owner)
    await room.desk.moderators.do(actor, act, f"{key_of(interaction)}/{job_id}", theirs)


async def show(room: Room, interaction: Interaction, member: discord.User) -> None:
    """What there is to know of somebody here."""
    actor = actor_of(room, interaction)
    check_leads(actor)
    await acknowledge(interaction, hidden=True)
    account = await account_of(room.desk, member)
    shown = await room.desk.moderators.show(actor, account)
    await _answer(interaction, moderation.person(shown))


async def log(room: Room, interaction: Interaction) -> None:
    """What was done here of late."""
    actor = actor_of(room, interaction)
    check_leads(actor)
    await acknowledge(interaction, hidden=True)
    moderators = room.desk.moderators
    rows = await moderators.log(actor)
    await _answer(interaction, await moderation.log(moderators, rows))


async def unfinished(room: Room, interaction: Interaction) -> Sequence[str]:
    """The ids of clips that are under way here, for who may cancel them."""
    if actor_of(room, interaction).rank < Rank.MODERATOR:
        return ()
    here = f"{server_of(interaction)}/"
    jobs = await room.desk.lobby.unfinished()
    return [job.id for job in jobs if job.place.startswith(here)]


async def _do(room: Room, interaction: Interaction, actor: Actor, act: Act, theirs: Rank) -> None:
    """Do it, or say what it would be and show a button that does it."""
    dry = isinstance(act, moderation.CONFIRMED)
    done = await room.desk.moderators.do(actor, act, key_of(interaction), theirs, dry=dry)
    if done.number:
        await answer(interaction, view=note_view(plain(done.words), ACCENT))
        return
    await confirm(room, interaction, act, f"{moderation.DRY}{done.words}", theirs)


async def _answer(interaction: Interaction, told: Sequence[Paragraph]) -> None:
    await answer(interaction, view=layout(told))


def reach(interaction: Interaction, everywhere: bool = False) -> str:
    """Where it is to hold: an operator's, too, on the server alone, unless they say otherwise."""
    return EVERYWHERE if everywhere else server_of(interaction)
