"""The local web chat, the console, and the HTTP API."""

from bots.web.server import application, runner
from bots.web.site import Web

__all__ = ["Web", "application", "runner"]
