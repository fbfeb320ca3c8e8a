"""A small picture for a card, drawn from a stored one, which was encoded here and is safe."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

SIDES = (320, 240)
"""Pixels at most: twice what the card shows, for sharp screens."""

QUALITY = 80


def thumbnail(path: Path) -> bytes:
    """A JPEG that fits into SIDES; blocks. Raises FileNotFoundError."""
    with Image.open(path) as picture:
        picture.draft("RGB", SIDES)
        picture.thumbnail(SIDES)
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
