"""What the gates make of words and files, for whoever tunes them: what `kinora check` does.

Wires the gates alone, apart from the composition root, so that a shell need not wait for the rest.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bots.gates import thresholds_of, whole_rulebook
from bots.settings import Settings
from core.errors import BadPicture, UserError
from core.safety.gate import Gate, Inspector, Seen, Words
from core.safety.level import Level
from core.safety.policy import RulePolicy, current
from core.safety.rulebook import shipped
from core.safety.rules import Example
from core.safety.verdict import POLICY, Clause, Finding, Verdict
from model.inspect.inspector import LocalInspector
from model.inspect.process import CouldNotLook
from model.picture import decode

CLIPS = (".mp4", ".m4v", ".mov", ".webm")


@dataclass(frozen=True, slots=True)
class Ask:
    """What is looked at: words, or a file."""

    words: Words | Path
    level: Level

    @property
    def name(self) -> str:
        return str(self.words) if isinstance(self.words, Path) else self.words.prompt


@dataclass(frozen=True, slots=True)
class Looked:
    """An ask, and what came of it."""

    ask: Ask
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        hangs = self.verdict.weightiest if self.verdict.ruling else None
        return {
            "file" if isinstance(self.ask.words, Path) else "text": self.ask.name,
            "level": self.ask.level,
            "verdict": self.verdict.ruling.name.lower(),
            **_told(hangs),
            "reason": POLICY[hangs.clause] if hangs else "",
            "findings": [
                {"verdict": one.ruling.name.lower(), "where": one.where, **_told(one)}
                for one in self.verdict.findings
            ],
        }


def _told(finding: Finding | None) -> dict[str, Any]:
    return {
        "clause": finding.clause if finding else None,
        "rule": finding.rule if finding else "",
        "score": round(finding.score, 3) if finding else 0.0,
    }


@dataclass(frozen=True, slots=True)
class Row:
    """A row of tests in a file of rules, and what came of it."""

    file: str
    example: Example
    verdict: Verdict | None

    @property
    def right(self) -> bool:
        return self.verdict is None

    @property
    def came(self) -> str:
        """What came instead."""
        return (self.verdict and self.verdict.clause) or "pass"

    def as_dict(self) -> dict[str, Any]:
        one = self.example
        expect = one.expect or "pass"
        return {"file": self.file, "text": one.text, "expect": expect, "came": self.came}

    def __str__(self) -> str:
        one = self.example
        expect = one.expect or "pass"
        return f"{self.file}: {one.text} ({one.level}): {expect} was expected, {self.came} came"


class _NoModels:
    """Looks at nothing, where rules alone are asked."""

    async def words(self, text: str) -> Mapping[Clause, float]:
        return {}

    async def picture(self, jpeg: bytes) -> Seen:
        raise NotImplementedError

    async def clip(self, video: Path) -> Seen:
        raise NotImplementedError


async def check(settings: Settings, asks: Iterable[Ask], *, quick: bool) -> AsyncIterator[Looked]:
    """One after the other. quick: by rules alone. Raises UserError, BadFile."""
    book = whole_rulebook(settings)
    async with _inspector(quick=quick) as inspector:
        gate = Gate(inspector, current(book, thresholds_of(settings)))
        for ask in asks:
            yield Looked(ask, await _look(gate, ask, quick=quick))


async def _look(gate: Gate, ask: Ask, *, quick: bool) -> Verdict:
    if isinstance(ask.words, Words):
        return await gate.words(ask.words, ask.level)
    if quick:
        raise UserError("Rules alone say nothing of a file: leave --quick out.")
    if ask.words.suffix.lower() in CLIPS:
        return (await gate.clip(ask.words, ask.level)).verdict
    try:
        decoded = await decode(await asyncio.to_thread(ask.words.read_bytes))
    except BadPicture as error:
        raise UserError(f"{ask.words}: {error.sentence}") from None
    return (await gate.picture(decoded.data, ask.level)).verdict


@asynccontextmanager
async def _inspector(*, quick: bool) -> AsyncIterator[Inspector]:
    if quick:
        yield _NoModels()
        return
    inspector = LocalInspector()
    try:
        yield inspector
    finally:
        await inspector.close()


def rows(settings: Settings) -> Iterator[Row]:
    """Every row of tests, of what is shipped and of the operator's files. Raises BadFile."""
    book = whole_rulebook(settings)
    policy = RulePolicy(book.rules)
    for file, rules in [*shipped().items(), *book.own.items()]:
        for example in rules.examples:
            yield Row(file, example, policy.fails(example))


def lines(text: str, level: Level) -> tuple[list[Ask], list[str]]:
    """JSON lines, each a text or {"text": …, "negative": …, "level": …}; and what is wrong with
    those that can't be read, each with its number.

    level: where a line names none.
    """
    asks, wrong = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                asks.append(_ask(line, number, level))
            except UserError as error:
                wrong.append(error.sentence)
    return asks, wrong


def _ask(line: str, number: int, level: Level) -> Ask:
    try:
        said = json.loads(line)
        json.dumps(said, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        said = None
    row = {"text": said} if isinstance(said, str) else said
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise UserError(f'Line {number} is no JSON such as {{"text": "a red balloon"}}.')
    negative = row.get("negative", "")
    if not isinstance(negative, str) or row.get("level", level) not in list(Level):
        raise UserError(f"Line {number}: negative is a text; level is one of {', '.join(Level)}.")
    return Ask(Words(row["text"], negative), Level(row.get("level", level)))


def told(looked: Looked) -> str:
    """For a person: the verdict, what it hangs on, and what else was found."""
    verdict = looked.verdict
    said = [f"{verdict.ruling.name.lower():<7} {looked.ask.name[:200]}"]
    if verdict.clause:
        said.append(f"        {POLICY[verdict.clause]}")
    said += [
        f"        {one.ruling.name.lower()}: {one.clause}, {one.where}"
        + (f", {one.rule}" if one.rule else "")
        + (f", {one.score:.2f}" if one.score < 1 else "")
        for one in sorted(verdict.findings, key=lambda one: (-one.ruling, -one.score))
    ]
    return "\n".join(said)


@asynccontextmanager
async def looking() -> AsyncIterator[Callable[[Path, bytes], Awaitable[Seen]]]:
    """What tells what a picture, or a clip, of an operator's shows. Raises BadPicture."""
    inspector = LocalInspector()

    async def seen(path: Path, data: bytes) -> Seen:
        try:
            if data[4:8] == b"ftyp":
                return await inspector.clip(path)
            return await inspector.picture((await decode(data)).data)
        except CouldNotLook:
            raise BadPicture(f"{path.name} can't be looked at: name a picture or an MP4.") from None

    try:
        yield seen
    finally:
        await inspector.close()


async def seen_at(path: Path) -> Seen:
    async with looking() as look:
        return await look(path, await asyncio.to_thread(path.read_bytes))
