"""A small picture for a card, drawn from a stored one, which was encoded here and is safe; and one
that shows nothing."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

SIDES = (320, 240)
"""Pixels at most: twice what the card shows, for sharp screens."""

LOOKED_AT = (960, 720)
"""Of one that somebody has to judge."""

QUALITY = 80
NOTHING = (32, 32, 36)
"""The colour of a picture that takes the place of another."""


def thumbnail(path: Path, sides: tuple[int, int] = SIDES) -> bytes:
    """A JPEG that fits into these sides; blocks. Raises FileNotFoundError."""
    with Image.open(path) as picture:
        picture.draft("RGB", sides)
        picture.thumbnail(sides)
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def blank() -> bytes:
    """A JPEG of SIDES without anything on it."""
    out = io.BytesIO()
    Image.new("RGB", SIDES, NOTHING).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
