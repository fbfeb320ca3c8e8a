"""C2PA's own reader, as anybody else has it: it knows nothing of Kinora."""

from __future__ import annotations

import io
from typing import Any

import c2pa


def manifest(data: bytes, kind: str = "video/mp4") -> tuple[str | None, dict[str, Any]]:
    """How the file's manifest stands, and what it says: (None, {}) where there is none."""
    reader = c2pa.Reader.try_create(kind, io.BytesIO(data))
    if reader is None:
        return None, {}
    with reader:
        return reader.get_validation_state(), reader.get_active_manifest() or {}


def assertion(said: dict[str, Any], label: str) -> Any:
    return next(one["data"] for one in said["assertions"] if one["label"] == label)


def actions(said: dict[str, Any]) -> list[dict[str, Any]]:
    found = assertion(said, "c2pa.actions.v2")["actions"]
    assert isinstance(found, list)
    return found
