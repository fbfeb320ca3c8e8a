"""What the parts of the Telegram room have in common: its settings, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from bots.desk import Desk

PLATFORM = "telegram"
API = "https://api.telegram.org"
HOSTED_UPLOAD_BYTES = 50_000_000
LOCAL_UPLOAD_BYTES = 2_000_000_000
"""https://core.telegram.org/bots/api#using-a-local-bot-api-server"""


@dataclass(frozen=True, slots=True)
class Telegram:
    """What an operator decides. token: the bot's. URLs are without a slash at the end.

    local: the API is a Bot API server of one's own, which takes clips of any size. webhook_url:
    where Telegram brings updates, with `webhook_secret` in a header; None where they are polled.
    store_chat: where clips for inline messages are uploaded; None for their authors' own chats.
    """

    token: str = field(repr=False)
    api_url: str = API
    file_url: str = "https://api.telegram.org/file"
    local: bool = False
    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    store_chat: int | None = None

    @property
    def upload_bytes(self) -> int:
        return LOCAL_UPLOAD_BYTES if self.local else HOSTED_UPLOAD_BYTES


TelegramDesk = Desk[Telegram]
