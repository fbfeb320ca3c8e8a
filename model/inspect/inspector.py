"""Looks for the gate, in two limited processes: words need not wait for pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from core.safety.gate import Seen
from core.safety.verdict import Clause
from model.inspect.process import Process

TEXT, SIGHT = "model.inspect.text_child", "model.inspect.sight_child"
TEXT_BYTES: Final = 1 << 30
SIGHT_BYTES: Final = 2 << 30
"""Of address space; what they really take is about a fifth."""

TEXT_SECONDS: Final = 5.0
SIGHT_SECONDS: Final = 20.0
"""For an answer. A clip takes many."""


class LocalInspector:
    """`core.safety.gate.Inspector`. Use it as an async context; both processes start then, and
    nobody waits for them but who asks before they are ready.

    Everything that is asked raises `model.inspect.process.CouldNotLook` where no answer comes.
    text, sight: modules that answer; sight_seconds: for each answer about a picture or a clip.
    """

    def __init__(
        self, *, text: str = TEXT, sight: str = SIGHT, sight_seconds: float = SIGHT_SECONDS
    ) -> None:
        self._text = Process(text, memory_bytes=TEXT_BYTES, answer_seconds=TEXT_SECONDS)
        self._sight = Process(sight, memory_bytes=SIGHT_BYTES, answer_seconds=sight_seconds)
        self._one_clip = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._text.warm()
        self._sight.warm()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End both processes, whatever they do. Without a context they start when asked."""
        await asyncio.gather(self._text.close(), self._sight.close())

    async def faults(self) -> list[str]:
        """What can't be looked at, in words, once both processes are up; [] where all is well."""
        asks = {
            "words": self._text.ask({}, b"a red balloon"),
            "pictures and clips": self._sight.started(),
        }
        answers = await asyncio.gather(*asks.values(), return_exceptions=True)
        return [what for what, answer in zip(asks, answers, strict=True)
                if isinstance(answer, Exception)]  # fmt: skip

    @property
    def pids(self) -> tuple[int | None, int | None]:
        """Of the processes for text and for sight; None while one is not ready."""
        return self._text.pid, self._sight.pid

    async def words(self, text: str) -> Mapping[Clause, float]:
        answer = await self._text.ask({}, text.encode())
        return _scores(answer["scores"])

    async def picture(self, jpeg: bytes) -> Seen:
        answer = await self._sight.ask({"look": "picture"}, jpeg)
        return _seen(answer["seen"])

    async def clip(self, video: Path) -> Seen:
        """Pictures that come meanwhile get their turn."""
        async with self._one_clip:
            answer = await self._sight.ask({"look": "clip"}, video)
            while "seen" not in answer:
                answer = await self._sight.ask({"look": "on"})
        return _seen(answer["seen"])


def _scores(said: Mapping[str, Any]) -> dict[Clause, float]:
    return {Clause(name): float(score) for name, score in said.items()}


def _seen(said: Mapping[str, Any]) -> Seen:
    return Seen(
        scores=_scores(said["scores"]),
        hashes=tuple(said["hashes"]),
        faces=int(said["faces"]),
        at=float(said["at"]),
    )
