"""Which frames of a clip are looked at: some at equal distances, with the first and the last, and
those where most has changed since the one before them."""

from __future__ import annotations

import heapq
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from model.inspect.classifiers import Picture

LEAST, MOST = 8, 24
"""At equal distances."""

APART_SECONDS: Final = 0.5
CHANGES: Final = 16
"""The most, beside those."""

CHANGED: Final = 10.0
"""The mean difference of brightness, 0 to 255, that counts as one."""

BETWEEN: Final = 12
"""Frames that are decoded between two signs of life."""

LONG_SIDE: Final = 640
THUMB: Final = (48, 27)


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """change: to the sample before it. at: in seconds."""

    change: float
    at: float
    picture: Picture = field(compare=False)


def samples(mp4: bytes) -> Iterator[Sample | None]:
    """LEAST to MOST + CHANGES of them, and in between None, so that others get a turn.

    Raises ValueError where there is no frame to look at, and what FFmpeg raises.
    """
    with av.open(io.BytesIO(mp4), "r", format="mp4") as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "NONE", 1
        regular = _regular(stream)
        changed: list[Sample] = []
        before = last = None
        for number, frame in enumerate(container.decode(stream)):
            thumb = _thumb(frame)
            change = 255.0 if before is None else float(np.mean(cv2.absdiff(thumb, before)))
            if number in regular:
                yield Sample(change, frame.time or 0.0, _picture(frame))
                before, last = thumb, None
                continue
            last = frame
            if change > CHANGED:
                before = thumb
                keep = heapq.heappush if len(changed) < CHANGES else heapq.heappushpop
                keep(changed, Sample(change, frame.time or 0.0, _picture(frame)))
            if number % BETWEEN == 0:
                yield None
    if before is None:
        raise ValueError("a clip without frames")
    if last is not None:
        yield Sample(0.0, last.time or 0.0, _picture(last))
    yield from changed


def _regular(stream: VideoStream) -> frozenset[int]:
    """The numbers of frames at equal distances, as far as the file's index tells."""
    count = max(1, stream.frames)
    seconds = count / float(stream.average_rate or 24)
    many = min(MOST, max(LEAST, int(seconds / APART_SECONDS) + 1), count)
    return frozenset(round(number) for number in np.linspace(0, count - 1, many))


def _thumb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Its brightness, small."""
    plane = frame.planes[0]
    luma = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
    small = cv2.resize(luma[:, : plane.width], THUMB, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _picture(frame: av.VideoFrame) -> Picture:
    scale = min(1.0, LONG_SIDE / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    return np.asarray(frame.to_ndarray(format="rgb24", width=width, height=height), np.uint8)
