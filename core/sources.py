"""What a clip begins with: pictures on disk, and the clip that it goes on from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.engine import Spec
from core.errors import NotFound
from core.job import Job
from core.ports import DecodedPicture, Files, Jobs
from core.replay import digest
from core.request import Picture, Request, Stored

PICTURE_GONE = "The picture is no longer stored. Send it again."
RECIPE_PICTURE_GONE = (
    "The picture of this recipe is not stored here, or not yours to use: send it along with the "
    "recipe."
)
UNSEEN_SIDES = 1280, 720
CLIP_GONE = "The clip that this one goes on from is no longer stored."


class Sources:
    def __init__(self, jobs: Jobs, files: Files) -> None:
        self._jobs = jobs
        self._files = files

    async def check(self, request: Request) -> None:
        """Raises NotFound where something of it is gone."""
        for picture in request.pictures:
            await self.picture(picture)
        await self._before(request)

    async def picture(self, picture: str) -> Path:
        """Where it lies, from now on for as long as one that came now. Raises NotFound."""
        path = await self._files.renew_picture(picture)
        if path is None:
            raise NotFound(PICTURE_GONE)
        return path

    async def named(self, stored: Stored) -> Picture:
        """A picture that a recipe names. Raises NotFound, also where it is another."""
        path = await self._files.renew_picture(stored.id) if stored.id else None
        if path is None or await asyncio.to_thread(digest, path) != stored.digest:
            raise NotFound(RECIPE_PICTURE_GONE)
        return Picture(stored.id, *UNSEEN_SIDES)

    async def keep(self, given: Mapping[str, DecodedPicture | Picture | None]) -> dict[str, str]:
        """Store what is new: the ids, by the names that the pictures came with."""
        new: dict[str, str] = {}
        try:
            for name, one in given.items():
                if isinstance(one, DecodedPicture):
                    kept = await self._files.keep_picture(
                        one.data, one.width, one.height, one.marks
                    )
                    new[name] = kept.id
        except Exception:
            await self.drop(new.values())
            raise
        return new

    async def drop(self, pictures: Iterable[str]) -> None:
        for picture in pictures:
            await self._files.drop_picture(picture)

    async def spec(self, job: Job) -> Spec:
        """All that a runner is told of an attempt. Raises NotFound, as `check`."""
        request = job.request
        paths = {picture: await self.picture(picture) for picture in request.pictures}
        previous = await self._before(request)
        return Spec(
            request,
            await self._files.new_folder(job.id, job.attempt),
            picture=paths.get(request.picture or ""),
            previous=previous,
            last_picture=paths.get(request.last_picture or ""),
        )

    async def _before(self, request: Request) -> Path | None:
        """The clip that it goes on from, if it does. Raises NotFound."""
        if request.continues is None:
            return None
        before = await self._jobs.job(request.continues)
        if before is None or before.clip is None:
            raise NotFound(CLIP_GONE)
        return before.clip.video


async def dropped(job: Job, jobs: Jobs, files: Files) -> None:
    """What lies on disk of a job that was deleted, as it was before: its clip goes, also one that
    was finished only just before it was deleted, and each picture that no other job needs."""
    await files.drop_clips(job.id)
    for picture in job.request.pictures:
        if not await jobs.needs_picture(picture):
            await files.drop_picture(picture)


def pictures_of(request: Request) -> tuple[Picture | None, Picture | None]:
    """The first and the last picture of a request, with the sides of its frames."""
    first, last = (
        None if picture is None else Picture(picture, request.width, request.height)
        for picture in (request.picture, request.last_picture)
    )
    return first, last


def unseen(picture: bytes | DecodedPicture | Picture | Stored | None) -> Picture | None:
    """What a quote may know of a picture before it is stored."""
    match picture:
        case bytes() | Stored():
            return Picture("", *UNSEEN_SIDES)
        case DecodedPicture():
            return Picture("", picture.width, picture.height)
    return picture
