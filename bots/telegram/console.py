"""/console: the way into the console, for who leads a chat. It goes to their own chat."""

from __future__ import annotations

import logging

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LoginUrl, Message

from bots.desk import Entrance
from bots.talk import NO_CONSOLE
from bots.telegram import chats
from bots.telegram.asking import Room
from bots.telegram.card_view import Shown
from bots.telegram.desk import PLATFORM
from bots.telegram.hearing import OPEN_FIRST, SENT, account_of, alone, as_far_as_telegram_lets
from bots.telegram.markup import plain
from bots.telegram.places import Spot, answer_to, server_of
from bots.telegram.reading import known_author
from core.errors import Refused, Unreachable, WrongState
from core.job import Account, Identity
from core.leaders import Led

log = logging.getLogger("kinora.telegram")

NO_DOMAIN = "bot_domain_invalid"
NOT_LEADING = "The console is for who leads a group: type /console in the group that you lead."


async def console(room: Room, message: Message, said: str) -> None:
    """Raises Refused for who leads nothing."""
    user, entrance = known_author(message), room.desk.entrance
    account, here = await account_of(room.desk.studio, user), answer_to(message)
    operator = room.desk.moderators.is_operator(Identity(PLATFORM, str(user.id)))
    if not here.private and await chats.leads(room.bot, here.chat, user.id):
        if entrance is not None:
            led = Led(server_of(here.chat), message.chat.title or "")
            await entrance.leaders.leads(account.id, led)
    elif not operator and (
        not here.private or entrance is None or not await entrance.leaders.led(account.id)
    ):
        raise Refused(NOT_LEADING)
    if entrance is None:
        raise WrongState(NO_CONSOLE)
    with as_far_as_telegram_lets():
        told = await _sent(room, entrance, account, Spot(user.id))
        if not here.private:
            await room.messages.send(here, told)


async def _sent(room: Room, entrance: Entrance, account: Account, theirs: Spot) -> Shown:
    """By Telegram's own button; by a link where the page has no https, or Telegram does not know
    its domain yet. What to say where they asked."""
    if entrance.login_url is not None:
        button = InlineKeyboardButton("Open the console", login_url=LoginUrl(entrance.login_url))
        words = plain("For those who lead. It opens once; type /console for another.")
        try:
            await room.messages.send(theirs, Shown(words, InlineKeyboardMarkup([[button]])))
            return SENT
        except Unreachable as refused:
            if NO_DOMAIN not in str(refused).lower():
                return OPEN_FIRST
            log.warning("no login button: tell @BotFather the page's domain by /setdomain")
    link = await entrance.link(account)
    words = plain(f"This opens the console, once and within 10 minutes, for you alone: {link}")
    return await alone(room.messages, theirs, Shown(words, None))
