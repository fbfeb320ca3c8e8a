"""Files as Telegram keeps them: by file_id, photos in several sizes, with a path to download.

It fetches nothing from the network: a file that is given by URL is refused.
"""

from __future__ import annotations

import functools
import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from tests.telegram.refusals import Refused

MEGABYTE = 1024 * 1024
DOWNLOAD_BYTES, UPLOAD_BYTES, PHOTO_BYTES = 20 * MEGABYTE, 50 * MEGABYTE, 10 * MEGABYTE
LOCAL_UPLOAD_BYTES = 2000 * MEGABYTE
PHOTO_SIDES, PHOTO_RATIO, PHOTO_LONGEST = 10_000, 20, 1280
THUMBNAIL_BYTES, THUMBNAIL_SIDE = 200_000, 320


@dataclass(frozen=True, slots=True, repr=False)
class Upload:
    """A part of a request."""

    name: str
    data: bytes
    mime: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, repr=False)
class File:
    """kind: photo, video, …; unique_id: of its bytes; duration: in seconds, as its sender said."""

    id: str
    unique_id: str
    kind: str
    path: str
    data: bytes
    name: str = ""
    mime: str = ""
    width: int = 0
    height: int = 0
    duration: int = 0
    sizes: tuple[File, ...] = ()


@dataclass
class Files:
    """local: the folder of a local Bot API server, which sets no limit to downloads and gives paths
    of this machine; None for the hosted API. gone: ids of files that can't be had any more."""

    local: Path | None = None
    kept: dict[str, File] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    @property
    def upload_bytes(self) -> int:
        return LOCAL_UPLOAD_BYTES if self.local else UPLOAD_BYTES

    def keep(
        self, kind: str, upload: Upload, *, width: int = 0, height: int = 0, duration: int = 0
    ) -> File:
        """Store an upload as a photo, video, …

        Raises:
            Refused: a photo that is none, or too large.
        """
        if kind == "photo":
            return self._photo(upload)
        if kind == "sticker":
            width, height = _measured(upload.data)
        return self._stored(kind, upload, width, height, duration)

    def find(self, file_id: str, kind: str) -> File:
        """Raises: Refused: no such file, or one of another kind."""
        if file_id.startswith(("http://", "https://")):
            raise Refused("failed to get HTTP URL content")
        file = self.kept.get(file_id)
        if file is None:
            raise Refused("wrong file identifier/HTTP URL specified")
        if file_id in self.gone:
            raise Refused("wrong file_id or the file is temporarily unavailable")
        if file.kind != kind and kind != "document":
            name, other = file.kind.capitalize(), kind.capitalize()
            raise Refused(f"can't use file of type {name} as {other}")
        return file

    def download(self, path: str) -> File | None:
        fits = (f for f in self.kept.values() if f.path == path and f.id not in self.gone)
        return next((f for f in fits if self.local or len(f.data) <= DOWNLOAD_BYTES), None)

    def _stored(self, kind: str, upload: Upload, width: int, height: int, duration: int) -> File:
        number = len(self.kept) + 1
        suffix = Path(upload.name).suffix or (".jpg" if kind == "photo" else "")
        path = f"{kind}s/file_{number}{suffix}"
        if self.local:
            place = self.local / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(upload.data)
            path = str(place)
        unique = hashlib.sha256(kind.encode() + upload.data).hexdigest()[:16]
        file = File(
            f"{kind}-{number}-{unique}", unique, kind, path, upload.data, upload.name,
            upload.mime, width, height, duration,
        )  # fmt: skip
        self.kept[file.id] = file
        return file

    def _photo(self, upload: Upload) -> File:
        size = len(upload.data)
        if size > PHOTO_BYTES:
            raise Refused(
                f"file of size {size} bytes is too big for a photo; "
                f"the maximum size is {PHOTO_BYTES} bytes"
            )
        width, height = _measured(upload.data)
        if not width:
            raise Refused("IMAGE_PROCESS_FAILED")
        if width + height > PHOTO_SIDES or max(width, height) > PHOTO_RATIO * min(width, height):
            raise Refused("PHOTO_INVALID_DIMENSIONS")
        sizes = [
            self._stored("photo", Upload("", data, "image/jpeg"), *sides, 0)
            for data, sides in _sizes(upload.data)
        ]
        largest = sizes[-1]
        file = File(
            largest.id, largest.unique_id, "photo", largest.path, largest.data,
            width=largest.width, height=largest.height, sizes=tuple(sizes),
        )  # fmt: skip
        self.kept[file.id] = file
        return file


def fault_of_thumbnail(data: bytes) -> str:
    """Why Telegram would ignore it, or nothing."""
    if len(data) >= THUMBNAIL_BYTES:
        return f"a thumbnail of {len(data)} bytes; it must be below {THUMBNAIL_BYTES}"
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.format != "JPEG":
                return f"a thumbnail in {picture.format}; it must be JPEG"
            if max(picture.size) > THUMBNAIL_SIDE:
                return f"a thumbnail of {picture.size}; no side may exceed {THUMBNAIL_SIDE}"
    except UnidentifiedImageError:
        return "a thumbnail that is no picture"
    return ""


@functools.lru_cache(maxsize=8)
def _sizes(data: bytes) -> tuple[tuple[bytes, tuple[int, int]], ...]:
    """The JPEGs that people's apps make of a photo, with their sides, the smallest first."""
    sizes = []
    with Image.open(io.BytesIO(data)) as picture:
        whole = picture.convert("RGB")
    for longest in (90, 320, 800, PHOTO_LONGEST):
        smaller = whole.copy()
        smaller.thumbnail((longest, longest))
        out = io.BytesIO()
        smaller.save(out, "JPEG", quality=87)
        sizes.append((out.getvalue(), smaller.size))
        if longest >= max(whole.size):
            break
    return tuple(sizes)


def _measured(data: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            width, height = picture.size
            return width, height
    except UnidentifiedImageError:
        return 0, 0
