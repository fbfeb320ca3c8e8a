"""/mod for all who have a role, and who they are.

Discord lists a server's members only to bots with a privileged intent, but tells anybody of members
whom they name, a hundred at a time. So those are asked about who are known to Kinora; others have
no wallet yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bots.answers import SOON_SECONDS
from bots.discord import moderation
from bots.discord.asking import Room
from bots.discord.confirming import confirm
from bots.discord.desk import PLATFORM
from bots.discord.hearing import acknowledge
from bots.discord.permissions import server_of
from bots.discord.ranks import actor_of, check_leads
from bots.moderation import DRY
from core.errors import BadPrompt, Transient
from core.moderation import Actor, OnPerson, Rank

Interaction = discord.Interaction[Any]
ActOf = Callable[[Actor, int], OnPerson]

ASKED = 100
"""Members that Discord tells of in one answer."""


@dataclass(frozen=True, slots=True)
class Holders:
    """Accounts of those who have a role. equals: how many more have it and lead the server."""

    account_ids: Sequence[int]
    equals: int


async def act(
    room: Room,
    interaction: Interaction,
    act_of: ActOf,
    member: discord.User | None,
    role: discord.Role | None,
) -> None:
    """Do it to a member; or say what it would be for a role, with a button that does it. Raises
    NotHeard, UserError or Transient."""
    if (member is None) == (role is None):
        raise BadPrompt("Say to whom: either a member or a role.")
    if role is None:
        await moderation.act(room, interaction, act_of, member)
        return
    actor = actor_of(room, interaction)
    check_leads(actor)
    await acknowledge(interaction, hidden=True)
    holders = await _holders(room, role, actor)
    name = f"{server_of(interaction)}/{role.id}"
    each = act_of(actor, 0)
    act, said = await room.desk.bulk.dry(actor, name, f"@{role.name}", each, holders.account_ids)
    if holders.equals:
        said += f" {holders.equals} who lead this server are left out."
    said += " Who never asked Kinora for anything is left out, too."
    await confirm(room, interaction, act, f"{DRY}{said}", Rank.MEMBER)


async def _holders(room: Room, role: discord.Role, actor: Actor) -> Holders:
    """Raises Transient where Discord does not tell, BadPrompt where too many are known."""
    known = await room.desk.moderators.known(PLATFORM)
    ids = [int(subject) for subject in known]
    found: list[int] = []
    equals = 0
    for first in range(0, len(ids), ASKED):
        try:
            members = await role.guild.query_members(
                user_ids=ids[first : first + ASKED], limit=ASKED, cache=False
            )
        except TimeoutError:
            raise Transient("Discord does not say who has that role", SOON_SECONDS) from None
        for member in members:
            if not (role.is_default() or member.get_role(role.id)):
                continue
            if member.guild_permissions.manage_guild and actor.rank <= Rank.MODERATOR:
                equals += 1
            else:
                found.append(known[str(member.id)])
    return Holders(found, equals)
