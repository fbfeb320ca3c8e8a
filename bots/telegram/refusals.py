"""What Telegram refuses, in our own errors.

There is no published list of its refusals: the words are those that its servers answer with.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bots.answers import SOON_SECONDS
from bots.cards import TooLarge
from bots.telegram.limiter import seconds_of
from core.errors import KinoraError, Transient, Unreachable

log = logging.getLogger("kinora.telegram")

REFUSED_SECONDS = 60.0
_SAME = "message is not modified"
_GONE = (
    "message to edit not found",
    "message_id_invalid",
    "message can't be edited",
    "message to delete not found",
)
_NO_TEXT = "there is no text in the message"
_NO_CAPTION = "there is no caption in the message"
_CLOSED = (
    "chat not found",
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "chat_write_forbidden",
    "topic_closed",
    "message thread not found",
    "peer_id_invalid",
    "user is deactivated",
    "message can't be deleted",
    "wrong file identifier",
    "bot_domain_invalid",
)


class CardGone(Unreachable):
    """The message is not there any more; its chat may be."""


class HasMedia(KinoraError):
    """The message carries a picture or a clip, so that its words are a caption."""


class NoMedia(KinoraError):
    """The message carries nothing: its words are no caption."""


class Moved(Unreachable):
    """The group became another chat. chat: its id now."""

    def __init__(self, chat: int) -> None:
        super().__init__("the group became a supergroup")
        self.chat = chat


@asynccontextmanager
async def told() -> AsyncIterator[None]:
    """An edit that changes nothing was done.

    Raises CardGone or Unreachable, HasMedia, NoMedia, Moved, TooLarge, Transient, or TimeoutError
    where no answer came.
    """
    try:
        yield
    except BadRequest as error:
        if _SAME not in error.message.lower():
            raise refusal(error) from error
    except RetryAfter as error:
        raise Transient("Telegram asks to wait", seconds_of(error)) from error
    except ChatMigrated as error:
        raise Moved(error.new_chat_id) from error
    except Forbidden as error:
        raise Unreachable(error.message) from error
    except TimedOut as error:
        raise TimeoutError("Telegram did not answer in time") from error
    except InvalidToken as error:
        raise Transient("Telegram refuses the bot's token", REFUSED_SECONDS) from error
    except NetworkError as error:
        if "too large" in error.message.lower():
            raise TooLarge("a file is over the limit") from error
        cause = error.__cause__
        if isinstance(cause, httpx.HTTPError) and not isinstance(cause, httpx.ConnectError):
            raise TimeoutError("the connection broke before an answer") from error
        raise Transient("Telegram can't be reached", SOON_SECONDS) from error
    except TelegramError as error:
        raise Unreachable(f"Telegram refuses: {error.message[:80]}") from error


def refusal(error: BadRequest) -> KinoraError:
    """What Telegram refuses once it refuses again."""
    said = error.message.lower()
    if any(gone in said for gone in _GONE):
        return CardGone(error.message)
    if _NO_TEXT in said:
        return HasMedia(error.message)
    if _NO_CAPTION in said:
        return NoMedia(error.message)
    if "too large" in said or "too big" in said:
        return TooLarge("a file is over the limit")
    if not any(closed in said for closed in _CLOSED):
        log.error("Telegram refuses a message: %s", error.message)
    return Unreachable(error.message)
