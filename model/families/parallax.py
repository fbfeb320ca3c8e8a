"""parallax: a person's own picture, moved by a camera.

No generative model: the picture is warped in two and a half dimensions (`model.layers` guesses
its depth, `model.motion` knows the moves). It imagines nothing, and needs no more than a CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from core import camera
from core.camera import CameraMove
from core.catalog import Cost, Model, Span, Takes
from core.request import Request
from model.family import Frame, Given, Loaded, Step

DEFAULT_CAMERA: Final = (CameraMove("zoom", "in", 3.0),)

DRAWS_NOTHING: Final = "parallax only moves a camera: it draws nothing new."
"""Said where the words speak of something else than a camera."""


def remarks(request: Request) -> tuple[str, ...]:
    told = request.prompt and request.camera == DEFAULT_CAMERA and not camera.find(request.prompt)
    return (DRAWS_NOTHING,) if told else ()


MODELS: Final = (
    Model(
        name="parallax",
        family="parallax",
        summary="Moves a camera over your own picture: no generative model, no GPU.",
        licence="Apache-2.0",
        text=False,
        picture=Takes.NEEDS,
        extends=True,
        flags=frozenset({"camera", "motion", "fps", "loop", "draft"}),
        seconds=Span(1, 60, 5),
        resolutions=("480p", "720p", "1080p"),
        resolution="720p",
        frame_rates=(12, 16, 24, 25, 30, 50, 60),
        frame_rate=24,
        credits_per_second=0.2,
        cost=Cost(fixed=1.5, per_megapixel_frame=0.025),
        default_camera=DEFAULT_CAMERA,
        remarks=remarks,
    ),
)


def load(name: str) -> Loaded:
    """Ready at once. Raises ValueError for a name that is not in MODELS."""
    if name not in {model.name for model in MODELS}:
        raise ValueError(f"parallax knows no model {name!r}")
    return Parallax()


class Parallax:
    def frames(self, request: Request, given: Given, step: Step) -> Iterator[Frame]:
        """As `Loaded.frames`. Raises ValueError where there is no picture, or not a readable one.

        The first frame is the picture, cropped to the request's shape; a move outward ends with it
        instead, unless it goes on from an earlier clip.
        """
        import cv2
        import numpy as np

        from model import video
        from model.motion import Shot
        from model.scene import Scene

        if given.before is not None:
            image = video.last_frame(given.before)
        elif given.first is not None:
            read = cv2.imread(str(given.first), cv2.IMREAD_COLOR_RGB)
            if read is None:
                raise ValueError(f"{given.first.name} is not a readable picture")
            image = np.asarray(read, np.uint8)
        else:
            raise ValueError("parallax needs a picture")
        shot = Shot(
            moves=request.camera,
            seconds=request.seconds,
            motion=request.motion,
            seed=request.seed,
            loop=request.loop,
            grows=request.continues is not None,
        )
        scene = Scene(image, shot, request.width, request.height, draft=request.draft)
        last = max(1, request.num_frames - 1)
        for index in range(request.num_frames):
            frame = scene.seen(index / last)
            step(index + 1, request.num_frames, partial(_same, frame))
            yield frame


def _same(frame: Frame) -> Frame:
    return frame
