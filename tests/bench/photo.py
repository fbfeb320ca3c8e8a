"""A photograph to send."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def photo(width: int = 2400, height: int = 1600) -> bytes:
    """A picture with structure at every scale, as a JPEG."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    noise = np.random.default_rng(3)
    picture = np.stack([across / width, down / height, 1 - across / width], -1) * 180
    for scale in (400, 120, 40, 12):
        grain = noise.normal(0, 12, (height // scale + 2, width // scale + 2, 3))
        grown = np.kron(grain, np.ones((scale, scale, 1)))[:height, :width]
        picture += grown
    data = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(data, "JPEG", quality=92)
    return data.getvalue()
