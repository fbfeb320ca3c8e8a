"""A line to the Bot API that doubts who answers: a proxy's page is told of, not read."""

from __future__ import annotations

import json
from typing import Any

from telegram.error import TelegramError
from telegram.request import HTTPXRequest


class Line(HTTPXRequest):
    """The library's own, which else logs the page and a traceback, or breaks on other JSON."""

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
