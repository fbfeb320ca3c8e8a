"""Asked for larger with the same seed, a model draws the same clip: what Upscale promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core import camera
from core.catalog import frame_size
from core.request import Request
from model.families import parallax, pocket
from model.family import NOTHING_GIVEN, Frame, Given, Loaded

PLAIN = Request(
    model="pocket", prompt="a red star moving left on a blue background", width=240, height=240,
    num_frames=5, frame_rate=8, seed=5, resolution="240p", aspect="1:1", num_inference_steps=4,
)  # fmt: skip


def film(drawn: Loaded, request: Request, given: Given) -> list[Frame]:
    return list(drawn.frames(request, given, lambda *_: None))


def worst_db(small: list[Frame], large: list[Frame]) -> float:
    """Of the frames, each large one shrunk to the small one's size."""
    errors = [
        np.square(np.subtract(before, shrunk(after, before), dtype=np.float64)).mean()
        for before, after in zip(small, large, strict=True)
    ]
    return float(10 * np.log10(255**2 / max(errors)))


def shrunk(frame: Frame, like: Frame) -> Frame:
    size = like.shape[1::-1]
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def test_pocket_draws_the_same_clip_larger() -> None:
    drawn = pocket.load("pocket")
    small = film(drawn, PLAIN, NOTHING_GIVEN)
    width, height = frame_size("480p", PLAIN.aspect)
    larger = replace(PLAIN, width=width, height=height, resolution="480p")
    assert worst_db(small, film(drawn, larger, NOTHING_GIVEN)) > 45
    assert worst_db(small, film(drawn, replace(larger, seed=6), NOTHING_GIVEN)) < 30


@pytest.mark.parametrize("moves", ["zoom in", "pan right", "roll left", "handheld"])
def test_parallax_makes_the_same_move_larger(moves: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    spots = cv2.GaussianBlur(rng.normal(0, 1, (540, 960, 3)), (0, 0), 8)
    picture = tmp_path / "photo.png"
    Image.fromarray(np.uint8(np.clip(128 + 1200 * spots, 0, 255))).save(picture)
    request = replace(
        PLAIN, model="parallax", width=427, height=240, aspect="16:9", camera=camera.parse(moves)
    )
    larger = replace(request, width=854, height=480, resolution="480p")
    drawn = parallax.load("parallax")
    small = film(drawn, request, Given(picture))
    assert worst_db(small, film(drawn, larger, Given(picture))) > 30
    assert worst_db(small, film(drawn, request, Given(picture))[::-1]) < 30
