"""The Telegram room."""

import os

os.environ.setdefault("PTB_TIMEDELTA", "1")
