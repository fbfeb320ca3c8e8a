"""What the text child answers: how sure the head is of each clause. See `model.inspect.child`.

{} and words in UTF-8 → {"scores": {"sexual": 0.02, …}}
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from core.safety.verdict import Clause


def opened() -> Callable[[dict[str, Any], bytes], dict[str, Any]]:
    """Having felt for something, so that nothing is left to be loaded."""
    head: Callable[[str], Mapping[Clause, float]]
    head = importlib.import_module("model.inspect.head").opened()
    head("a red balloon")

    def answer(question: dict[str, Any], data: bytes) -> dict[str, Any]:
        return {"scores": dict(head(data.decode()))}

    return answer
