"""Discord: commands, cards and buttons, over discord.py.

client.py logs in and is told of everything; commands.py, buttons.py and forms.py hear people;
asking.py turns what they said into jobs; draw.py and card_view.py make a job a message; messages.py
sends and edits; painter.py shows them as they change; delivery.py brings them home.
"""

from bots.discord.client import Bot
from bots.discord.desk import Discord

__all__ = ("Bot", "Discord")
