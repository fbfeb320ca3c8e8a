"""Who blocks the bot: what waits for them alone is called off, since nobody would see it.

What runs already goes on, and its clip is kept. Where the bot is taken out of a group nothing is
called off: what was asked for there goes to its authors.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

from telegram import ChatMemberUpdated, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.ext import ChatMemberHandler

from bots.telegram.asking import Add, Room
from bots.telegram.hearing import account_of
from bots.telegram.places import server_of
from core.errors import UserError
from core.job import State
from core.places import server

log = logging.getLogger("kinora.telegram")

A_SECOND = timedelta(seconds=1)
"""Telegram tells whole ones."""


def register(add: Add, room: Room) -> None:
    async def heard(update: Update, context: object) -> None:
        changed = update.my_chat_member
        if changed is not None and _blocks(changed):
            await call_off(room, changed)

    add(ChatMemberHandler(heard, ChatMemberHandler.MY_CHAT_MEMBER))


async def call_off(room: Room, changed: ChatMemberUpdated) -> None:
    """Cancel what waited in somebody's own chat when they blocked the bot."""
    here, account = (
        server_of(changed.chat.id),
        await account_of(room.desk.studio, changed.from_user),
    )
    for job in await room.desk.lobby.unfinished():
        waits = job.state is State.QUEUED and job.created_at < changed.date + A_SECOND
        if waits and server(job.place) == here:
            with suppress(UserError):  # it has just ended
                await room.desk.studio.cancel(account, job.id)
                log.info("job %s: its author blocked the bot, so it is called off", job.id)


def _blocks(changed: ChatMemberUpdated) -> bool:
    banned = changed.new_chat_member.status == ChatMemberStatus.BANNED
    return banned and changed.chat.type == ChatType.PRIVATE
