"""What goes into a spreadsheet."""

from __future__ import annotations

from datetime import datetime


def cell(value: object) -> str:
    """As text; what a spreadsheet would take for a formula, too. Numbers stay numbers."""
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{text}"
    return text
