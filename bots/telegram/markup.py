"""Telegram's HTML: words are escaped here, once, and cut before that: nothing is half a tag.

https://core.telegram.org/bots/api#html-style
"""

from __future__ import annotations

import html

TEXT_CHARS = 4096
CAPTION_CHARS = 1024
ALERT_CHARS = 200
"""Of an answer to a button."""


def plain(text: str) -> str:
    """Somebody's words, as they wrote them."""
    return html.escape(text, quote=False)


def bold(text: str) -> str:
    return f"<b>{plain(text)}</b>" if text else ""


def italic(text: str) -> str:
    return f"<i>{plain(text)}</i>" if text else ""


def code(text: str) -> str:
    """Words that are copied by a tap."""
    return f"<code>{plain(text)}</code>" if text else ""


def quote(text: str, *, folded: bool = False, covered: bool = False) -> str:
    """folded: only its first lines are seen until it is tapped; covered: nothing is."""
    tag = "blockquote expandable" if folded else "blockquote"
    words = spoiler(text) if covered else plain(text)
    return f"<{tag}>{words}</blockquote>" if text else ""


def spoiler(text: str) -> str:
    """Words that are covered until they are tapped."""
    return f"<tg-spoiler>{plain(text)}</tg-spoiler>" if text else ""


def length(text: str) -> int:
    """Of plain words, as Telegram counts: in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, most: int) -> str:
    """Plain words with at most so many characters, as Telegram counts."""
    if length(text) <= most:
        return text
    kept = text.encode("utf-16-le")[: 2 * max(0, most - 1)].decode("utf-16-le", errors="ignore")
    return f"{kept.rstrip()}…" if most > 0 else ""
