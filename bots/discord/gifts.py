"""/gift and /redeem: credits from one person to another, and by a code."""

from __future__ import annotations

from typing import Any, Self

import discord
from discord import ui

from bots import gifts as words
from bots.discord.asking import Room
from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.desk import PLATFORM
from bots.discord.hearing import (
    account_of,
    acknowledge,
    acknowledge_update,
    answer,
    guarded,
    key_of,
)
from bots.discord.permissions import server_of
from bots.discord.refusals import answered
from bots.gifts import GIFT_ID, Offered, offered
from bots.wares import came
from core.errors import KinoraError, NotFound, Refused
from core.gifts import Given
from core.job import Account, Identity

NONCE_CHARS = 25

Interaction = discord.Interaction[Any]


class GiftButton(ui.DynamicItem[ui.Button[Any]], template=GIFT_ID):
    """Gives what was said."""

    def __init__(self, item: ui.Button[Any], gift: Offered, room: Room) -> None:
        super().__init__(item)
        self._gift = gift
        self._room = room

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: Any, /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, offered(match.group()), interaction.client.room)

    async def callback(self, interaction: Interaction) -> None:
        await guarded(interaction, lambda: give(self._room, interaction, self._gift))


async def ask(
    room: Room, interaction: Interaction, member: discord.User | discord.Member, credits: int
) -> None:
    """Say what would be given, with a button. Raises NotHeard, UserError or Transient."""
    await acknowledge(interaction, hidden=True)
    if member.bot:
        raise Refused(words.NO_BOTS)
    sender = await account_of(room.desk, interaction.user)
    receiver = await _known(room, member)
    await room.desk.gifts.check(sender, receiver.id, credits, _place(interaction))
    view = note_view(plain(words.asked(receiver, credits)), ACCENT)
    gift = Offered(interaction.user.id, receiver.id, credits)
    button: ui.Button[ui.LayoutView] = ui.Button(
        label=words.GIVE_LABEL, style=discord.ButtonStyle.primary, custom_id=gift.button_id
    )
    view.add_item(ui.ActionRow(button))
    await answer(interaction, view=view)


async def give(room: Room, interaction: Interaction, gift: Offered) -> None:
    """Give it, once for each message that offers it, and tell both."""
    await acknowledge_update(interaction)
    gift.check_asker(interaction.user.id)
    assert interaction.message is not None, "the button's own"
    sender = await account_of(room.desk, interaction.user)
    key = f"{PLATFORM}:gift/{interaction.message.id}"
    given = await room.desk.gifts.give(
        sender, gift.receiver_id, gift.credits, _place(interaction), key
    )
    told = not given.new or await _told(room, interaction, sender, given)
    said = words.gave(given) + ("" if told else words.NOT_TOLD)
    await answer(interaction, view=note_view(plain(said), ACCENT))


async def redeem(room: Room, interaction: Interaction, code: str) -> None:
    """Raises NotHeard, UserError or Transient."""
    await acknowledge(interaction, hidden=True)
    account = await account_of(room.desk, interaction.user)
    bought = await room.desk.vouchers.redeem(account, code, key_of(interaction))
    await answer(interaction, view=note_view(plain(came(bought)), ACCENT))


async def _known(room: Room, member: discord.User | discord.Member) -> Account:
    """Raises NotFound for who has no account: nobody is made by being named."""
    try:
        return await room.desk.moderators.person(Identity(PLATFORM, str(member.id)))
    except NotFound as error:
        raise NotFound(words.NO_ACCOUNT) from error


async def _told(room: Room, interaction: Interaction, sender: Account, given: Given) -> bool:
    """Whether who was given could be told: on a server where it was done, else in person."""
    identities = await room.desk.moderators.identities(given.receiver.id)
    theirs = next((int(one.subject) for one in identities if one.platform == PLATFORM), None)
    if theirs is None:
        return False
    try:
        if interaction.guild_id is None:
            view = note_view(plain(words.got(sender, given)), ACCENT)
            channel = await room.messages.direct(theirs)
            await room.messages.send(channel, view, (), given.gift.key[-NONCE_CHARS:])
        else:
            said = words.seen(interaction.user.mention, f"<@{theirs}>", given)
            mentioned = discord.AllowedMentions(
                everyone=False, roles=False, users=[discord.Object(theirs)]
            )
            async with answered():
                await interaction.followup.send(said, allowed_mentions=mentioned)
    except (KinoraError, TimeoutError):
        return False
    return True


def _place(interaction: Interaction) -> str:
    return f"{server_of(interaction)}/{interaction.channel_id or 0}/0"
