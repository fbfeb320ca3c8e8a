"""Telegram: words, pictures and buttons, over python-telegram-bot.

client.py is told of everything, and inbox.py writes it down; intake.py, buttons.py, reception.py
and inline.py hear people; asking.py turns what they said into jobs; card_view.py and painter.py
make a job a message; messages.py sends and edits; delivery.py brings clips home.
"""

import logging
import os

for telling in ("httpx", "httpcore", "telegram"):
    logging.getLogger(telling).setLevel(logging.WARNING)  # below that they print the bot's token

os.environ.setdefault("PTB_TIMEDELTA", "1")  # before the library is imported: durations are told so

from bots.telegram.client import Bot  # noqa: E402
from bots.telegram.desk import Telegram  # noqa: E402

__all__ = ("Bot", "Telegram")
