"""Clips to be marked, and what happens to files once they are out in the world."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from model.family import Frame
from model.pocket import drawing, scenes

Change = Callable[[Frame], Frame]


def drawn(seed: int, width: int = 854, height: int = 480, frames: int = 13) -> list[Frame]:
    """A clip as pocket was trained on: things of plain colours that move."""
    scene = scenes.sample_scene(np.random.default_rng(seed))
    return list(np.asarray(drawing.draw(scene, frames=frames, height=height, width=width)))


def textured(seed: int, width: int = 854, height: int = 480, frames: int = 13) -> list[Frame]:
    """A clip as busy as a photograph over which the camera moves: noise as nature has it, 1/f."""
    rng = np.random.default_rng(seed)
    side = max(width, height) * 5 // 4
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :])
    radius[0, 0] = 1
    planes = []
    for _ in range(3):
        spectrum = np.fft.fft2(rng.standard_normal((side, side))) / radius**1.1
        plane = np.fft.ifft2(spectrum).real
        planes.append(128 + 45 * plane / plane.std())
    shades = np.stack([0.8 * planes[0] + 0.2 * one for one in planes], axis=-1)
    whole = np.clip(shades, 0, 255).astype(np.uint8)
    room_x, room_y = side - width, side - height
    return [
        np.ascontiguousarray(
            whole[room_y * i // (2 * frames) :, room_x * i // frames :][:height, :width]
        )
        for i in range(frames)
    ]


def encoded_again(source: Path, target: Path, crf: int, change: Change | None = None) -> Path:
    """As others do it: FFmpeg's own colours and presets, at another quality, changed or not."""
    with av.open(source) as given, av.open(target, "w", format="mp4") as made:
        picture = given.streams.video[0]
        stream = None
        for one in given.decode(picture):
            frame = one.to_ndarray(format="rgb24")
            frame = change(frame) if change else frame
            if stream is None:
                options = {"crf": str(crf), "preset": "medium"}
                stream = made.add_stream("libx264", rate=picture.average_rate, options=options)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "yuv420p"
            made.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        assert stream is not None
        made.mux(stream.encode(None))
    return target


def scaled(height: int) -> Change:
    def change(frame: Frame) -> Frame:
        width = round(frame.shape[1] * height / frame.shape[0] / 2) * 2
        return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA))

    return change


def cropped(share: float) -> Change:
    """So much less of both sides, more of it at the left and the top."""

    def change(frame: Frame) -> Frame:
        height, width = (round(side * (1 - share) / 2) * 2 for side in frame.shape[:2])
        y, x = (int(side * share * 0.7) for side in frame.shape[:2])
        return np.ascontiguousarray(frame[y : y + height, x : x + width])

    return change


def mirrored(frame: Frame) -> Frame:
    return np.ascontiguousarray(frame[:, ::-1])


def noise_ratio(before: Sequence[Frame], after: Iterator[Frame] | Sequence[Frame]) -> float:
    """PSNR in dB over all frames."""
    errors = [((a.astype(float) - b) ** 2).mean() for a, b in zip(before, after, strict=True)]
    return float(10 * np.log10(255**2 / np.mean(errors)))
