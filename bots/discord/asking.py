"""From what somebody asked to jobs with a card.

First what needs no looking: the words, the server's rules, the permissions. Then who asked is
written down, then acknowledged, which makes the card's message. Its id is written down too, and
only then is anything charged: the job names the message, so its clip finds home whatever dies in
between, and who asked and got no job hears of it from the next program (amends.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import discord

from bots import talk
from bots.cards import Cards
from bots.discord import consenting
from bots.discord.attachments import Cdn
from bots.discord.delivery import Delivery
from bots.discord.desk import DIRECT, PLATFORM, DiscordDesk
from bots.discord.hearing import NotHeard, account_of, acknowledge, key_of, say, say_besides
from bots.discord.messages import Messages
from bots.discord.permissions import (
    is_adult,
    is_member,
    refusal,
    server_of,
)
from bots.hearing import costless
from bots.moderation import Confirmations
from core.errors import UserError
from core.job import Account, Job
from core.places import Post, parts, place, within

TOKEN_TIME = timedelta(minutes=14, seconds=30)
"""How long an interaction's token is counted on: Discord's 15 minutes, and some slack."""

WRITTEN_SECONDS = 0.15
"""How long an acknowledgement waits until it is written down who asked. Longer would close the hole
where a database is slow, and keep everybody waiting there."""

AMONG_ADULTS = (
    "That clip was made in an age-restricted channel: ask for it in one, or with `private: True`."
)
ALONE = "That clip is for you alone: say `private: True`, or `private: False` to let others see it."

Order = Callable[[Account, str, str], Awaitable[Sequence[Job]]]
"""Queue what was asked for: account, place, key → jobs. Raises UserError or Transient."""


@dataclass(frozen=True, slots=True)
class Room:
    """The parts of the Discord room, for those who hear people. waiting: what a moderator asked
    for and has to confirm, by a key."""

    desk: DiscordDesk
    client: discord.Client
    messages: Messages
    cards: Cards
    delivery: Delivery
    cdn: Cdn
    waiting: Confirmations = field(default_factory=Confirmations)


async def ask(
    room: Room, interaction: discord.Interaction, order: Order, *, hidden: bool | None = None
) -> None:
    """Acknowledge, order, and show the card. hidden: for who asked alone; None as the server has
    it. Raises NotHeard, UserError or Transient."""
    hidden = is_hidden(room, interaction, hidden)
    if (why_not := refused(room, interaction, hidden=hidden)) != "":
        await say(interaction, why_not)
        return
    async with answering(room, interaction, hidden=hidden) as post:
        account = await account_of(room.desk, interaction.user)
        with costless():
            jobs = await order(account, post.place, key_of(interaction))
        for job in jobs:
            room.cards.watch(job)
            if consenting.waits(job):
                await room.cards.draw(job.place)
                await consenting.ask(room.desk, room.messages, interaction, account, job)
        await tell_kept(room, interaction, account, post.place)


@asynccontextmanager
async def answering(
    room: Room, interaction: discord.Interaction, *, hidden: bool
) -> AsyncIterator[Post]:
    """Acknowledge with a message, for the block to make something of; written down before and
    after, so that a program that dies midway leaves word.

    What the block refuses is told who asked, and then forgotten. Raises NotHeard or Transient.
    """
    lobby = room.desk.lobby
    asked = post_of(room, interaction, f"@{interaction.id}", hidden=hidden)
    writing = asyncio.create_task(lobby.keep(asked))
    await asyncio.wait((writing,), timeout=WRITTEN_SECONDS)
    try:
        try:
            message_id = await acknowledge(interaction, hidden=hidden)
        finally:
            await writing
    except NotHeard:
        await lobby.drop(asked)
        raise
    post = post_of(room, interaction, str(message_id), hidden=hidden)
    await lobby.keep(post, instead_of=asked.place)
    try:
        yield post
    except UserError as error:
        await say(interaction, error.sentence)
        await lobby.drop(post)


def is_hidden(room: Room, interaction: discord.Interaction, wanted: bool | None) -> bool:
    if wanted is not None:
        return wanted
    return room.desk.lobby.rules(server_of(interaction)).private


def refused(room: Room, interaction: discord.Interaction, *, hidden: bool) -> str:
    """Why no card may live there; "" where one may."""
    return refusal(interaction, room.desk.lobby.rules(server_of(interaction)), hidden=hidden)


async def heed(room: Room, place: str, job_id: str, *, open_said: bool) -> None:
    """What is asked for at a place goes on from a job, and is for no more people than that was.

    open_said: its author wants it seen, or it is. Raises UserError.
    """
    lobby = room.desk.lobby
    before = await lobby.post((await lobby.shown(room.desk.studio, job_id)).view.job.place)
    post = await lobby.post(place)
    if post is None:
        return
    heeded = heeding(before, post, open_said=open_said)
    if heeded != post:
        await lobby.keep(heeded)


def heeding(before: Post | None, post: Post, *, open_said: bool) -> Post:
    """The post, for adults where `before` was. Raises UserError where it would show more people
    what was made among adults, or for its author alone."""
    if before is None:
        return post
    alone = is_alone(post)
    if before.adult and not (post.adult or alone):
        raise UserError(AMONG_ADULTS)
    if before.hidden and not (open_said or alone):
        raise UserError(ALONE)
    return replace(post, adult=post.adult or before.adult)


def is_alone(post: Post) -> bool:
    """Whether its author alone sees it."""
    return post.hidden or (parts(post.place)[0] == DIRECT and post.member)


def post_of(room: Room, interaction: discord.Interaction, message: str, *, hidden: bool) -> Post:
    """The message that answers an interaction. message: its id, or @ and the interaction's while
    that is not known."""
    return Post(
        place=place(
            PLATFORM,
            str(interaction.guild_id or DIRECT),
            _chat_of(interaction),
            message,
        ),
        author=str(interaction.user.id),
        upload_limit=interaction.filesize_limit,
        member=is_member(interaction) and not hidden,
        token=interaction.token,
        token_until=room.desk.clock() + TOKEN_TIME,
        hidden=hidden,
        adult=is_adult(interaction),
    )


async def renew(room: Room, interaction: discord.Interaction, card: str) -> None:
    """Who presses a button of a card brings a token that reaches it anew. card: its place."""
    post = await room.desk.lobby.post(card)
    pressed = interaction.message
    if post is not None and pressed is not None and parts(card)[2] == str(pressed.id):
        until = room.desk.clock() + TOKEN_TIME
        await room.desk.lobby.keep(replace(post, token=interaction.token, token_until=until))


def _chat_of(interaction: discord.Interaction) -> str:
    here = str(interaction.channel_id)
    where = interaction.channel
    return within(str(where.parent_id), here) if isinstance(where, discord.Thread) else here


async def tell_kept(
    room: Room, interaction: discord.Interaction, account: Account, card: str = ""
) -> None:
    """Tell somebody who came by what could not be brought to them.

    card: the place of a card that may not be drawn yet, which a second message would replace.
    """
    kept = await room.desk.lobby.kept(account)
    if kept:
        if card:
            await room.cards.draw(card)
        await say_besides(interaction, talk.kept(kept, "`{}`".format))
