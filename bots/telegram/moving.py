"""A group that becomes a supergroup has another id, and its messages can't be edited any more: what
was known of it follows, and what is unfinished gets a new card there.

https://core.telegram.org/bots/api#message (migrate_to_chat_id, migrate_from_chat_id)
"""

from __future__ import annotations

import logging

from telegram import Update
from telegram.ext import MessageHandler, filters

from bots.telegram.asking import Add, Room
from bots.telegram.places import Spot, server_of
from core.places import chat, server

log = logging.getLogger("kinora.telegram")


def register(add: Add, room: Room) -> None:
    """Both chats tell of it, in any order: whichever comes first is enough."""

    async def heard(update: Update, context: object) -> None:
        message = update.message
        if message is None:
            return
        here, to, origin = message.chat.id, message.migrate_to_chat_id, message.migrate_from_chat_id
        await follow(room, here if origin is None else origin, here if to is None else to)

    add(MessageHandler(filters.UpdateType.MESSAGE & filters.StatusUpdate.MIGRATE, heard))


async def follow(room: Room, old: int, new: int) -> None:
    """Safe to repeat."""
    before, after = (chat(Spot(group).place) or "" for group in (old, new))
    await room.desk.lobby.follow(before, after)
    for job in (*await room.desk.lobby.unfinished(), *await room.desk.lobby.offered()):
        if server(job.place) == server_of(new):
            room.cards.watch(job)
    log.info("group %d is supergroup %d now", old, new)
