"""/mod: what those who lead a server, and operators, do there. Answered for their eyes alone.

What is hard to take back is first only said; a button does it. What waits for its button is in
memory: where it is gone, the button says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

import discord
from discord import ui

from bots import moderation
from bots.discord import talk
from bots.discord.asking import Room
from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.desk import PLATFORM
from bots.discord.hearing import (
    account_of,
    acknowledge,
    acknowledge_update,
    guarded,
    key_of,
)
from bots.discord.permissions import may_moderate, server_of
from bots.discord.refusals import answered
from bots.talk import Paragraph
from core import moderation as acts
from core.errors import Refused, Unreachable
from core.job import Account, Identity
from core.moderation import EVERYWHERE, Act, Actor, Rank

Interaction = discord.Interaction[Any]
Stop = acts.Cancel | acts.Delete
ActOf = Callable[[Actor, int], Act]
"""What is to be done, by whom, to which account; 0 for none."""

CONFIRM_ID = re.compile(r"kn-mod:(?P<key>\d{1,20})")


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


def actor_of(room: Room, interaction: Interaction) -> Actor:
    """Who asks, and what they lead."""
    user = interaction.user
    identity = Identity(PLATFORM, str(user.id))
    name = moderation.name_of(user.display_name, identity)
    if room.desk.moderators.is_operator(identity):
        return Actor(name, Rank.OPERATOR)
    leads = interaction.guild_id is not None and interaction.permissions.manage_guild
    return Actor(name, Rank.MODERATOR if leads else Rank.MEMBER, server_of(interaction))


async def act(
    room: Room,
    interaction: Interaction,
    act_of: ActOf,
    member: discord.User | discord.Member | None = None,
) -> None:
    """Do it to a member, or to none. Raises NotHeard, UserError or Transient."""
    actor = actor_of(room, interaction)
    _check_leads(actor)
    await acknowledge(interaction, hidden=True)
    account_id, theirs = 0, Rank.MEMBER
    if member is not None:
        if member.bot:
            raise Refused("That is a bot, which asks for nothing.")
        account_id = (await account_of(room.desk.studio, member)).id
        theirs = _rank_of(member)
    await _do(room, interaction, actor, act_of(actor, account_id), theirs)


async def cancel(room: Room, interaction: Interaction, clip: str, reason: str) -> None:
    """Cancel anybody's clip that was asked for here."""
    actor = actor_of(room, interaction)
    _check_leads(actor)
    await acknowledge(interaction, hidden=True)
    _, owner = await room.desk.moderators.owner(clip.strip().lower())
    act = acts.Cancel(
        server=actor.server, account_id=owner.id, job_id=clip.strip().lower(), reason=reason
    )
    await _do(room, interaction, actor, act, await _rank_here(room, interaction, owner))


async def stopped(
    room: Room, interaction: Interaction, kind: type[Stop], owner: Account, job_id: str
) -> None:
    """Somebody else's clip, by the button of its card, as who manages messages may, too."""
    actor = actor_of(room, interaction)
    if may_moderate(interaction):
        actor = replace(actor, rank=max(actor.rank, Rank.MODERATOR))
    act = kind(server=actor.server, account_id=owner.id, job_id=job_id)
    theirs = await _rank_here(room, interaction, owner)
    await room.desk.moderators.do(actor, act, f"{key_of(interaction)}/{job_id}", theirs)


async def show(room: Room, interaction: Interaction, member: discord.User) -> None:
    """What there is to know of somebody here."""
    actor = actor_of(room, interaction)
    _check_leads(actor)
    await acknowledge(interaction, hidden=True)
    account = await account_of(room.desk.studio, member)
    shown = await room.desk.moderators.show(actor, account)
    await _answer(interaction, moderation.person(shown))


async def log(room: Room, interaction: Interaction) -> None:
    """What was done here of late."""
    actor = actor_of(room, interaction)
    _check_leads(actor)
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
    confirmed = isinstance(act, moderation.CONFIRMED)
    key = key_of(interaction)
    done = await room.desk.moderators.do(actor, act, key, theirs, dry=confirmed)
    if not confirmed:
        await interaction.edit_original_response(view=note_view(plain(done.words), ACCENT))
        return
    waiting = moderation.Waiting(interaction.user.id, act, key, theirs)
    room.waiting.add(str(interaction.id), waiting)
    view = note_view(plain(f"{moderation.DRY}{done.words}"), ACCENT)
    button: ui.Button[ui.LayoutView] = ui.Button(
        label="Do it", style=discord.ButtonStyle.danger, custom_id=f"kn-mod:{interaction.id}"
    )
    view.add_item(ui.ActionRow(button))
    await interaction.edit_original_response(view=view)


async def _confirmed(room: Room, interaction: Interaction, key: str) -> None:
    """Whoever presses has to lead still."""
    await acknowledge_update(interaction)
    waiting = room.waiting.find(key)
    if waiting.by != interaction.user.id:
        raise Refused("Only who asked for it can do that.")
    actor = actor_of(room, interaction)
    done = await room.desk.moderators.do(actor, waiting.act, waiting.key, waiting.theirs)
    room.waiting.done(key)
    await interaction.edit_original_response(view=note_view(plain(done.words), ACCENT))


async def _answer(interaction: Interaction, told: Sequence[Paragraph]) -> None:
    await interaction.edit_original_response(view=talk.layout(told))


def _check_leads(actor: Actor) -> None:
    """Raises Refused before anything is looked up."""
    if actor.rank < Rank.MODERATOR:
        raise Refused("Only who may manage a server can do that.")


def _rank_of(member: discord.User | discord.Member) -> Rank:
    may = member.resolved_permissions if isinstance(member, discord.Member) else None
    return Rank.MODERATOR if may is not None and may.manage_guild else Rank.MEMBER


async def _rank_here(room: Room, interaction: Interaction, account: Account) -> Rank:
    """Of somebody whom the interaction does not name. Raises Transient where Discord can't tell."""
    known = await room.desk.moderators.identities(account.id)
    for identity in known:
        if identity.platform != PLATFORM or interaction.guild is None:
            continue
        try:
            async with answered():
                member = await interaction.guild.fetch_member(int(identity.subject))
        except Unreachable:  # they left
            continue
        if member.guild_permissions.manage_guild:
            return Rank.MODERATOR
    return Rank.MEMBER


def reach(interaction: Interaction, everywhere: bool = False) -> str:
    """Where it is to hold: an operator's, too, on the server alone, unless they say otherwise."""
    return EVERYWHERE if everywhere else server_of(interaction)
