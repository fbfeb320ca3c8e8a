"""Telegram: words, pictures and buttons, over python-telegram-bot.

client.py is told of everything, and inbox.py writes it down; intake.py, buttons.py, reception.py
and inline.py hear people; asking.py turns what they said into jobs; card_view.py and painter.py
make a job a message; messages.py sends and edits; delivery.py brings clips home.
"""

import os

os.environ.setdefault("PTB_TIMEDELTA", "1")  # before the library is imported: durations are told so

from bots.telegram.client import Bot
from bots.telegram.desk import Telegram

__all__ = ("Bot", "Telegram")
