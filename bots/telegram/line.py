"""A line to the Bot API that doubts who answers: a proxy's page is told of, not read."""

from __future__ import annotations

import json
from typing import Any

from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from bots.telegram.wire import Wire


class Line(HTTPXRequest):
    """The library's own, which else logs the page and a traceback, or breaks on other JSON."""

    def __init__(self, connection_pool_size: int = 1, **options: Any) -> None:
        """connection_pool_size, options: the library's."""
        super().__init__(httpx_kwargs={"transport": Wire(connection_pool_size)}, **options)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Raises TelegramError where it is not an answer of the Bot API.

        https://core.telegram.org/bots/api#making-requests
        """
        try:
            said = json.loads(payload.decode("utf-8", "replace"))
        except ValueError:
            said = None
        if not isinstance(said, dict) or not {"result", "description"} & said.keys():
            raise TelegramError("what answers there is not Telegram's Bot API")
        return said
