"""The commands that Telegram lists, by kind of chat and language; told again when they changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence

from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)
from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bots.telegram.limiter import Turn, seconds_of
from bots.words import catalogue

log = logging.getLogger("kinora.telegram")

AGAIN_SECONDS = 30.0

_MAKING = {
    "create": "Make a clip from words, from pictures, or from both",
    "animate": "Bring a picture to life",
    "extend": "Go on where a clip of yours stops",
    "again": "Make a clip of yours once more, with a new seed",
    "cancel": "Stop a clip of yours that is not done",
}
_LOOKING = {
    "show": "Post a clip of yours again, with its buttons",
    "queue": "What runs, what waits, and where yours are",
    "me": "Your credits and your clips",
    "models": "What each model takes and makes",
    "verify": "Whether a picture or clip was made here, and when",
    "help": "How to ask for a clip",
}
_GIFT = {"gift": "Give credits of yours to somebody"}
_REDEEM = {"redeem": "Use a voucher code"}
_LINKING = {
    "link": "Join your accounts here and elsewhere: one wallet",
    "unlink": "Take Telegram out of your joined account",
}
_BUYING = {"buy": "Credits and plans, for Telegram Stars"}
_SETTINGS = {"settings": "How Kinora is used in this chat"}
_CONSOLE = {"console": "Open the console, for those who lead"}
_LEADING = {"mod": "What those do who lead this chat", **_CONSOLE}
_FINE_PRINT = {
    "privacy": "What is kept about you, and for how long",
    "forget": "Delete what is kept about you",
    "terms": "What you may expect, and what is asked of you",
    "paysupport": "Help with payments",
}
SCOPES: tuple[tuple[BotCommandScope, Mapping[str, str]], ...] = (
    (
        BotCommandScopeAllPrivateChats(),
        {**_MAKING, **_LOOKING, **_REDEEM, **_LINKING, **_SETTINGS, **_FINE_PRINT},
    ),
    (BotCommandScopeAllGroupChats(), {**_MAKING, **_LOOKING, **_GIFT}),
    (
        BotCommandScopeAllChatAdministrators(),
        {**_MAKING, **_LOOKING, **_GIFT, **_SETTINGS, **_LEADING},
    ),
)


def menus(
    *, selling: bool = False
) -> Iterator[tuple[BotCommandScope, str | None, Sequence[BotCommand]]]:
    """Scope, language (None for all others), and the commands there. selling: whether there is
    something to buy, which is done in private chats."""
    languages = {name.partition("-")[0]: words for name, words in catalogue().items()}
    for scope, listed in SCOPES:
        private = isinstance(scope, BotCommandScopeAllPrivateChats)
        commands = {**listed, **_BUYING} if selling and private else listed
        for language in (None, *languages):
            words = languages.get(language or "", {})
            yield (
                scope,
                language,
                [BotCommand(name, words.get(text, text)) for name, text in commands.items()],
            )


async def keep_in_step(bot: ExtBot[Turn], *, selling: bool = False) -> None:
    """Tell Telegram the commands, until it knows them. What can't be mended is said in the log."""
    while True:
        pause = AGAIN_SECONDS
        try:
            await _tell_changed(bot, selling=selling)
            return
        except RetryAfter as error:
            pause = seconds_of(error)
        except InvalidToken:
            return  # which polling says as well
        except BadRequest as error:
            log.error("Telegram refuses the commands: %s", error)
            return
        except TelegramError as error:
            log.warning("the commands are not registered yet: %s", error)
        await asyncio.sleep(pause)


async def _tell_changed(bot: ExtBot[Turn], *, selling: bool) -> None:
    changed = 0
    for scope, language, commands in menus(selling=selling):
        if tuple(commands) != await bot.get_my_commands(scope, language):
            await bot.set_my_commands(commands, scope, language)
            changed += 1
    log.info("Telegram knows the commands; %d of its lists were new", changed)
