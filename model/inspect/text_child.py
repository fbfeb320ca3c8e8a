"""What the text child answers: how sure the head is of each clause. See `model.inspect.child`.

{} and words in UTF-8 → {"scores": {"sexual": 0.02, …}}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from model.inspect.head import Head


def opened() -> Callable[[dict[str, Any], bytes], dict[str, Any]]:
    head = Head.load()

    def answer(question: dict[str, Any], data: bytes) -> dict[str, Any]:
        return {"scores": dict(head.scores(data.decode()))}

    return answer
