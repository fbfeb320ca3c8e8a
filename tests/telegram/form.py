"""A request's fields and files, however they came: in the query, as a form, JSON or multipart.

A file is a part named after its field, or `attach://NAME` in the field; both are taken.
https://core.telegram.org/bots/api#making-requests"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web

from tests.telegram.files import Files, Upload
from tests.telegram.refusals import Malformed, Refused

Json = dict[str, Any]
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Form:
    """fields: as they came, strings but for JSON."""

    fields: Json
    uploads: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        value = self.fields.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def flag(self, name: str) -> bool:
        return str(self.fields.get(name, "")).lower() in ("true", "1", "yes")

    def number(self, name: str, default: int = 0) -> int:
        """Raises: Malformed: it is none."""
        try:
            return int(self.fields.get(name) or default)
        except (TypeError, ValueError):
            raise Malformed(f"field {name} must be a number") from None

    def json(self, name: str) -> Any:
        """A nested value, or None. Raises: Malformed: it can't be read."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise Malformed(f"can't parse {name}: it is no JSON") from None

    def upload(self, name: str, value: Any = None) -> Upload | None:
        """The file that a field is or leads to, or None. value: of a nested field.

        Raises:
            Malformed: it leads to no part.
        """
        if value is None and name in self.uploads:
            return self.uploads[name]
        value = self.fields.get(name) if value is None else value
        if not isinstance(value, str) or not value.startswith("attach://"):
            return None
        part = value.removeprefix("attach://")
        if part not in self.uploads:
            raise Malformed(f"{name}: no file is attached as {part}")
        return self.uploads[part]

    def local(self, files: Files, value: Any) -> Upload | None:
        """A file of this machine, which a local server alone may be led to."""
        if files.local is None or not isinstance(value, str) or not value.startswith("file://"):
            return None
        path = Path(value.removeprefix("file://"))
        return Upload(path.name, path.read_bytes())


async def read(request: web.Request, limit: int, rest: Callable[[int], Any]) -> Form:
    """The whole request. limit: bytes of its files together; rest: awaited after each chunk, with
    its size.

    Raises:
        Refused: 413, too large.
        Malformed: it can't be read.
    """
    fields: Json = dict(request.query)
    kind = request.content_type
    if not request.body_exists:
        return Form(fields)
    if kind == "multipart/form-data":
        uploads: dict[str, Upload] = {}
        left = limit
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise Malformed("a multipart within a multipart")
            data = await _part(part, left, rest)
            if part.filename is None:
                fields[part.name or ""] = data.decode()
            else:
                left -= len(data)
                mime = part.headers.get("Content-Type", "application/octet-stream")
                uploads[part.name or ""] = Upload(part.filename, data, mime)
        return Form(fields, uploads)
    if kind == "application/json":
        try:
            return Form(fields | (json.loads(await request.read() or b"{}") or {}))
        except ValueError:
            raise Malformed("the body is no JSON") from None
    return Form(fields | {k: str(v) for k, v in (await request.post()).items()})


async def _part(part: BodyPartReader, left: int, rest: Callable[[int], Any]) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(CHUNK_BYTES):
        data += chunk
        await rest(len(chunk))
        if len(data) > left:
            raise Refused(code=413)
    return bytes(data)
