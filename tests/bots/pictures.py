"""Pictures drawn for the tests. The sample picture of the page is one of them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Drawn = NDArray[np.float64]


def landscape(width: int = 960, height: int = 540) -> Image.Image:
    """A lake between hills at dusk, with its reflection."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    x, y = x / width, y / height
    shore = 0.62
    mirrored = np.where(y > shore, shore - (y - shore) * 1.6, y)
    colours = _sky(x, mirrored)
    layers = (
        (0.44, 0.10, 2.3, 0.4, (0.55, 0.42, 0.50)),
        (0.52, 0.08, 3.7, 1.9, (0.36, 0.29, 0.40)),
        (0.585, 0.06, 5.9, 4.1, (0.19, 0.17, 0.27)),
    )
    for base, lift, rate, shift, colour in layers:
        ridge = base - lift * (
            0.6 * np.sin(rate * x * 2 + shift) + 0.3 * np.sin(rate * 5.3 * x + shift * 2)
            + 0.1 * np.sin(rate * 17 * x + shift)
        )  # fmt: skip
        edge = np.clip((mirrored - ridge) * height / 1.5, 0, 1)[..., None]
        colours = colours * (1 - edge) + np.array(colour) * edge
    water = (y > shore)[..., None]
    ripple = 1 + 0.05 * np.sin(y * 340 + 3 * np.sin(x * 19 + y * 60))[..., None]
    colours = np.where(water, colours * np.array((0.80, 0.84, 0.92)) * ripple, colours)
    return Image.fromarray((np.clip(colours, 0, 1) * 255).astype(np.uint8))


def jpeg(picture: Image.Image, quality: int = 82) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _sky(x: Drawn, y: Drawn) -> Drawn:
    top, low = np.array((0.30, 0.36, 0.56)), np.array((0.99, 0.72, 0.48))
    part = np.clip(y / 0.55, 0, 1)[..., None] ** 1.2
    sky = top * (1 - part) + low * part
    far = np.hypot((x - 0.68) * 1.78, y - 0.36)
    glow = np.exp(-((far / 0.22) ** 2))[..., None] * np.array((0.22, 0.16, 0.06))
    disc = np.clip((0.055 - far) * 300, 0, 1)[..., None]
    whole: Drawn = (sky + glow) * (1 - disc) + np.array((1.0, 0.93, 0.78)) * disc
    return whole


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
