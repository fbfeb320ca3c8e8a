"""A family without weights, for the tests of the engine: each model does one thing, well or badly.

A model's name is its function's; `tiny-wan` is real, with random weights.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
from PIL import Image

from core.catalog import Cost, Model, Span, Takes
from core.errors import BadPicture
from core.request import Request
from model import video
from model.families import parallax, wan
from model.family import Frame, Given, Loaded, Step
from tests.model import tiny_wan

GREY = 200
"""What `quick` draws where there is no picture."""


def quick(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    """One colour, in twenty steps: that of the picture's first pixel. Chatters meanwhile."""
    print("chatter that belongs to nobody", flush=True)
    os.write(1, b'{"kind":"Stopped"}\n')
    frame = np.full((request.height, request.width, 3), GREY, np.uint8)
    if given.before is not None:
        frame[:] = video.last_frame(given.before)[0, 0]
    for picture in (given.first, given.last):
        if picture is not None:
            with Image.open(picture) as opened:
                frame[:] = np.asarray(opened.convert("RGB"))[0, 0]
            break
    for done in range(1, 21):
        time.sleep(0.02)
        step(done, 20, lambda: frame)
    for _ in range(request.num_frames):
        yield frame


def endless(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    for done in range(1_000_000):
        time.sleep(0.01)
        step(done, 1_000_000, None)
    yield np.zeros((request.height, request.width, 3), np.uint8)


def deaf(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    """Takes one step and never looks up again."""
    step(1, 2, None)
    while True:
        time.sleep(0.05)


def poison(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    """Fails, and gives away the words that it was asked for."""
    raise ValueError(f"cannot digest {request.prompt}")


def particular(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    raise BadPicture("That picture is upside down.")


def hungry(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    """Asks for more memory than there is."""
    step(1, 2, None)
    return iter(np.empty((1 << 40, 1 << 10), np.uint8))


def crash(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    """Takes the whole process down."""
    step(1, 2, None)
    print("about to crash", file=sys.stderr, flush=True)
    os._exit(7)


def short(request: Request, given: Given, step: Step) -> Iterator[Frame]:
    """Makes a frame less than was asked for."""
    for _ in range(request.num_frames - 1):
        yield np.zeros((request.height, request.width, 3), np.uint8)


BEHAVIOURS = {
    behaviour.__name__: behaviour
    for behaviour in (quick, endless, deaf, poison, particular, hungry, crash, short)
}


def entry(name: str) -> Model:
    return Model(
        name=name,
        family="standin",
        summary="a stand-in",
        licence="none",
        text=True,
        picture=Takes.MAYBE,
        extends=True,
        flags=frozenset(),
        seconds=Span(0.1, 10, 1),
        resolutions=("64p",),
        resolution="64p",
        frame_rates=(8,),
        frame_rate=8,
        credits_per_second=1,
        cost=Cost(0.1, 0.1),
    )


MODELS = tuple(entry(name) for name in (*BEHAVIOURS, "tiny-wan"))


def load(name: str) -> Loaded:
    if name == "tiny-wan":
        with tempfile.TemporaryDirectory() as folder:
            tiny_wan.save(Path(folder))
            return wan.load(wan.Checkpoint(folder, sizes=((64, 64),), max_sequence_length=16))
    return cast(Loaded, SimpleNamespace(frames=BEHAVIOURS[name]))


FAMILIES = (SimpleNamespace(MODELS=MODELS, load=load), parallax)
