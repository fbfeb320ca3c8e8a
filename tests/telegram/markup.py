"""Words with formatting: the HTML of the Bot API, and what Telegram finds in plain words by itself.
https://core.telegram.org/bots/api#html-style"""

from __future__ import annotations

import re
from typing import Any

from tests.telegram.refusals import Refused

Json = dict[str, Any]

_KINDS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline",
    "ins": "underline", "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "code": "code", "pre": "pre", "blockquote": "blockquote", "tg-spoiler": "spoiler",
    "a": "text_link", "span": "spoiler", "tg-emoji": "custom_emoji",
}  # fmt: skip
_NAMED = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"'}
_TOKEN = re.compile(r"<(/?)([^\s>/]*)([^>]*)>|(&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);)|<")
_ATTRIBUTE = re.compile(r"""([a-z-]+)\s*=\s*("[^"]*"|'[^']*'|[^\s"']+)""")
_FOUND = re.compile(
    r"(?P<bot_command>(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?!\w))"
    r"|(?P<mention>(?<!\w)@[A-Za-z]\w{3,31})"
    r"|(?P<url>https?://[^\s<>]+)"
)


def length(text: str) -> int:
    """In UTF-16 code units, as Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def found(text: str) -> tuple[Json, ...]:
    """Commands, mentions and links in plain words."""
    return tuple(
        {
            "type": match.lastgroup,
            "offset": length(text[: match.start()]),
            "length": length(match.group()),
        }
        for match in _FOUND.finditer(text)
    )


def entity(text: str, found: Json) -> str:
    """The words that an entity stands on."""
    data = text.encode("utf-16-le")
    return data[2 * found["offset"] : 2 * (found["offset"] + found["length"])].decode("utf-16-le")


def parsed(source: str) -> tuple[str, tuple[Json, ...]]:
    """The words of HTML, and their entities.

    Raises:
        Refused: "can't parse entities", with the reason and the offset in bytes.
    """
    text = ""
    entities: list[Json] = []
    opened: list[tuple[str, int, Json]] = []
    at = 0
    for match in _TOKEN.finditer(source):
        text += source[at : match.start()]
        at = match.end()
        offset = len(source[: match.start()].encode())
        closing, tag, rest, escaped = match.groups()
        if escaped:
            text += _NAMED.get(escaped) or _numbered(escaped)
        elif tag is None or (not closing and tag.lower() not in _KINDS):
            name = (tag or "").lower()
            raise _unparsed(f'Unsupported start tag "{name}" at byte offset {offset}')
        elif not closing:
            opened.append((tag.lower(), length(text), _opening(tag.lower(), rest, offset)))
        elif not opened:
            raise _unparsed(f"Unexpected end tag at byte offset {offset}")
        else:
            name, start, made = opened.pop()
            if tag and tag.lower() != name:
                raise _unparsed(
                    f'Unmatched end tag at byte offset {offset}, expected "</{name}>", '
                    f'found "</{tag}>"'
                )
            if length(text) > start:
                entities.append(made | {"offset": start, "length": length(text) - start})
    if opened:
        raise _unparsed(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return _trimmed(text + source[at:], entities)


def _trimmed(text: str, entities: list[Json]) -> tuple[str, tuple[Json, ...]]:
    lead = length(text) - length(text.lstrip())
    text = text.strip()
    kept = []
    for made in entities:
        start = max(0, made["offset"] - lead)
        end = min(length(text), made["offset"] - lead + made["length"])
        if end > start:
            kept.append(made | {"offset": start, "length": end - start})
    kept.sort(key=lambda e: (e["offset"], -e["length"]))
    return text, tuple(kept)


def _opening(tag: str, rest: str, offset: int) -> Json:
    told = {name: value.strip("\"'") for name, value in _ATTRIBUTE.findall(rest)}
    if tag == "a":
        return {"type": "text_link", "url": told.get("href", "")}
    if tag == "span" and told.get("class") != "tg-spoiler":
        raise _unparsed(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
    if tag == "tg-emoji":
        return {"type": "custom_emoji", "custom_emoji_id": told.get("emoji-id", "")}
    if tag == "blockquote" and "expandable" in rest:
        return {"type": "expandable_blockquote"}
    return {"type": _KINDS[tag]}


def _numbered(escaped: str) -> str:
    digits = escaped[2:-1]
    return chr(int(digits[1:], 16) if digits.startswith("x") else int(digits))


def _unparsed(why: str) -> Refused:
    return Refused(f"can't parse entities: {why}")
