"""Who leads a server, and who is led, as Discord says at that moment."""

from __future__ import annotations

from typing import Any

import discord

from bots import moderation
from bots.answers import SOON_SECONDS
from bots.discord.asking import Room
from bots.discord.desk import PLATFORM
from bots.discord.permissions import server_of
from bots.discord.refusals import answered
from core.errors import Refused, Transient, Unreachable
from core.job import Account, Identity
from core.moderation import Actor, Rank

Interaction = discord.Interaction[Any]


def actor_of(room: Room, interaction: Interaction) -> Actor:
    """Who asks, and what they lead."""
    user = interaction.user
    identity = Identity(PLATFORM, str(user.id))
    name = moderation.name_of(user.display_name, identity)
    if room.desk.moderators.is_operator(identity):
        return Actor(name, Rank.OPERATOR)
    leads = interaction.guild_id is not None and interaction.permissions.manage_guild
    return Actor(name, Rank.MODERATOR if leads else Rank.MEMBER, server_of(interaction))


def check_leads(actor: Actor) -> None:
    """Raises Refused before anything is looked up."""
    if actor.rank < Rank.MODERATOR:
        raise Refused("Only who may manage a server can do that.")


def rank_of(member: discord.User | discord.Member) -> Rank:
    may = member.resolved_permissions if isinstance(member, discord.Member) else None
    return Rank.MODERATOR if may is not None and may.manage_guild else Rank.MEMBER


async def rank_here(room: Room, interaction: Interaction, account: Account) -> Rank:
    """Of somebody whom the interaction does not name. Raises Transient where Discord can't tell."""
    if interaction.guild is None:
        return Rank.MEMBER
    known = await room.desk.moderators.identities(account.id)
    here = [identity for identity in known if identity.platform == PLATFORM]
    ranks = [await rank_in(interaction.guild, identity) for identity in here]
    return max(ranks, default=Rank.MEMBER)


async def rank_in(guild: discord.Guild, identity: Identity) -> Rank:
    """Of anybody, as the server has them now. Raises Transient where Discord can't tell."""
    try:
        async with answered():
            member = await guild.fetch_member(int(identity.subject))
    except Unreachable:  # they left
        return Rank.MEMBER
    except TimeoutError as error:
        raise Transient("Discord does not say who leads the server", SOON_SECONDS) from error
    return Rank.MODERATOR if member.guild_permissions.manage_guild else Rank.MEMBER
