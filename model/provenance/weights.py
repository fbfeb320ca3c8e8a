"""Which weights a model has: a hash of their files, so that a clip can say what drew it."""

from __future__ import annotations

import asyncio
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from model.families import pocket

HASH_CHARS: Final = 16

FOLDERS: Final = {"pocket": pocket.WEIGHTS}
"""Models without weights of their own are not among them."""


async def weights(model: str) -> str:
    """The start of a SHA-256 over all files of weights, in hexadecimal; "" where there are none."""
    folder = FOLDERS.get(model)
    return "" if folder is None else await asyncio.to_thread(_hashed, folder)


@cache
def _hashed(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:HASH_CHARS]
