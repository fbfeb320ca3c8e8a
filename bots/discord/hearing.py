"""How every command and button is heard: acknowledged at once, answered in the end.

What only concerns who asked is said for their eyes alone. A sentence never claims more than is
known.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import aiohttp
import discord

from bots.answers import SOON_SECONDS
from bots.discord.desk import PLATFORM, DiscordDesk
from bots.discord.messages import NOBODY
from bots.discord.refusals import told
from bots.hearing import objection
from core.errors import Transient, UserError
from core.job import Account, Identity

log = logging.getLogger("kinora.discord")

ACKNOWLEDGE_SECONDS = 1.4
"""Of each of two tries: Discord waits 3 s in all."""

LOOKED_SECONDS = 1.5
"""How long something is looked up that has to be known before an acknowledgement is chosen."""

ANSWER_SECONDS = 30.0
"""Of what is said after that; the library waits and repeats within it."""

ACKNOWLEDGED = 40060
NOT_KNOWN = 10062

_NO_ANSWER = (discord.HTTPException, aiohttp.ClientError, TimeoutError)


Heard = discord.Interaction[Any]
T = TypeVar("T")


class NotHeard(Exception):
    """The interaction can't be answered any more, or somebody else answers it."""


class NotYours(UserError):
    """Somebody else's clip."""


async def acknowledge(interaction: discord.Interaction, *, hidden: bool) -> int:
    """Say that it was heard; the id of the message that will answer. Raises NotHeard.

    Where Discord's own answer got lost it is asked for again.
    """
    lost = False
    for _ in range(2):
        try:
            async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                answer = await interaction.response.defer(ephemeral=hidden, thinking=True)
                if answer is not None and answer.message_id is not None:
                    return answer.message_id
                return (await interaction.original_response()).id
        except discord.HTTPException as error:
            if error.code == ACKNOWLEDGED and lost:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return (await interaction.original_response()).id
            raise _not_heard(error) from error
        except (aiohttp.ClientError, TimeoutError):
            lost = True
    log.warning("an interaction was not acknowledged: Discord does not answer")
    raise NotHeard


async def acknowledge_update(interaction: discord.Interaction) -> None:
    """Say that a button was heard, whose message will change. Raises NotHeard."""
    lost = False
    for _ in range(2):
        try:
            async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                await interaction.response.defer()
                return
        except discord.HTTPException as error:
            if error.code == ACKNOWLEDGED and lost:
                return
            raise _not_heard(error) from error
        except (aiohttp.ClientError, TimeoutError):
            lost = True
    raise NotHeard


async def in_time(looking: Coroutine[Any, Any, T]) -> T:
    """What it finds. Raises Transient where that takes so long that Discord would not wait: this
    much can still be said."""
    task = asyncio.create_task(looking)
    try:
        done, _ = await asyncio.wait((task,), timeout=LOOKED_SECONDS)
    finally:
        task.cancel()
    if not done:
        raise Transient("it is not known in time", SOON_SECONDS)
    return task.result()


async def answer(interaction: discord.Interaction, **changes: Any) -> None:
    """Put something in the place of "thinking…", or of a button's own message. Raises
    discord.HTTPException, or TimeoutError where Discord does not answer."""
    async with asyncio.timeout(ANSWER_SECONDS):
        await interaction.edit_original_response(**changes)


async def say_besides(interaction: discord.Interaction, text: str) -> None:
    """Tell who asked, and nobody else, in a message of its own. Raises as `answer`."""
    async with asyncio.timeout(ANSWER_SECONDS):
        await interaction.followup.send(
            text, ephemeral=True, allowed_mentions=NOBODY, suppress_embeds=True
        )


async def say(interaction: discord.Interaction, text: str) -> None:
    """Tell who asked, and nobody else. Takes the place of a public "thinking…". Raises as
    `answer`."""
    response = interaction.response
    if not response.is_done():
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await response.send_message(
                    text, ephemeral=True, allowed_mentions=NOBODY, suppress_embeds=True
                )
            return
        except discord.HTTPException as error:
            if error.code != ACKNOWLEDGED:
                raise
    kind = response.type
    if kind in (None, discord.InteractionResponseType.deferred_channel_message):
        async with asyncio.timeout(ANSWER_SECONDS):
            await interaction.delete_original_response()
    await say_besides(interaction, text)


async def guarded(interaction: Heard, work: Callable[[], Awaitable[None]]) -> None:
    """Do it, and tell who asked where it can't be done. Raises nothing."""
    task = asyncio.current_task()
    assert task is not None
    under_way: set[asyncio.Task[object]] = interaction.client.under_way
    under_way.add(task)
    try:
        await _answered(interaction, work)
    finally:
        under_way.discard(task)


async def _answered(interaction: Heard, work: Callable[[], Awaitable[None]]) -> None:
    try:
        sentence = await objection(work, NotHeard, *_NO_ANSWER)
    except NotHeard:
        return
    except _NO_ANSWER as error:
        log.warning("an interaction was not answered: %s", error)
        return
    if not sentence:
        return
    try:
        await say(interaction, sentence)
    except _NO_ANSWER as error:
        log.warning("nobody could be told why an interaction came to nothing: %s", error)


async def account_of(desk: DiscordDesk, user: discord.abc.User) -> Account:
    """The account of somebody on Discord; new ones begin with their free grant. On a server where
    the bot is, their roles there are heard."""
    identity = Identity(PLATFORM, str(user.id))
    account = await desk.studio.account(identity, user.display_name[:80])
    if not isinstance(user, discord.Member) or not user.guild.roles:
        return account
    roles = [str(role.id) for role in user.roles]
    return await desk.roles.heard(account, f"{PLATFORM}:{user.guild.id}", roles)


def key_of(interaction: discord.Interaction) -> str:
    """What makes a repeat of the same interaction one request."""
    return f"discord:{interaction.id}"


def _not_heard(error: discord.HTTPException) -> NotHeard:
    if error.code == NOT_KNOWN:
        log.warning("an interaction was heard too late: Discord waits 3 s")
    elif error.code != ACKNOWLEDGED:
        log.warning("an interaction was not acknowledged: %s", told(error))
    return NotHeard()
