"""Perceptual hashes: pictures that look alike have hashes that differ in few bits.

The difference hash of 256 bits by the package ImageHash, written as it writes them, so that lists
that were made with `imagehash.dhash(image, 16)` hold here. Each picture has two: as it is, and as
its mirror image.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import cv2
import imagehash
import numpy as np
from PIL import Image

from model.inspect.classifiers import Picture

SIDE: Final = 16
SAME: Final = 16
"""Bits of 256 in which frames of one clip may differ that need no hashes of their own."""

PLAIN: Final = 6.0
"""The contrast, as a standard deviation of 0 to 255, below which a picture has no hash: all black
frames are alike."""


def hashes(picture: Picture) -> tuple[str, ...]:
    """Two of 64 hexadecimal digits; none for a picture with next to nothing in it."""
    small = cv2.resize(picture, (SIDE * 4, SIDE * 4), interpolation=cv2.INTER_AREA)
    if float(np.std(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))) < PLAIN:
        return ()
    image = Image.fromarray(picture)
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return tuple(str(imagehash.dhash(one, SIDE)) for one in (image, mirrored))


def is_new(hashes: tuple[str, ...], kept: Iterable[str]) -> bool:
    """Whether a frame looks otherwise than those of one clip that are kept."""
    return bool(hashes) and all(
        (int(hashes[0], 16) ^ int(one, 16)).bit_count() > SAME for one in kept
    )
