"""Files: kept in memory, handed out by signed links that expire."""

from __future__ import annotations

import hashlib
import hmac
import io
import mimetypes
import re
from dataclasses import dataclass, field

import av
from aiohttp import web
from PIL import Image

from tests.discord.faults import Faults
from tests.standin.clock import Clock

LINK_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in."""

    filename: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that was taken in. place: its folder on the CDN; width, height: pixels, of pictures
    and videos."""

    id: int
    place: str
    filename: str
    size: int
    content_type: str | None
    sha256: str
    width: int | None = None
    height: int | None = None
    description: str | None = None

    @property
    def video(self) -> bool:
        return (self.content_type or "").startswith("video/")


@dataclass
class Cdn:
    """The store, and the only one who can sign its links. url: without a slash at its end."""

    clock: Clock
    faults: Faults
    url: str = ""
    link_seconds: float = LINK_SECONDS
    files: dict[int, bytes] = field(default_factory=dict, repr=False)
    _key: bytes = b"the stand-in's own"

    def take(
        self, file_id: int, place: str, upload: Upload, description: str | None = None
    ) -> Attachment:
        """Keep a file. place: `attachments/CHANNEL` or `ephemeral-attachments/APP`."""
        filename = re.sub(r"[^\w.-]", "_", upload.filename) or "unknown"
        content_type = mimetypes.guess_type(filename)[0]
        width, height = _size(upload.data, content_type)
        self.files[file_id] = upload.data
        return Attachment(
            id=file_id,
            place=place,
            filename=filename,
            size=len(upload.data),
            content_type=content_type,
            sha256=hashlib.sha256(upload.data).hexdigest(),
            width=width,
            height=height,
            description=description,
        )

    def read(self, attachment: Attachment) -> bytes:
        return self.files[attachment.id]

    def link(self, attachment: Attachment) -> str:
        path = f"/{attachment.place}/{attachment.id}/{attachment.filename}"
        issued = int(self.clock.now())
        expires = f"{int(issued + self.link_seconds):x}"
        return f"{self.url}{path}?ex={expires}&is={issued:x}&hm={self._sign(path, expires)}&"

    def _sign(self, path: str, expires: str) -> str:
        return hmac.new(self._key, f"{path}?{expires}".encode(), "sha256").hexdigest()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if (fault := self.faults.next("CDN", request.path, 0)) is not None:
            await fault.wait()
        expires, mark = request.query.get("ex", ""), request.query.get("hm", "")
        good = hmac.compare_digest(mark, self._sign(request.path, expires))
        data = self.files.get(int(request.match_info["id"]))
        if not good or data is None or int(expires, 16) < self.clock.now():
            return web.Response(status=404, text="This content is no longer available.")
        kind = mimetypes.guess_type(request.match_info["filename"])[0]
        return web.Response(body=data, content_type=kind or "application/octet-stream")

    def application(self) -> web.Application:
        app = web.Application()
        for folder in ("attachments", "ephemeral-attachments"):
            app.router.add_get(f"/{folder}/{{place}}/{{id:[0-9]+}}/{{filename}}", self._serve)
        return app


def _size(data: bytes, content_type: str | None) -> tuple[int | None, int | None]:
    """Pixels across and down, where the file is what its name says."""
    kind = (content_type or "").partition("/")[0]
    try:
        if kind == "image":
            with Image.open(io.BytesIO(data)) as picture:
                return picture.size
        if kind == "video":
            with av.open(io.BytesIO(data)) as film:
                stream = film.streams.video[0]
                return stream.width, stream.height
    except (OSError, ValueError, IndexError, av.FFmpegError):
        return None, None
    return None, None
