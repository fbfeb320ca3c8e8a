"""Reading what people send: JSON or a form with a few files, never more than the limits."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn, TypeVar

from aiohttp import BodyPartReader, web

from bots.web.limits import Uploads
from bots.web.problems import Problem
from core import prompt
from core.errors import BadPicture, BadPrompt, NotFound, UserError
from core.inspection import Said
from core.request import Draft

TEXT_MAX_BYTES = 64 * 1024
IMAGES = ("image", "last_image")
"""The parts of a form that are pictures."""

BODY_SECONDS = 120.0
"""How long a body may take to arrive."""

TWO_PICTURES = "A clip has one first picture (image) and one last picture (last_image) at most."
ONE_EACH = "Choose one file for each."

PIECE_BYTES = 1 << 20

Form = TypeVar("Form")

_ID = re.compile(r"[0-9a-z]{12}")
_KEY = re.compile(r"[\x20-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Sent:
    """Fields by name, and files by the names of their parts. names: what the files are called."""

    fields: dict[str, object]
    files: Mapping[str, bytes] = field(default_factory=dict)
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. variant_of: the job whose pictures are to be used again. said: beside the
    words."""

    draft: Draft
    image: bytes | None
    last_image: bytes | None
    variant_of: str | None
    said: Said


@asynccontextmanager
async def reading(
    request: web.Request,
    max_upload_bytes: int,
    uploads: Uploads,
    account_id: int,
    files: Sequence[str] = IMAGES,
) -> AsyncIterator[Sent]:
    """The body of a request, as JSON or a form. What is large holds one of the turns of `uploads`
    until the block is left, so that few files are in memory; words alone never wait. files: the
    parts that are files, each of at most `max_upload_bytes`.

    Raises Problem, UserError or Transient.
    """
    if request.content_type != "multipart/form-data":
        yield Sent(await read_json(request, "application/json or multipart/form-data"))
        return
    _check_plain(request)
    length = request.content_length
    if length is not None and length > len(files) * max_upload_bytes + TEXT_MAX_BYTES:
        raise _too_large(max_upload_bytes, files)
    async with AsyncExitStack() as held:
        if length is None or length > TEXT_MAX_BYTES:
            await held.enter_async_context(uploads.turn(account_id))
        try:
            async with asyncio.timeout(BODY_SECONDS):
                sent = await _read(_parts(request, max_upload_bytes, files))
        except TimeoutError:
            raise _too_slow() from None
        yield sent


@asynccontextmanager
async def spooled(
    request: web.Request, name: str, most: int, uploads: Uploads, account_id: int
) -> AsyncIterator[tuple[dict[str, str], Path | None]]:
    """A form whose one file may be large, and lies on disk until the block is left: its fields, and
    where the file is; None where none was chosen. Holds a turn of `uploads` meanwhile.

    Raises Problem, UserError or Transient.
    """
    _check_plain(request)
    if request.content_type != "multipart/form-data":
        raise Problem(415, "Send multipart/form-data.")
    if (request.content_length or 0) > most + TEXT_MAX_BYTES:
        raise _too_large(most, (name,))
    async with uploads.turn(account_id):
        folder = await asyncio.to_thread(TemporaryDirectory, prefix="kinora-")
        try:
            path = Path(folder.name) / "The file"
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    fields, there = await _read(_spool(request, name, most, path))
            except TimeoutError:
                raise _too_slow() from None
            yield fields, path if there else None
        finally:
            await asyncio.to_thread(folder.cleanup)


def no_file() -> UserError:
    return BadPicture("Choose a file first.")


async def read_json(request: web.Request, wanted: str = "application/json") -> dict[str, object]:
    """The fields of a JSON body; no body has none. Raises Problem."""
    _check_plain(request)
    if not request.can_read_body:
        return {}
    if request.content_type != "application/json":
        raise Problem(415, f"Send {wanted}.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return _object(await _text(request))
    except TimeoutError:
        raise _too_slow() from None


def asked(sent: Sent) -> Asked:
    """The draft behind the fields: `prompt` as typed, flags by name. Raises UserError."""
    fields = dict(sent.fields)
    words = fields.pop("prompt", "")
    variant_of = fields.pop("variant_of", None) or None
    attest = truth(fields.pop("attest", None), "attest")
    if words is not None and not isinstance(words, str):
        raise BadPrompt("prompt wants text.", flag="prompt")
    if variant_of is not None and not (isinstance(variant_of, str) and is_id(variant_of)):
        raise NotFound("There is no such clip.")
    draft = prompt.with_fields(prompt.parse(words or ""), fields)
    image, last_image = (sent.files.get(name) for name in IMAGES)
    return Asked(draft, image, last_image, variant_of, Said(sent.names, attest=attest))


def seconds(fields: dict[str, object]) -> float | None:
    """The one field of an extension."""
    return prompt.with_fields(Draft(), {"seconds": None, **_only(fields, "seconds")}).seconds


def truths(fields: dict[str, object], *names: str) -> tuple[bool, ...]:
    """The fields of a request that are true or false, each false where it is missing. Raises
    BadPrompt."""
    _only(fields, *names)
    return tuple(truth(fields.get(name), name) for name in names)


def truth(value: object, name: str) -> bool:
    """Also as a form has it. Raises BadPrompt."""
    if value is False or value in (None, "", "false"):
        return False
    if value is True or value == "true":
        return True
    raise BadPrompt(f"{name} is true or false.", flag=name, allowed=("true", "false"))


def words(fields: dict[str, object], name: str) -> str:
    """The one field of a request that is text. Raises BadPrompt."""
    said = _only(fields, name).get(name) or ""
    if not isinstance(said, str):
        raise BadPrompt(f"{name} wants text.", flag=name)
    return said


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(400, "An Idempotency-Key has 1 to 255 printable ASCII characters.")
    return key


def _check_plain(request: web.Request) -> None:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "Send the body as it is, not compressed.")


def _only(fields: dict[str, object], *names: str) -> dict[str, object]:
    for other in fields:
        if other not in names:
            known = " and ".join(names)
            raise BadPrompt(f"There is no {other[:40]} here, only {known}.", flag=other[:40])
    return fields


async def _text(request: web.Request) -> bytes:
    if (request.content_length or 0) > TEXT_MAX_BYTES:
        raise _too_long()
    body = bytearray()
    async for chunk in request.content.iter_chunked(TEXT_MAX_BYTES):
        body += chunk
        if len(body) > TEXT_MAX_BYTES:
            raise _too_long()
    return bytes(body)


def _object(body: bytes) -> dict[str, object]:
    if not body:
        return {}
    try:
        given = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not JSON.", "not-json") from None
    if not isinstance(given, dict):
        raise Problem(400, "The body is JSON, but not an object.", "not-json")
    return given


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


async def _read(form: Awaitable[Form]) -> Form:
    try:
        return await form
    except (Problem, BadPicture, BadPrompt, TimeoutError, ConnectionError):
        raise
    except Exception:
        raise Problem(400, "The form could not be read.", "not-a-form") from None


async def _parts(request: web.Request, max_upload_bytes: int, names: Sequence[str]) -> Sent:
    fields: dict[str, object] = {}
    files: dict[str, bytes] = {}
    called: list[str] = []
    left = TEXT_MAX_BYTES
    async for one in await request.multipart():
        part, name = _named(one)
        if name in names:
            data = await _bytes(part, max_upload_bytes)
            if data is None:
                raise _too_large(max_upload_bytes, names)
            if not data and not part.filename:
                continue
            if name in files:
                raise BadPicture(TWO_PICTURES if names == IMAGES else ONE_EACH)
            files[name] = data
            called.append(part.filename or "")
            continue
        if name in fields:
            raise BadPrompt(f"{name[:40]} is there twice: give it once.", flag=name[:40])
        fields[name] = value = await _words(part, left)
        left -= len(value.encode()) + len(name)
    return Sent(fields, files, tuple(filter(None, called)))


async def _spool(
    request: web.Request, name: str, most: int, path: Path
) -> tuple[dict[str, str], bool]:
    """The fields, and whether a file was sent."""
    fields: dict[str, str] = {}
    left, there = TEXT_MAX_BYTES, False
    async for one in await request.multipart():
        part, said = _named(one)
        if said != name:
            fields[said] = value = await _words(part, left)
            left -= len(value.encode()) + len(said)
            continue
        if there:
            raise BadPicture(ONE_EACH)
        size = 0
        with path.open("wb") as file:
            while chunk := await part.read_chunk(PIECE_BYTES):
                size += len(chunk)
                if size > most:
                    raise _too_large(most, (name,))
                await asyncio.to_thread(file.write, chunk)
        there = bool(size or part.filename)
    return fields, there


def _named(part: object) -> tuple[BodyPartReader, str]:
    if not isinstance(part, BodyPartReader) or not part.name:
        raise Problem(400, "Each part of the form needs a name, and is no form itself.")
    return part, part.name


async def _words(part: BodyPartReader, most: int) -> str:
    value = await _bytes(part, most)
    if value is None:
        raise _too_long()
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadPrompt("The text holds broken characters: send it as UTF-8.") from None


async def _bytes(part: BodyPartReader, limit: int) -> bytes | None:
    """What a part holds; None where that is more than `limit` bytes."""
    data = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        data += chunk
        if len(data) > limit:
            return None
    return bytes(data)


def _too_slow() -> Problem:
    return Problem(408, "The body took too long to arrive.")


def _too_long() -> Problem:
    return Problem(413, f"The text can be up to {TEXT_MAX_BYTES // 1024} kB.", "too-large")


def _too_large(limit: int, names: Sequence[str]) -> Problem:
    what = "picture" if names == IMAGES else "file"
    return Problem(413, f"A {what} can be up to {limit / 1e6:g} MB.", "too-large")
