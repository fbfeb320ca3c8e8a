"""Two quick families for the tests of the page: `sketch` draws a ball, `slide` moves a picture.

`slow` is a sketch that never ends, to be watched and cancelled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import cv2
import numpy as np
from PIL import Image

from core.camera import CameraMove
from core.catalog import Cost, Model, Span, Takes
from core.request import Request
from model.family import Frame, Given, Loaded, Step

STEPS = 8


def sketch(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    for done in range(1, STEPS + 1):
        time.sleep(0.03)
        step(done, STEPS, lambda: _ball(request, 0.5))
    for index in range(request.num_frames):
        yield _ball(request, index / request.num_frames)


def slow(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    for done in range(1, 100_000):
        time.sleep(0.05)
        step(min(done, 40), 100, lambda: _ball(request, 0.3))
    yield _ball(request, 0.0)


def slide(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    assert given.first is not None
    with Image.open(given.first) as opened:
        size = (request.width * 5 // 4, request.height * 5 // 4)
        wide = np.asarray(opened.convert("RGB").resize(size))
    spare = wide.shape[1] - request.width
    for index in range(request.num_frames):
        left = spare * index // request.num_frames
        step(index + 1, request.num_frames, None)
        if given.last is not None and index == request.num_frames - 1:
            with Image.open(given.last) as opened:
                yield np.asarray(opened.convert("RGB").resize((request.width, request.height)))
            return
        yield np.ascontiguousarray(wide[: request.height, left : left + request.width])


def _ball(request: Request, phase: float) -> Frame:
    frame = np.full((request.height, request.width, 3), (24, 60, 140), np.uint8)
    radius = request.height // 6
    y = request.height - radius - int(abs(np.sin(phase * 2 * np.pi)) * request.height * 0.5)
    drawn = cv2.circle(frame, (request.width // 2, y), radius, (210, 50, 40), -1, cv2.LINE_AA)
    return cast(Frame, drawn)


SKETCH = Model(
    name="sketch",
    family="drawing",
    summary="draws a ball, whatever you ask",
    licence="none",
    text=True,
    picture=Takes.NOTHING,
    extends=True,
    flags=frozenset({"neg", "draft", "loop"}),
    seconds=Span(0.5, 8, 2),
    resolutions=("144p", "240p"),
    resolution="240p",
    frame_rates=(8,),
    frame_rate=8,
    credits_per_second=4,
    cost=Cost(0.5, 0.02),
)
SLOW = replace(SKETCH, name="slow", summary="never comes to an end", extends=False)
SLIDE = replace(
    SKETCH,
    name="slide",
    summary="camera move, no generative model",
    text=False,
    picture=Takes.NEEDS,
    last_picture=True,
    extends=False,
    flags=frozenset({"camera", "motion"}),
    default_camera=(CameraMove("zoom", "in", 3.0),),
)
MODELS = (SKETCH, SLIDE, SLOW)
_DRAW = {"sketch": sketch, "slow": slow, "slide": slide}


def load(name: str) -> Loaded:
    return cast(Loaded, SimpleNamespace(frames=_DRAW[name]))


FAMILIES = (SimpleNamespace(MODELS=MODELS, load=load),)
