"""Makes amends where a program died between an acknowledgement and its job.

Whoever asks is written down first (asking.py). The posts of before the start that no job names are
those that nobody is about to answer any more: where one still says "thinking…", it is told.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from bots.answers import SOON_SECONDS
from bots.discord.asking import TOKEN_TIME
from bots.discord.card_view import note_view
from bots.discord.messages import Messages
from core.errors import Transient, Unreachable
from core.lobby import Lobby
from core.places import Post

log = logging.getLogger("kinora.discord")

RESTARTED = (
    "Kinora was restarted before this was written down. Nothing was charged: please ask again."
)


async def make_amends(lobby: Lobby, messages: Messages, began: datetime) -> None:
    """Answer and forget what was asked before `began` and came to nothing. What can't be done now
    is tried again, for as long as there is a token."""
    while True:
        try:
            left = [post for post in await lobby.unanswered() if _asked_before(began, post)]
            if not left:
                return
            for post in left:
                await _answer(messages, post)
                await lobby.drop(post)
        except (Transient, TimeoutError) as error:
            log.warning("commands of before the start are not answered yet: %s", error)
            await asyncio.sleep(SOON_SECONDS)


def _asked_before(began: datetime, post: Post) -> bool:
    return post.token_until is not None and post.token_until < began + TOKEN_TIME


async def _answer(messages: Messages, post: Post) -> None:
    """Raises Transient, or TimeoutError where no answer came."""
    try:
        waiting = await messages.waiting(post)
        if waiting is not None:
            await messages.edit(waiting, note_view(RESTARTED), ())
            log.info("who asked before the start was told that it came to nothing")
    except Unreachable as error:
        log.info("who asked before the start can't be answered any more: %s", error)
