"""The first thing that people see: that they were heard.

"typing" is shown as soon as Telegram tells of a message that asks for a clip, before it is written
down, looked at or fetched. It promises nothing: where the program dies, the message comes again,
and so does the sign. No limit counts it.
"""

from __future__ import annotations

from collections import deque

from telegram import Message, Update

from bots.telegram.asking import Room, is_allowed
from bots.telegram.intake import asks
from bots.telegram.places import answer_to

ALBUMS = 64
"""Of which it is remembered that a sign was shown: their pictures come one by one."""


class Signs:
    """One for each request."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._albums: deque[str] = deque(maxlen=ALBUMS)

    async def show(self, update: Update) -> None:
        message = update.message
        if message is None or not asks(self._room, message) or not self._is_first(message):
            return
        answer = answer_to(message)
        if is_allowed(self._room, answer):
            await self._room.messages.act(answer)

    def _is_first(self, message: Message) -> bool:
        """Of its album."""
        album = message.media_group_id
        if album is None:
            return True
        if album in self._albums:
            return False
        self._albums.append(album)
        return True
