"""This machine's figures, from the real program run as a user runs it."""

from __future__ import annotations

from rich.console import Console

out = Console()
