"""Clips as files: what is written is opened again and looked at."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from model import video
from model.family import Frame

WIDTH, HEIGHT = 128, 96


def drawn(index: int, width: int = WIDTH, height: int = HEIGHT) -> Frame:
    """A bar that stands 4 pixels further right in each frame, on a slope of colour."""
    frame = np.empty((height, width, 3), np.uint8)
    frame[..., 0] = np.linspace(0, 255, width)
    frame[..., 1] = np.linspace(255, 0, height)[:, None]
    frame[..., 2] = 90
    left = 4 * index % width
    frame[:, left : left + 8] = 250, 240, 30
    return frame


def frames(count: int) -> Iterator[Frame]:
    return (drawn(index) for index in range(count))


def psnr(first: Frame, second: Frame) -> float:
    return cv2.PSNR(first, second)


def test_a_clip_is_the_frames_that_were_given(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    assert video.write(clip, frames(25), 24, WIDTH, HEIGHT) == 25
    seen = list(video.read(clip))
    assert len(seen) == 25
    for index, frame in enumerate(seen):
        assert frame.shape == (HEIGHT, WIDTH, 3)
        assert frame.dtype == np.uint8
        assert psnr(frame, drawn(index)) > 28
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize("frame_rate", [12, 24, 50, 60])
def test_a_clip_says_what_it_is(tmp_path: Path, frame_rate: int) -> None:
    clip = tmp_path / "clip.mp4"
    video.write(clip, frames(2 * frame_rate + 1), frame_rate, WIDTH, HEIGHT)
    found = video.probe(clip)
    assert (found.width, found.height, found.num_frames) == (WIDTH, HEIGHT, 2 * frame_rate + 1)
    assert found.frame_rate == Fraction(frame_rate)
    assert (found.codec, found.pixel_format, found.color_space) == ("h264", "yuv420p", "ITU709")
    assert found.seconds == 2.0
    assert found.duration == pytest.approx(2.0 + 1 / frame_rate, abs=0.002)
    assert found.faststart


@pytest.mark.parametrize(
    "colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 60)]
)
def test_colours_are_those_of_bt709(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    clip = tmp_path / "clip.mp4"
    plain = np.full((64, 64, 3), colour, np.uint8)
    video.write(clip, [plain] * 3, 24, 64, 64)
    assert np.abs(video.first_frame(clip).astype(int) - plain).max() <= 4
    with av.open(clip, format="mp4") as container:
        picture = next(container.decode(video=0))
        theirs = picture.to_ndarray(format="rgb24", src_colorspace="ITU709")
        primaries = (picture.color_primaries, picture.color_trc, picture.color_range)
    assert np.abs(theirs.astype(int) - plain).max() <= 6
    assert primaries == (1, 1, 1)


def test_frames_are_taken_one_at_a_time(tmp_path: Path) -> None:
    """The encoder asks for no frame while FRAMES_AHEAD of them wait, so memory stays flat."""
    given: list[weakref.ref[Frame]] = []
    most = 0

    def counted() -> Iterator[Frame]:
        nonlocal most
        for index in range(60):
            frame = drawn(index)
            given.append(weakref.ref(frame))
            most = max(most, sum(ref() is not None for ref in given))
            yield frame

    video.write(tmp_path / "clip.mp4", counted(), 24, WIDTH, HEIGHT)
    assert len(given) == 60
    assert most <= video.FRAMES_AHEAD + 3


@pytest.mark.parametrize("count", [1, 17, 60, 200])
def test_the_last_frames_come_in_order(tmp_path: Path, count: int) -> None:
    clip = tmp_path / "clip.mp4"
    video.write(clip, frames(75), 8, WIDTH, HEIGHT)
    last = list(video.last_frames(clip, count))
    assert len(last) == min(count, 75)
    for frame, index in zip(last[::-1], range(74, -1, -1), strict=False):
        assert psnr(frame, drawn(index)) > 28


def test_the_last_frame_is_the_last(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    video.write(clip, frames(75), 12, WIDTH, HEIGHT)
    assert psnr(video.last_frame(clip), drawn(74)) > 28
    assert psnr(video.first_frame(clip), drawn(0)) > 28


def test_one_frame_is_a_clip(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    video.write(clip, frames(1), 24, WIDTH, HEIGHT)
    assert video.probe(clip).num_frames == 1
    assert video.probe(clip).seconds == 0
    assert np.array_equal(video.first_frame(clip), video.last_frame(clip))


@pytest.mark.parametrize(("width", "height"), [(127, 96), (128, 95), (0, 0)])
def test_odd_sides_are_refused(tmp_path: Path, width: int, height: int) -> None:
    with pytest.raises(ValueError, match="even sides"):
        video.write(tmp_path / "clip.mp4", [], 24, width, height)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((HEIGHT, WIDTH + 2, 3), np.uint8),
        np.zeros((HEIGHT, WIDTH), np.uint8),
        np.zeros((HEIGHT, WIDTH, 3), np.float32),
    ],
)
def test_frames_of_another_shape_are_refused(tmp_path: Path, wrong: Frame) -> None:
    with pytest.raises(ValueError, match="a frame of"):
        video.write(tmp_path / "clip.mp4", [drawn(0), wrong], 24, WIDTH, HEIGHT)
    assert not list(tmp_path.iterdir())


def test_no_frames_are_no_clip(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        video.write(tmp_path / "clip.mp4", [], 24, WIDTH, HEIGHT)
    assert not list(tmp_path.iterdir())


def test_a_cancelled_clip_leaves_nothing_and_spares_the_old_one(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"old")

    class Enough(Exception):
        pass

    def stopping() -> Iterator[Frame]:
        yield from frames(10)
        raise Enough

    with pytest.raises(Enough):
        video.write(clip, stopping(), 24, WIDTH, HEIGHT)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    assert clip.read_bytes() == b"old"


def test_only_an_mp4_is_opened(tmp_path: Path) -> None:
    """A playlist by that name would have FFmpeg open the file that it names."""
    real = tmp_path / "real.mp4"
    video.write(real, frames(3), 24, WIDTH, HEIGHT)
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"ffconcat version 1.0\nfile {real.name}\n")
    text = tmp_path / "text.mp4"
    text.write_text("no clip at all")
    for path in (playlist, text):
        for open_it in (video.probe, video.first_frame, video.last_frame):
            with pytest.raises(video.NotAClip):
                open_it(path)


def test_a_poster_is_a_jpeg_of_the_clip_s_size(tmp_path: Path) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
    video.write_poster(tmp_path / "poster.jpg", frame)
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert (poster.format, poster.size) == ("JPEG", (1920, 1080))
