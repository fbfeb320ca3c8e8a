"""Where any file came from: by the manifest that this Kinora signed, or else by the mark in its
frames, or else nobody knows."""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from core.errors import Transient, UserError
from core.job import Job
from core.ports import DecodedPicture, DecodePicture, Jobs
from core.provenance import JUMBF, VERIFIED_MAX_BYTES, Finding, Marks, Proof
from model.inspect.process import CouldNotLook, Process
from model.provenance.certificate import Signature

MEMORY_BYTES: Final = 3 << 30
ANSWER_SECONDS: Final = 60.0
MARKS_SECONDS: Final = 10.0
WAITING_MOST: Final = 8
RETRY_SECONDS: Final = 20.0

UNREADABLE = "That is no file I can look into: send an MP4, WebM, GIF, JPEG, PNG or WebP."


class Verifier:
    """`verify` is `core.provenance.Verify`. Use it as an async context; its processes start with
    the first file that somebody asks about, and with the first picture that says something of
    itself, which doesn't wait for those."""

    def __init__(self, signature: Signature, marks: Marks, jobs: Jobs) -> None:
        self._signature = signature
        self._marks = marks
        self._jobs = jobs
        self._files, self._pictures = (
            Process("model.provenance.reading", memory_bytes=MEMORY_BYTES, answer_seconds=seconds)
            for seconds in (ANSWER_SECONDS, MARKS_SECONDS)
        )
        self._waiting = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._files.close()
        await self._pictures.close()

    async def verify(self, file: bytes | Path) -> Finding:
        size = len(file) if isinstance(file, bytes) else (await _size(file))
        if size == 0:
            raise UserError("The file is empty.")
        if size > VERIFIED_MAX_BYTES:
            most = VERIFIED_MAX_BYTES // 1_000_000
            raise UserError(f"A file can have up to {most} MB; this one has {size / 1e6:.3g}.")
        if self._waiting >= WAITING_MOST:
            raise Transient("too many files at once", RETRY_SECONDS)
        self._waiting += 1
        try:
            said = await self._files.ask(
                {
                    "ask": "verify",
                    "anchors": self._signature.anchors,
                    "known": sorted(self._signature.known),
                },
                file,
            )
        except CouldNotLook:
            raise UserError(UNREADABLE) from None
        finally:
            self._waiting -= 1
        return await self._found(said)

    def marking(self, decode: DecodePicture) -> DecodePicture:
        """The same, with what a picture's own manifest says of it."""

        async def marking(data: bytes) -> DecodedPicture:
            decoded = await decode(data)
            if JUMBF not in data:
                return decoded
            with suppress(CouldNotLook):
                said = await self._pictures.ask({"ask": "marks"}, data)
                if said["archive"]:
                    marks = base64.b64decode(said["archive"])
                    return DecodedPicture(decoded.data, decoded.width, decoded.height, marks)
            return decoded

        return marking

    async def _found(self, said: dict[str, Any]) -> Finding:
        told = said["manifest"]
        if told is not None and told["valid"] and told["serial"] in self._signature.known:
            clip = told["clip"]
            job_id = str(clip.get("job", ""))
            return Finding(
                Proof.MANIFEST,
                job_id,
                _moment(clip.get("at")),
                str((clip.get("model") or {}).get("name", "")),
                job=await self._jobs.job(job_id),
                recipe=str(clip.get("recipe", "")),
            )
        broken = told is not None and not told["valid"]
        signer = told["signer"] if told is not None and told["valid"] else ""
        if not said["kind"] and told is None:
            raise UserError(UNREADABLE)
        job = await self._marks.job(said["words"]) if said["words"] else None
        if job is None:
            return Finding(Proof.NOTHING, broken=broken, signer=signer)
        return Finding(Proof.WATERMARK, job.id, _made(job), job.request.model, broken, signer, job)


def _made(job: Job) -> datetime:
    return job.ended_at or job.created_at


def _moment(said: object) -> datetime | None:
    with suppress(ValueError):
        moment = datetime.fromisoformat(str(said))
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


async def _size(path: Path) -> int:
    try:
        return (await asyncio.to_thread(path.stat)).st_size
    except OSError as error:
        raise UserError(f"{path.name} can't be read: {error.strerror}.") from None
