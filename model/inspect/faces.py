"""How many faces are in a picture: CenterFace, whose weights lie beside; see weights/README.md.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", arXiv:1911.03599.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.inspect.classifiers import Picture

WEIGHTS: Final = Path(__file__).with_name("weights") / "centerface.onnx"
HEATMAP, SCALE, OFFSET, LANDMARKS = "537", "538", "539", "540"

SIDE: Final = 480
"""Of the square that is looked at; the picture's long side fills it."""

STRIDE: Final = 4
SURE: Final = 0.5
LEAST: Final = 28
"""The long side of a face that counts, of SIDE: whoever is smaller is nobody's portrait."""

OVERLAP: Final = 0.3


class Faces:
    def __init__(self) -> None:
        self._net = cv2.dnn.readNetFromONNX(str(WEIGHTS))

    def count(self, picture: Picture) -> int:
        self._net.setInput(_square(picture))
        heatmap, scale, offset, _ = self._net.forward([HEATMAP, SCALE, OFFSET, LANDMARKS])
        boxes, scores = _boxes(heatmap[0, 0], scale[0], offset[0])
        kept = cv2.dnn.NMSBoxes(boxes, scores, SURE, OVERLAP) if boxes else ()
        return len(kept)


def _square(picture: Picture) -> NDArray[np.float32]:
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(square.transpose(2, 0, 1)[None], np.float32)


def _boxes(
    heatmap: NDArray[np.float32], scale: NDArray[np.float32], offset: NDArray[np.float32]
) -> tuple[list[list[int]], list[float]]:
    """x, y, width and height in pixels of the square, and how sure each is."""
    boxes, scores = [], []
    for down, across in zip(*np.nonzero(heatmap > SURE), strict=True):
        high, wide = np.exp(scale[:, down, across]) * STRIDE
        if max(high, wide) < LEAST:
            continue
        y, x = (np.array([down, across]) + offset[:, down, across] + 0.5) * STRIDE
        boxes.append([int(x - wide / 2), int(y - high / 2), int(wide), int(high)])
        scores.append(float(heatmap[down, across]))
    return boxes, scores
