"""Who presses a login button of ours, as Telegram says.

https://core.telegram.org/widgets/login#checking-authorization
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from bots.telegram.desk import PLATFORM
from core.errors import Refused
from core.job import Identity
from core.leaders import SignedIn

SIGNED = ("auth_date", "first_name", "id", "last_name", "photo_url", "username")
FRESH_SECONDS = 300
AHEAD_SECONDS = 60
NAME_CHARS = 80
NOT_SIGNED = "That is not signed by Telegram for this bot. Type /console there again."
TOO_OLD = "That button was pressed too long ago. Type /console again."


def proven(token: str, said: Mapping[str, str], now: datetime) -> SignedIn:
    """token: of the bot whose button it was. said: what came along. Raises Refused."""
    lines = sorted(f"{name}={value}" for name, value in said.items() if name in SIGNED)
    key = hashlib.sha256(token.encode()).digest()
    wanted = hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), said.get("hash", "").encode()):
        raise Refused(NOT_SIGNED)
    if not (said.get("id", "").isdecimal() and said.get("auth_date", "").isdecimal()):
        raise Refused(NOT_SIGNED)
    age = now.timestamp() - int(said["auth_date"])
    if not -AHEAD_SECONDS <= age <= FRESH_SECONDS:
        raise Refused(TOO_OLD)
    name = " ".join(filter(None, (said.get("first_name"), said.get("last_name"))))
    subject = said["id"]
    return SignedIn(Identity(PLATFORM, subject), (name or subject)[:NAME_CHARS])
