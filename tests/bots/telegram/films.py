"""What people got, opened: whether Telegram's apps show it as it was announced."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import av
from PIL import Image

from tests.provenance.reader import manifest
from tests.telegram.files import THUMBNAIL_BYTES, THUMBNAIL_SIDE
from tests.telegram.world import Media, World

ROUNDING_SECONDS = 0.63
"""The Bot API takes whole seconds; and a last frame is shown for its own time."""


def faults(world: World) -> Iterator[str]:
    """What is wrong with the clips that came before anybody's eyes, each looked at once."""
    seen: set[str] = set()
    for version in world.history:
        media, author = version.message.media, version.message.author_id
        if media is None or author != world.bot.id or media.kind != "video":
            continue
        if media.file.id not in seen:
            seen.add(media.file.id)
            for why in faults_of(media):
                yield f"the clip in message {version.message.id}: {why}"


def faults_of(media: Media) -> Iterator[str]:
    file = media.file
    with av.open(io.BytesIO(file.data), "r") as opened:
        stream = opened.streams.video[0]
        context = stream.codec_context
        found = (context.name, context.pix_fmt)
        seconds = float((stream.duration or 0) * (stream.time_base or 0))
        size = (context.width, context.height)
        frames = len(list(opened.decode(stream)))
    if found != ("h264", "yuv420p"):
        yield f"it is {found}"
    if not frames:
        yield "it has no frames"
    if size != (file.width, file.height):
        yield f"it is {size}, said to be {(file.width, file.height)}"
    if abs(file.duration - seconds) > ROUNDING_SECONDS:
        yield f"it takes {seconds:.2f} s, said to be {file.duration}"
    boxes = [name for name, _ in boxes_of(file.data)]
    if boxes.index("moov") > boxes.index("mdat"):
        yield f"it does not start fast: {boxes}"
    if (signed := manifest(file.data)[0]) != "Valid":
        yield f"its signed note is {signed}"
    if not media.streaming:
        yield "it is not said to be streamed"
    if media.thumbnail is None:
        yield "it has no thumbnail"
    else:
        yield from _faults_of_thumbnail(media.thumbnail.data, size)


def boxes_of(data: bytes) -> Iterator[tuple[str, int]]:
    """Names and sizes of an MP4's outermost boxes."""
    at = 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
        yield name.decode("latin-1"), size
        at += size or len(data) - at


def _faults_of_thumbnail(data: bytes, size: tuple[int, int]) -> Iterator[str]:
    if len(data) >= THUMBNAIL_BYTES:
        yield f"its thumbnail has {len(data)} bytes"
    with Image.open(io.BytesIO(data)) as picture:
        if picture.format != "JPEG" or max(picture.size) > THUMBNAIL_SIDE:
            yield f"its thumbnail is {picture.format} of {picture.size}"
        across, down = picture.size
        if abs(across / down - size[0] / size[1]) > 0.05:
            yield f"its thumbnail is {picture.size} for {size}"
