"""An engine that a test winds by hand, with real clips, in place of a runner."""

from __future__ import annotations

import asyncio
import struct
from typing import Self

import numpy as np
from PIL import Image

from core.engine import Progressed as Progress
from core.engine import Rendered, Spec, Stage
from model import video
from model.family import Frame
from tests.core.scripted import ScriptedEngine


class Projector(ScriptedEngine):
    """`async with` it, as the house does. Clips are real, and of the size that is asked for."""

    alive = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def show(self, job_id: str, attempt: int, step: int, steps: int, preview: bytes) -> None:
        """Progress with a preview."""
        self._say(Progress(job_id, attempt, self._next(), Stage.RENDERING, step, steps, preview))

    def encode(self, job_id: str, attempt: int) -> None:
        """All frames are there."""
        self._say(Progress(job_id, attempt, self._next(), Stage.ENCODING, 0, 0))

    async def finish(
        self,
        job_id: str,
        attempt: int,
        spec: Spec,
        *,
        noise: bool = False,
        num_frames: int = 9,
        still: Image.Image | None = None,
        size: int = 0,
    ) -> None:
        """Leave a clip behind. noise: one that is large for what it shows; still: what it shows;
        size: bytes that it has at least, of which a player passes over most."""
        path, poster = spec.folder / "clip.mp4", spec.folder / "poster.jpg"
        request = spec.request

        def write() -> None:
            frames = _frames(request.width, request.height, num_frames, noise)
            if still is not None:
                drawn = np.asarray(still.resize((request.width, request.height)), np.uint8)
                frames = [drawn] * num_frames
            video.write(path, iter(frames), request.frame_rate, request.width, request.height)
            video.write_poster(poster, frames[0])
            if (spare := size - path.stat().st_size) > 0:
                with path.open("ab") as file:
                    file.write(struct.pack(">I4s", spare + 8, b"free") + bytes(spare))

        await asyncio.to_thread(write)
        self._end(
            Rendered(
                job_id, attempt, self._next(), path, poster, request.width,
                request.height, num_frames, request.frame_rate, 1.0,
            )
        )  # fmt: skip


class Reel(Projector):
    """Winds itself: every clip is done at once, but those of the model `slow`, which go on until
    they are cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self._winding: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._winding = asyncio.create_task(self._wind())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._winding is not None:
            self._winding.cancel()
            await asyncio.wait([self._winding])

    async def _wind(self) -> None:
        while True:
            job_id, attempt, spec = await self.started.get()
            self.progress(job_id, attempt, 3, 8)
            if spec.request.model == "slow":
                while await self.asked_to_stop.get() != (job_id, attempt):
                    pass
                self.stop(job_id, attempt)
            else:
                frames = spec.request.num_frames
                await self.finish(job_id, attempt, spec, num_frames=frames)


def _frames(width: int, height: int, count: int, noise: bool) -> list[Frame]:
    if noise:
        drawn = np.random.default_rng(7).integers(0, 255, (8, height, width, 3), np.uint8)
        return [drawn[index % 8] for index in range(count)]
    return [np.full((height, width, 3), 40 + index, np.uint8) for index in range(count)]
