"""What a model family gives to the runner.

A family module exports `MODELS: tuple[core.catalog.Model, ...]` and `load(name) -> Loaded`;
heavy imports such as torch happen inside `load`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.request import Request

Frame = NDArray[np.uint8]
"""One picture: (height, width, 3), RGB."""


class Cancelled(Exception):
    """Raised by `Step` once the attempt was asked to stop; let it pass."""


Step = Callable[[int, int, Callable[[], Frame] | None], None]
"""step(done, of, preview): called after each step of work. preview makes a picture of how the
clip looks so far (any size), and is only called when somebody may want to see it."""


@dataclass(frozen=True, slots=True)
class Given:
    """The frames that a clip is to be made around.

    first, last: safe files with the first frame and the last, already upright and RGB.
    before: the clip that this one continues, an MP4 of ours; its last frame is the first one here.
    """

    first: Path | None = None
    last: Path | None = None
    before: Path | None = None


NOTHING_GIVEN = Given()


class Loaded(Protocol):
    """A model in memory, ready to render."""

    def frames(self, request: Request, given: Given, step: Step) -> Iterator[Frame]:
        """Yield exactly request.num_frames frames of request.height × request.width, as they
        are made."""
        ...
