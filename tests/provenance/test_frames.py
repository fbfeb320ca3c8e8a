"""What is drawn into frames: a mark that lasts and isn't seen, a label that is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bots.lock import Busy
from bots.settings import Provenance, Settings
from bots.signing import practice_of
from core.provenance import Corner, Label
from model import video
from model.family import Frame
from model.provenance import watermark
from model.provenance.label import labelled
from tests.provenance.clips import (
    Change,
    cropped,
    drawn,
    encoded_again,
    mirrored,
    noise_ratio,
    scaled,
    textured,
)

WORD = 0x5A3C_96E1_F00D


@pytest.mark.parametrize("make", [drawn, textured])
def test_a_mark_outlasts_what_happens_to_files(make: object, tmp_path: Path) -> None:
    """The whole table: python -m tests.provenance.report."""
    frames = drawn(2) if make is drawn else textured(1)
    marked = list(watermark.marked(frames, WORD))
    assert noise_ratio(frames, marked) > (46 if make is drawn else 36)
    own, again = tmp_path / "own.mp4", tmp_path / "again.mp4"
    video.write(own, marked, 24, 854, 480)
    troubles: list[tuple[int, Change | None]] = [
        (28, None), (33, None), (28, scaled(360)), (28, cropped(0.1)), (28, mirrored),
    ]  # fmt: skip
    for crf, change in troubles:
        seen = list(video.read(encoded_again(own, again, crf, change)))
        assert WORD in watermark.read(seen), (crf, change)


def test_another_mark_takes_the_place_of_the_first() -> None:
    """As in a clip that goes on from another."""
    twice = list(watermark.marked(watermark.marked(drawn(2, frames=3), WORD), 77))
    assert watermark.read(twice)[0] == 77
    assert WORD not in watermark.read(twice)
    assert watermark.read([]) == ()
    assert watermark.read([np.zeros((5000, 2, 3), np.uint8)]) == (), "as large as a city, enlarged"
    with pytest.raises(ValueError, match="48 bits"):
        list(watermark.marked(twice, 1 << 48))


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_label_reads_on_anything(shade: int) -> None:
    """On a grey of each kind, in its corner, for two seconds or throughout."""
    grey = np.full((240, 426, 3), shade, np.uint8)
    label = Label("Made by AI", corner=Corner.TOP_LEFT)
    frames = list(labelled([grey] * 40, label, frame_rate=8))
    changed = [index for index, frame in enumerate(frames) if (frame != grey).any()]
    assert changed == list(range(17)), "the first two seconds, and the frame that ends them"
    always = Label("Made by AI", always=True, corner=Corner.BOTTOM_RIGHT)
    assert all((one != grey).any() for one in labelled([grey] * 40, always, frame_rate=8))
    corner = frames[0][:60, :213]
    assert (frames[0][60:] == grey[60:]).all()
    assert contrast(float(corner[:16].max()), float(corner.min())) > 4.5


def test_a_long_label_fits_a_small_frame() -> None:
    tall: Frame = np.full((256, 144, 3), 90, np.uint8)
    label = Label("Made by a machine, and by nobody else", size=0.2)
    (frame,) = labelled([tall], label, frame_rate=8)
    assert frame.shape == tall.shape
    assert (frame != tall).any()


def test_a_label_that_would_be_boxes_is_told_at_the_start(tmp_path: Path) -> None:
    def practice(**said: object) -> object:
        drawn = Provenance.model_validate({"label": "start", **said})
        return practice_of(Settings(_env_file=None, data_dir=tmp_path, provenance=drawn))  # type: ignore[call-arg]

    assert practice()
    for text, lacking in (("AI 生成", "生成"), ("Créé par IA", "é")):
        with pytest.raises(Busy, match=f"these letters: {lacking}. Set"):
            practice(label_text=text)
    with pytest.raises(Busy, match="no font file"):
        practice(label_font=tmp_path / "nowhere.ttf")


def contrast(one: float, other: float) -> float:
    """WCAG 2.2, relative luminance of two greys."""
    light = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (one / 255, other / 255)
    ]
    return (max(light) + 0.05) / (min(light) + 0.05)
