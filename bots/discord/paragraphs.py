"""Words with a little form, as a message; with a picture or clip that is covered until tapped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import discord
from discord import ui

from bots import talk
from bots.discord import card_view
from bots.discord.card_view import ACCENT, plain
from bots.talk import Bit, Bold, Code, Covered, Line, Paragraph
from bots.thumb import LOOKED_AT, thumbnail

TEXT_CHARS = 4000
"""Of all texts of a message."""

COVERED, COVERED_CLIP = "SPOILER_picture.jpg", "SPOILER_clip.mp4"
"""What a picture is called, and a clip: Discord covers files that are named so."""

_ALT = "What it is about"


def text(drawn: Line) -> str:
    """A line in Discord's markdown."""
    said = "".join(map(_bit, drawn.bits))
    return f"-# {said}" if drawn.small else said


def layout(
    paragraphs: Sequence[Paragraph],
    row: ui.ActionRow[ui.LayoutView] | None = None,
    *,
    covered: str = "",
) -> ui.LayoutView:
    """A message of paragraphs, and buttons below. What goes beyond one message is left out.
    covered: the name of a file that is with it."""
    texts = talk.fitting(paragraphs, text, len, TEXT_CHARS)
    children: list[ui.Item[ui.LayoutView]] = [ui.TextDisplay(one) for one in texts]
    if covered:
        picture = discord.MediaGalleryItem(
            f"attachment://{covered}", spoiler=True, description=_ALT
        )
        children.append(ui.MediaGallery(picture))
    if row is not None:
        children.append(row)
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.Container(*children, accent_colour=ACCENT))
    return view


async def to_cover(picture: Path | None) -> bytes | None:
    """A stored picture, as large as it takes to judge it; None where it is gone."""
    if picture is None:
        return None
    try:
        return await asyncio.to_thread(thumbnail, picture, LOOKED_AT)
    except FileNotFoundError:
        return None


def _bit(bit: Bit) -> str:
    match bit:
        case Covered(text):
            return card_view.covered(text)
        case Bold(text):
            return f"**{plain(text)}**"
        case Code(text):
            return f"`{text}`"
        case _:
            return plain(bit)
