"""Words in the picture that say who made it: white on a dark plate, so they read on anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.provenance import START_SECONDS, Corner, Label
from model.family import Frame

PLATE: Final = 0.62
"""How dark it is: white words on it have a contrast of 6 to 1 even before white."""

PADDING: Final = 0.45
MARGIN: Final = 0.6
"""In heights of the letters."""

LEAST_PIXELS: Final = 9

NO_LETTER: Final = "\U0010fffe"
"""No font has it: what it draws stands for any that it lacks."""

PROBED_PIXELS: Final = 32


def labelled(frames: Iterable[Frame], label: Label, frame_rate: int) -> Iterator[Frame]:
    """The frames with the label on all of them, or on those of the first START_SECONDS.

    A clip that is shorter has it throughout. Raises OSError where there is no such font.
    """
    upto = None if label.always else ceil(START_SECONDS * frame_rate) + 1
    plate: tuple[Frame, Frame] | None = None
    for index, frame in enumerate(frames):
        if upto is not None and index >= upto:
            yield frame
            continue
        if plate is None:
            plate = _plate(label, *frame.shape[:2])
        yield _laid(frame, *plate)


def missing(label: Label) -> str:
    """The letters that its font can't draw. Raises OSError where there is no such font."""
    font = _font(label.font, PROBED_PIXELS)
    box = bytes(font.getmask(NO_LETTER))
    letters = (one for one in dict.fromkeys(label.text) if not one.isspace())
    return "".join(one for one in letters if bytes(font.getmask(one)) == box)


def _plate(label: Label, height: int, width: int) -> tuple[Frame, Frame]:
    """How much of the frame is covered, and how much of that is white; 0 to 255, (h, w)."""
    pixels = max(LEAST_PIXELS, round(min(height, width) * label.size))
    while True:
        font = _font(label.font, pixels)
        left, top, right, bottom = font.getbbox(label.text)
        pad, margin = round(pixels * PADDING), round(pixels * MARGIN)
        across, down = ceil(right - left) + 2 * pad, ceil(bottom - top) + 2 * pad
        if across + 2 * margin <= width or pixels <= LEAST_PIXELS:
            break
        pixels = max(LEAST_PIXELS, pixels * 9 // 10)
    x = margin if label.corner in (Corner.TOP_LEFT, Corner.BOTTOM_LEFT) else width - margin - across
    y = margin if label.corner in (Corner.TOP_LEFT, Corner.TOP_RIGHT) else height - margin - down
    x, y = max(0, x), max(0, y)
    plate, words = Image.new("L", (width, height)), Image.new("L", (width, height))
    box = (x, y, x + across - 1, y + down - 1)
    ImageDraw.Draw(plate).rounded_rectangle(box, radius=pad, fill=round(255 * PLATE))
    ImageDraw.Draw(words).text((x + pad - left, y + pad - top), label.text, fill=255, font=font)
    return np.asarray(plate), np.asarray(words)


def _font(path: str, pixels: int) -> ImageFont.FreeTypeFont:
    if path:
        return ImageFont.truetype(Path(path), pixels)
    font = ImageFont.load_default(pixels)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("Pillow was built without FreeType: name a font")
    return font


def _laid(frame: Frame, plate: Frame, words: Frame) -> Frame:
    covered = cv2.multiply(frame, cv2.merge([255 - plate] * 3), scale=1 / 255)
    white = cv2.merge([words] * 3)
    rest = cv2.multiply(covered, 255 - white, scale=1 / 255)
    return np.asarray(cv2.add(rest, white), np.uint8)
