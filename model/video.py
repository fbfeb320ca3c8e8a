"""Clips as files: frames in and out of H.264 MP4, one at a time, and the stills beside them.

Knows nothing of models or jobs. A file that is opened is taken for MP4 and nothing else: FFmpeg
never guesses, so a playlist named .mp4 leads nowhere. The files are our own; a stranger's video
would have to be decoded in a limited process.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

import av
import cv2
import numpy as np
from av.container import InputContainer, OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from model.family import Frame

FRAMES_AHEAD: Final = 3
"""Frames that may wait for the encoder while the next one is drawn."""

ENCODER: Final = {
    "preset": "superfast",
    "crf": "19",
    "x264-params": "mbtree=1:rc-lookahead=10:chromaloc=1",
}
"""Files as small as "veryfast" makes them, in three quarters of its time. chromaloc: a colour
sample stands in the middle of its four pixels."""

FILL: Final = 0.94
"""Of the bytes allowed, what is aimed at."""

SHRINK_TRIES: Final = 4
BITS_PER_PIXEL: Final = 0.02
LEAST_SIDE: Final = 90

MAX_THREADS: Final = 4
KEYFRAME_SECONDS: Final = 2
POSTER_QUALITY: Final = 90


class NotAClip(ValueError):
    """The file is no MP4 with a video stream."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What an MP4 says of itself. Sides in pixels.

    seconds: (num_frames - 1) / frame_rate, the length that Kinora states and bills.
    duration: how long a player shows it, which is one frame more.
    faststart: the index comes before the pictures, so that it plays while it downloads.
    """

    width: int
    height: int
    num_frames: int
    frame_rate: Fraction
    codec: str
    pixel_format: str
    color_space: str
    duration: float
    faststart: bool

    @property
    def seconds(self) -> float:
        return float((self.num_frames - 1) / self.frame_rate)


def write(
    path: Path,
    frames: Iterable[Frame],
    frame_rate: int,
    width: int,
    height: int,
    *,
    bits_per_second: int | None = None,
) -> int:
    """Encode frames as they come to an MP4 at `path`; give back how many there were.

    bits_per_second: about how large it is to be; None where quality decides.

    Where quality decides, equal frames give equal files: x264 has one thread then, since with more
    of them and mbtree it doesn't keep to that.

    H.264 High in yuv420p with BT.709 colours, index first. Encoding runs in a thread of its own
    beside whatever draws the frames, at most FRAMES_AHEAD behind it, so memory stays flat. A frame
    must not change after it was given. The file appears once it is whole; where drawing or
    encoding raises, nothing is left behind and the exception passes.

    Raises ValueError for odd sides, for a frame of another shape and for no frames at all.
    """
    if width < 2 or height < 2 or width % 2 or height % 2:
        raise ValueError(f"H.264 in yuv420p needs even sides, not {width}x{height}")
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with av.open(
            unfinished, "w", format="mp4", options={"movflags": "+faststart"}
        ) as container:
            stream = _stream(container, frame_rate, width, height, bits_per_second)
            num_frames = _encode_all(container, stream, frames, (height, width, 3))
            if num_frames == 0:
                raise ValueError("a clip needs at least one frame")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return num_frames


def shrink(source: Path, target: Path, max_bytes: int) -> bool:
    """Encode a clip again into at most `max_bytes`, smaller in pixels where bits are few.

    False, and no file, where nothing worth seeing fits. Raises NotAClip.
    """
    clip = probe(source)
    frame_rate = max(1, round(clip.frame_rate))
    bits_per_second = max_bytes * 8 * FILL / max(clip.duration, 0.1)
    for _ in range(SHRINK_TRIES):
        width, height = _affordable(clip, bits_per_second / frame_rate)
        if not width:
            break
        frames = (cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
                  for frame in read(source))  # fmt: skip
        write(
            target,
            cast(Iterator[Frame], frames),
            frame_rate,
            width,
            height,
            bits_per_second=int(bits_per_second),
        )
        size = target.stat().st_size
        if size <= max_bytes:
            return True
        bits_per_second *= FILL * max_bytes / size
    target.unlink(missing_ok=True)
    return False


def _affordable(clip: Probe, bits_per_frame: float) -> tuple[int, int]:
    """The sides at which each pixel has bits enough; (0, 0) where even the least have not."""
    width, height = clip.width, clip.height
    while bits_per_frame < BITS_PER_PIXEL * width * height:
        width, height = (round(side * 3 / 8) * 2 for side in (width, height))
        if min(width, height) < LEAST_SIDE:
            return 0, 0
    return width, height


def read(path: Path) -> Iterator[Frame]:
    """The clip's frames in order, decoded as they are asked for. Raises NotAClip."""
    with _opened(path) as (container, stream):
        for picture in container.decode(stream):
            yield _to_rgb(picture)


def first_frame(path: Path) -> Frame:
    """Raises NotAClip."""
    with _opened(path) as (container, stream):
        for picture in container.decode(stream):
            return _to_rgb(picture)
    raise NotAClip(f"{path.name} has no frames")


def last_frame(path: Path) -> Frame:
    """The last frame, without decoding more than the last few seconds. Raises NotAClip."""
    (last,) = last_frames(path, 1)
    return last


def last_frames(path: Path, count: int) -> Iterator[Frame]:
    """Up to `count` frames before the end, in order, likewise. Raises NotAClip."""
    with _opened(path) as (container, stream):
        if stream.duration is not None and stream.frames:
            start = stream.duration * max(0, stream.frames - count) // stream.frames
            container.seek(start, stream=stream, backward=True)
        last = deque(container.decode(stream), maxlen=count)
    if not last:
        raise NotAClip(f"{path.name} has no frames")
    yield from map(_to_rgb, last)


def probe(path: Path) -> Probe:
    """What the file's own index says; nothing is decoded. Raises NotAClip."""
    with _opened(path) as (_container, stream):
        rate = stream.average_rate
        if rate is None or stream.duration is None or stream.time_base is None:
            raise NotAClip(f"{path.name} has no frames")
        codec = stream.codec_context
        return Probe(
            width=codec.width,
            height=codec.height,
            num_frames=stream.frames,
            frame_rate=rate,
            codec=codec.name,
            pixel_format=codec.pix_fmt or "",
            color_space=Colorspace(codec.colorspace).name,
            duration=float(stream.duration * stream.time_base),
            faststart=_index_first(path),
        )


def write_poster(path: Path, frame: Frame) -> None:
    """A JPEG of the frame at its full size."""
    Image.fromarray(frame).save(path, "JPEG", quality=POSTER_QUALITY, progressive=True)


def _stream(
    container: OutputContainer,
    frame_rate: int,
    width: int,
    height: int,
    bits_per_second: int | None,
) -> VideoStream:
    options = {**ENCODER, "threads": "1"}
    if bits_per_second is not None:
        options["threads"] = str(min(MAX_THREADS, os.cpu_count() or 1))
        del options["crf"]
        rate = str(bits_per_second)
        options |= {"b": rate, "maxrate": rate, "bufsize": rate}
    stream = container.add_stream("libx264", rate=frame_rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    codec = stream.codec_context
    codec.time_base = Fraction(1, frame_rate)
    codec.gop_size = KEYFRAME_SECONDS * frame_rate
    codec.colorspace = Colorspace.ITU709
    codec.color_primaries = ColorPrimaries.BT709
    codec.color_trc = ColorTrc.BT709
    codec.color_range = ColorRange.MPEG
    return stream


def _encode_all(
    container: OutputContainer,
    stream: VideoStream,
    frames: Iterable[Frame],
    shape: tuple[int, int, int],
) -> int:
    def encode(frame: Frame, index: int) -> None:
        picture = av.VideoFrame.from_ndarray(_to_yuv420(frame), format="yuv420p")
        picture.pts = index
        container.mux(stream.encode(picture))

    num_frames = 0
    behind: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="encoder") as thread:
        for frame in frames:
            if frame.shape != shape or frame.dtype != np.uint8:
                raise ValueError(f"a frame of {frame.shape} {frame.dtype}, not {shape} uint8")
            behind.append(thread.submit(encode, frame, num_frames))
            num_frames += 1
            if len(behind) > FRAMES_AHEAD:
                behind.popleft().result()
        for encoding in behind:
            encoding.result()
    container.mux(stream.encode(None))
    return num_frames


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    try:
        container = av.open(path, format="mp4", options={"protocol_whitelist": "file"})
    except av.InvalidDataError as error:
        raise NotAClip(f"{path.name} is no MP4") from error
    with container:
        if not container.streams.video:
            raise NotAClip(f"{path.name} has no video stream")
        yield container, container.streams.video[0]


def _to_yuv420(frame: Frame) -> NDArray[np.uint8]:
    """The planes Y, U and V below each other: (height * 3 // 2, width).

    Four times as fast as FFmpeg's scaler and without its bias; OpenCV's own conversion to I420
    knows only BT.601.
    """
    height, width = frame.shape[:2]
    planes = np.empty((height * 3 // 2, width), np.uint8)
    whole = cv2.transform(frame, _RGB_TO_YUV)
    half = cv2.resize(whole, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    cv2.extractChannel(whole, 0, planes[:height])
    colours = planes[height:].reshape(2, height // 2, width // 2)
    cv2.extractChannel(half, 1, colours[0])
    cv2.extractChannel(half, 2, colours[1])
    return planes


def _to_rgb(picture: av.VideoFrame) -> Frame:
    planes = picture.to_ndarray(format="yuv420p")
    height, width = picture.height, picture.width
    colours = planes[height:].reshape(2, height // 2, width // 2)
    whole = cv2.merge([planes[:height], *(cv2.resize(c, (width, height)) for c in colours)])
    return cast(Frame, cv2.transform(whole, _YUV_TO_RGB))


def _bt709() -> NDArray[np.float64]:
    """RGB of 0 to 255 → Y of 16 to 235, U and V of 16 to 240, as a 4 by 4 matrix.

    ITU-R BT.709-6, item 3.
    """
    red, blue = 0.2126, 0.0722
    luma = np.array([red, 1 - red - blue, blue])
    u = (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
    v = (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([219 * luma, 224 * u, 224 * v]) / 255
    matrix[:3, 3] = 16, 128, 128
    return matrix


_RGB_TO_YUV: Final = _bt709()[:3].astype(np.float32)
_YUV_TO_RGB: Final = np.linalg.inv(_bt709())[:3].astype(np.float32)


def _index_first(path: Path) -> bool:
    """Whether the box "moov" comes before "mdat" (ISO/IEC 14496-12, 4.2)."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", head)
            if kind in (b"moov", b"mdat"):
                return bool(kind == b"moov")
            if size == 1:
                size = struct.unpack(">Q", file.read(8))[0] - 8
            if size < 8:
                return False
            file.seek(size - 8, 1)
    return False
