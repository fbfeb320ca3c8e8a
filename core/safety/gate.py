"""The gate: words, pictures and clips go in, a verdict comes out; where it can't look, it refuses.

Rules are pure and here; what needs a model looks through an `Inspector`, in processes of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from core.safety.level import Level
from core.safety.verdict import Clause, Finding, Ruling, Verdict

WORDS_SECONDS = 10.0
PICTURE_SECONDS = 30.0
CLIP_SECONDS = 300.0
"""How long a look may take; what takes longer refuses."""

log = logging.getLogger("kinora.safety")


@dataclass(frozen=True, slots=True)
class Words:
    """All that somebody wrote for a clip. names: of files, of people, of whatever else is shown."""

    prompt: str
    negative_prompt: str = ""
    names: tuple[str, ...] = ()


NOTHING = Words("")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a picture, or of a clip. scores: 0 to 1, the highest of all frames; at: when
    that was, in seconds. hashes: perceptual, of the picture or of sampled frames, as hexadecimal.
    faces: at most in one frame."""

    scores: Mapping[Clause, float] = field(default_factory=dict)
    hashes: tuple[str, ...] = ()
    faces: int = 0
    at: float = 0.0


class Inspector(Protocol):
    """What looks by models. Each raises where it could not look, whatever the reason."""

    async def words(self, text: str) -> Mapping[Clause, float]:
        """How sure the head is of each clause, 0 to 1. text: as it was typed."""
        ...

    async def picture(self, jpeg: bytes) -> Seen: ...

    async def clip(self, video: Path) -> Seen: ...


class Policy(Protocol):
    """What follows from what is read and seen, at a level. Pure, and quick."""

    def read(self, words: Words, level: Level) -> Verdict:
        """By rules and lists alone."""
        ...

    def spared(self, text: str) -> str:
        """What the head is to feel of a text: without what rules or an operator allow."""
        ...

    def felt(
        self, scores: Mapping[Clause, float], where: str, level: Level, words: Words
    ) -> Verdict:
        """By the head."""
        ...

    def seen(self, seen: Seen, where: str, level: Level, words: Words) -> Verdict:
        """By classifiers and the blocklist, beside the words that it was asked for with; called in
        a thread, as that may be long."""
        ...


@dataclass(frozen=True, slots=True)
class Sight:
    """A verdict on a picture or clip, with what was seen; None where nothing could be."""

    verdict: Verdict
    seen: Seen | None


async def _nothing() -> None:
    pass


class Gate:
    """policy: asked for anew each time, as operators edit it. renewed: awaited before a policy
    judges what was seen, as others may block pictures."""

    def __init__(
        self,
        inspector: Inspector,
        policy: Callable[[], Policy],
        renewed: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._inspector = inspector
        self._policy = policy
        self._renewed = renewed

    async def words(self, words: Words, level: Level) -> Verdict:
        async def look() -> Verdict:
            policy = self._policy()
            verdict = await asyncio.to_thread(policy.read, words, level)
            if verdict.ruling is Ruling.REFUSE:
                return verdict
            prompt = await asyncio.to_thread(policy.spared, words.prompt)
            if not prompt.strip():
                return verdict
            scores = await self._inspector.words(prompt)
            return verdict + await asyncio.to_thread(policy.felt, scores, "prompt", level, words)

        return await _sure(look(), WORDS_SECONDS, "prompt")

    async def picture(self, jpeg: bytes, level: Level, words: Words = NOTHING) -> Sight:
        """words: that it is to be shown with."""
        looking = self._inspector.picture(jpeg)
        return await self._look(looking, PICTURE_SECONDS, "picture", level, words)

    async def clip(self, video: Path, level: Level, words: Words = NOTHING) -> Sight:
        """words: that it was made from."""
        looking = self._inspector.clip(video)
        return await self._look(looking, CLIP_SECONDS, "clip", level, words)

    async def _look(
        self, looking: Awaitable[Seen], seconds: float, where: str, level: Level, words: Words
    ) -> Sight:
        seen: Seen | None = None

        async def look() -> Verdict:
            nonlocal seen
            seen = await looking
            await self._renewed()
            at = f"{where} at {seen.at:.1f} s" if where == "clip" else where
            return await asyncio.to_thread(self._policy().seen, seen, at, level, words)

        verdict = await _sure(look(), seconds, where)
        return Sight(verdict, seen)


async def _sure(look: Awaitable[Verdict], seconds: float, where: str) -> Verdict:
    """Its verdict; a refusal where none comes."""
    try:
        async with asyncio.timeout(seconds):
            return await look
    except Exception as error:
        log.error("the gate for a %s failed: %s", where, type(error).__name__)
        return Verdict((Finding(Clause.UNCHECKED, Ruling.REFUSE, where),))
