"""Descriptions that platforms publish, kept outside this repository."""

from __future__ import annotations

import os
from pathlib import Path

ENV = "KINORA_TEST_SHARED"


def spec(name: str) -> Path | None:
    """A file of `specs`, where KINORA_TEST_SHARED leads to it."""
    folder = os.environ.get(ENV)
    path = Path(folder or "", "specs", name)
    return path if folder and path.is_file() else None
