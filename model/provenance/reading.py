"""What reads strangers' files, in the limited process of `model.inspect.child`: by its bytes, never
by its name, and with one named demuxer, so that a file leads to no other.

{"ask": "verify", "anchors": PEM, "known": [serial]} → {"kind", "manifest", "words"}
{"ask": "marks"} → {"archive"}, in base64
"""

from __future__ import annotations

import base64
import io
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

import av
import av.audio.stream
import av.subtitles.stream
import c2pa
import cv2
import numpy as np
from PIL import Image

from core.provenance import JUMBF
from model.family import Frame
from model.inspect.child import Answer
from model.provenance import manifest, watermark

KEPT_FRAMES: Final = 48
DECODED_FRAMES: Final = 900
DECODED_SECONDS: Final = 15.0
"""A long file is looked at from its beginning for so long."""

MOST_PIXELS: Final = 25_000_000
SIDE: Final = 2 * watermark.SHORT_SIDE
"""Of what is kept of a frame, on its short side."""

DEMUXERS: Final = {"video/mp4": "mp4", "video/webm": "matroska", "image/gif": "gif"}
STILLS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


class _NoFile(Exception):
    """Nothing that could be read as a picture or a video."""


def opened() -> Answer:
    cv2.setNumThreads(1)
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.init()
    _answer({"ask": "verify", "anchors": "", "known": []}, _tried())  # whatever is loaded late
    return _answer


def _tried() -> bytes:
    """A clip of one frame."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        grey = np.full((32, 32, 3), 128, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def _answer(question: dict[str, Any], data: bytes) -> dict[str, Any]:
    kind = _kind(data)
    if question["ask"] == "marks":
        found = manifest.archived(data, kind) if kind in STILLS else None
        return {"archive": base64.b64encode(found).decode() if found else None}
    try:
        told = manifest.read(data, kind, question["anchors"]) if kind else None
    except c2pa.C2paError:  # of a kind of file that C2PA doesn't know, or what is no manifest
        torn = manifest.Told(valid=False, serial="", signer="", clip={})
        told = torn if JUMBF in data else None
    answer: dict[str, Any] = {"kind": kind, "manifest": asdict(told) if told else None}
    if told is not None and told.valid and told.serial in question["known"]:
        return {**answer, "words": []}
    try:
        return {**answer, "words": list(watermark.read(_frames(data, kind)))}
    except (_NoFile, av.FFmpegError, OSError, ValueError, SyntaxError):
        return {**answer, "kind": "", "words": []}


def _kind(data: bytes) -> str:
    """The MIME type, by the first bytes; "" for anything else."""
    if data[4:8] == b"ftyp":
        return "video/mp4"
    starts = {
        b"\xff\xd8\xff": "image/jpeg",
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"GIF8": "image/gif",
        b"\x1a\x45\xdf\xa3": "video/webm",
    }
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in starts.items() if data.startswith(start)), "")


def _frames(data: bytes, kind: str) -> list[Frame]:
    if kind in STILLS:
        return [_still(data, STILLS[kind])]
    if kind not in DEMUXERS:
        raise _NoFile
    return list(_sampled(data, DEMUXERS[kind]))


def _still(data: bytes, name: str) -> Frame:
    with Image.open(io.BytesIO(data), formats=(name,)) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise _NoFile
        return np.asarray(picture.convert("RGB"))


def _sampled(data: bytes, demuxer: str) -> Iterator[Frame]:
    """Frames at even distances over what is looked at, none larger than needed."""
    until = time.monotonic() + DECODED_SECONDS
    with av.open(io.BytesIO(data), "r", format=demuxer) as container:
        if not container.streams.video:
            raise _NoFile
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        width, height = stream.codec_context.width, stream.codec_context.height
        if not 0 < width * height <= MOST_PIXELS:
            raise _NoFile
        step = max(1, min(stream.frames or KEPT_FRAMES * 4, DECODED_FRAMES) // KEPT_FRAMES)
        with suppress(av.FFmpegError):  # what comes before the damage is looked at
            for index, picture in enumerate(container.decode(stream)):
                if index >= DECODED_FRAMES or time.monotonic() > until:
                    break
                if index % step == 0 and index // step < KEPT_FRAMES:
                    yield _frame(picture)


def _frame(picture: av.VideoFrame) -> Frame:
    shrink = min(1.0, SIDE / min(picture.width, picture.height))
    width, height = (max(1, round(side * shrink)) for side in (picture.width, picture.height))
    small = picture.reformat(width=width, height=height, format="rgb24", interpolation="AREA")
    return np.asarray(small.to_ndarray(), np.uint8)
