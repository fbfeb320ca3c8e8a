"""Who leads what on Telegram: who asks, as an actor, and the rank of whom it is done to."""

from __future__ import annotations

from telegram import Message, User
from telegram.error import BadRequest, TelegramError

from bots import moderation
from bots.answers import SOON_SECONDS
from bots.telegram.asking import Room
from bots.telegram.chats import LEADING, leads
from bots.telegram.desk import PLATFORM
from bots.telegram.places import server_of
from core.errors import Transient
from core.job import Identity
from core.moderation import Actor, Rank


async def asking(room: Room, message: Message) -> Actor:
    """Who asks, and what they lead."""
    if hides(message):
        title = message.chat.title or "a group"
        name = moderation.name_of(title, Identity(PLATFORM, str(message.chat.id)))
        return Actor(name, Rank.MODERATOR, server_of(message.chat.id))
    user = message.from_user
    if user is None or message.sender_chat is not None:
        return Actor("nobody", Rank.MEMBER)
    return await of(room, message.chat.id, user)


async def of(room: Room, chat: int, user: User) -> Actor:
    """Somebody, and whether they lead a chat."""
    identity = Identity(PLATFORM, str(user.id))
    name = moderation.name_of(user.full_name, identity)
    if room.desk.moderators.is_operator(identity):
        return Actor(name, Rank.OPERATOR)
    leading = chat < 0 and await leads(room.bot, chat, user.id)
    return Actor(name, Rank.MODERATOR if leading else Rank.MEMBER, server_of(chat))


def hides(message: Message) -> bool:
    """Whether an administrator writes in the name of the group."""
    return message.sender_chat is not None and message.sender_chat.id == message.chat.id


async def in_chat(room: Room, chat: int, user: int) -> Rank:
    """What somebody is in a chat, now. Raises Transient where Telegram can't tell."""
    if chat > 0:
        return Rank.MEMBER
    try:
        member = await room.bot.get_chat_member(chat, user)
    except BadRequest:  # who was never there
        return Rank.MEMBER
    except TelegramError as error:
        raise Transient("who leads this chat is not known", SOON_SECONDS) from error
    return Rank.MODERATOR if member.status in LEADING else Rank.MEMBER


async def of_account(room: Room, chat: int, account_id: int) -> Rank:
    """The highest of somebody's, by all of their names there. Raises as `in_chat`."""
    rank = Rank.MEMBER
    for identity in await room.desk.moderators.identities(account_id):
        if identity.platform == PLATFORM:
            rank = max(rank, await in_chat(room, chat, int(identity.subject)))
    return rank
