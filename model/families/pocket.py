"""Pocket: the built-in model that turns words into a clip. A miniature of Wan 2.2 TI2V.

Its weights lie beside the code that trained them, with what they were trained on in `kinora.json`.
Where they are missing there is no such model.
"""

from __future__ import annotations

from core.catalog import Model
from model.family import Loaded

MODELS: tuple[Model, ...] = ()


def load(name: str) -> Loaded:
    raise LookupError(name)
