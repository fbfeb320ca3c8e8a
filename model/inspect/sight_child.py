"""What the sight child answers: what it sees in a picture or a clip. See `model.inspect.child`.

{"look": "picture"} and a JPEG  → {"seen": {"scores": …, "hashes": […], "faces": 1, "at": 0.0}}
{"look": "clip"} and an MP4     → {"more": true}, then to each {"look": "on"} the same, until
                                  {"seen": …}, so that pictures need not wait for a whole clip
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any, Final

import av
import av.video.stream
import cv2
import numpy as np
from PIL import Image

from core.safety.verdict import Clause
from model.inspect.classifiers import Classifiers, Picture
from model.inspect.faces import Faces
from model.inspect.hashes import hashes, is_new
from model.inspect.sampling import samples

LONG_SIDE: Final = 640
"""Of a picture, in pixels; what is larger is made smaller, while it is decoded as far as can be."""

TURN_SECONDS: Final = 0.15
"""How long a clip is looked at before others get a turn."""

MAX_PIXELS: Final = 25_000_000


class Sight:
    def __init__(self) -> None:
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        cv2.setNumThreads(1)
        self._classifiers = Classifiers()
        self._faces = Faces()
        self._clip: Iterator[dict[str, Any] | None] | None = None

    def __call__(self, question: dict[str, Any], data: bytes) -> dict[str, Any]:
        match question["look"]:
            case "picture":
                return {"seen": self.picture(opened_picture(data))}
            case "clip":
                self._clip = self._looking(data)
        if self._clip is None:
            raise ValueError("no clip is being looked at")
        turn_ends = time.monotonic() + TURN_SECONDS
        for seen in self._clip:
            if seen is not None:
                self._clip = None
                return {"seen": seen}
            if time.monotonic() >= turn_ends:
                break
        return {"more": True}

    def picture(self, picture: Picture) -> dict[str, Any]:
        return {
            "scores": self._classifiers.scores(picture),
            "hashes": hashes(picture),
            "faces": self._faces.count(picture),
            "at": 0.0,
        }

    def _looking(self, mp4: bytes) -> Iterator[dict[str, Any] | None]:
        """None until all is seen. scores: the highest; at: when the highest of all was. Faces are
        not looked for: whose they are was asked of the pictures that went in."""
        highest: dict[Clause, float] = {}
        kept: list[str] = []
        at = most = 0.0
        for sample in samples(mp4):
            if sample is not None:
                scores = self._classifiers.scores(sample.picture)
                if max(scores.values()) > most:
                    at, most = sample.at, max(scores.values())
                highest = {c: max(s, highest.get(c, 0.0)) for c, s in scores.items()}
                if is_new(found := hashes(sample.picture), kept):
                    kept += found
            yield None
        yield {"scores": highest, "hashes": kept, "faces": 0, "at": at}


def opened() -> Sight:
    """Having looked at a picture and a clip, so that nothing is left to be loaded."""
    sight = Sight()
    drawn = np.random.default_rng(1).integers(0, 255, (64, 96, 3), np.uint8)
    jpeg = io.BytesIO()
    Image.fromarray(drawn).save(jpeg, "JPEG")
    sight({"look": "picture"}, jpeg.getvalue())
    answer = sight({"look": "clip"}, film(drawn))
    while "seen" not in answer:
        answer = sight({"look": "on"}, b"")
    return sight


def opened_picture(jpeg: bytes) -> Picture:
    """Raises what Pillow raises on anything but a JPEG."""
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        image.draft("RGB", _within(*image.size))
        picture = np.asarray(image.convert("RGB"), np.uint8)
    size = _within(picture.shape[1], picture.shape[0])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _within(width: int, height: int) -> tuple[int, int]:
    """The sides at which the longer one is LONG_SIDE at most."""
    scale = min(1.0, LONG_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def film(picture: Picture) -> bytes:
    """An MP4 of one frame."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24, options={"threads": "1"})
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()
