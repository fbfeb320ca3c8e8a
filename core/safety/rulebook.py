"""The rules that hold: those that are shipped, with an operator's over them.

An operator's files lie in DATA_DIR/safety: `rules/*.toml` and `lists.toml`, as `core.safety.rules`
reads them. They are read again when they change; one that can't be read leaves what it said before.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from importlib import resources
from pathlib import Path

from core.safety.rules import BadRules, Rules, parse, parse_lists

LOOK_SECONDS = 2.0
FILE_BYTES = 1_000_000
"""The most that a file may hold."""

_NAMED = re.compile(
    r'"([^"]+)" is none|named "([^"]+)"|has no (\w+):|^\[+\w+\]+ (\w+):|^([^\s\[:]+): '
)
"""A value, a rule, a key that there is not, a key of a table, a rule."""

_TABLE = re.compile(r"\[+\w+\]+")

log = logging.getLogger("kinora.safety")

Stamp = tuple[int, int]
"""When a file was written, in nanoseconds, and how many bytes it has."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that can't be read, and why, in a sentence for its operator."""

    file: Path
    why: str

    def __str__(self) -> str:
        return f"{self.file}: {self.why}"


@cache
def shipped() -> Mapping[str, Rules]:
    """What is shipped, by the name of its file."""
    folder = resources.files("core.safety") / "rules"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=str)
    return {file.name: parse(file.read_text(encoding="utf-8")) for file in files}


class Rulebook:
    """folder: DATA_DIR/safety; None: what is shipped alone. Reads files where it is called from."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[Stamp, Rules | None, Problem | None]] = {}
        self._rules = reduce(Rules.merged, shipped().values(), Rules())
        self._version = 0
        self.refresh()

    @property
    def rules(self) -> Rules:
        return self._rules

    @property
    def version(self) -> int:
        """Another one, other rules."""
        return self._version

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for _, _, problem in self._read.values() if problem)

    @property
    def own(self) -> dict[str, Rules]:
        """What the operator's files say, by their paths."""
        return {str(file): rules for file, (_, rules, _) in self._read.items() if rules}

    def refresh(self) -> bool:
        """Read what changed; whether anything did."""
        stamps = {file: _stamp(file) for file in self._files()}
        read = {
            file: self._read[file]
            if file in self._read and self._read[file][0] == stamp
            else self._opened(file, stamp)
            for file, stamp in stamps.items()
        }
        if read == self._read:
            return False
        self._read = read
        self._rules = reduce(Rules.merged, [*shipped().values(), *self.own.values()], Rules())
        self._version += 1
        return True

    async def watch(self) -> None:
        """Refresh now and then, for ever, beside the event loop."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                if await asyncio.to_thread(self.refresh):
                    log.info("the rules of safety were read again")
                    for problem in self.problems:
                        log.error("%s What it said before holds on.", problem)
            except OSError as error:
                log.warning("the rules of safety can't be looked at: %s", error.strerror)

    def _files(self) -> list[Path]:
        if self._folder is None:
            return []
        rules = sorted((self._folder / "rules").glob("*.toml"))
        lists = self._folder / "lists.toml"
        return [*rules, *([lists] if lists.is_file() else [])]

    def _opened(self, file: Path, stamp: Stamp) -> tuple[Stamp, Rules | None, Problem | None]:
        text = ""
        try:
            text = _text(file)
            rules = (parse_lists if file.name == "lists.toml" else parse)(text).compiled()
        except (BadRules, UnicodeDecodeError, OSError, RecursionError) as error:
            why = _why(error)
            line = _line(text, why)
            problem = Problem(file, f"Line {line}: {why}" if line else why)
            before = self._read.get(file)
            return stamp, before[1] if before else None, problem
        return stamp, rules, None


def _text(file: Path) -> str:
    if not file.is_file():
        raise BadRules("It is no file.")
    with file.open("rb") as raw:
        data = raw.read(FILE_BYTES + 1)
    if len(data) > FILE_BYTES:
        raise BadRules(f"It has more than {FILE_BYTES} bytes.")
    return data.decode("utf-8-sig")


def _why(error: Exception) -> str:
    if isinstance(error, BadRules):
        return str(error)
    if isinstance(error, OSError):
        return f"It can't be read: {error.strerror}."
    if isinstance(error, RecursionError):
        return "Too much in it stands inside each other."
    return "It can't be read as UTF-8."


def _line(text: str, why: str) -> int:
    """Where in a file that is which a sentence on it names; 0 where it names nothing, or its line
    itself, as what reads TOML does."""
    found, table = _NAMED.search(why), _TABLE.match(why)
    if found is None:
        return 0
    lines = text.splitlines()
    heads = (n for n, line in enumerate(lines) if table and line.lstrip().startswith(table[0]))
    first = next(heads, 0)
    here = (
        n for n, line in enumerate(lines[first:], first + 1) if found[found.lastindex or 0] in line
    )
    return next(here, 0)


def _stamp(file: Path) -> Stamp:
    try:
        seen = file.stat()
    except OSError:
        return 0, 0
    return seen.st_mtime_ns, seen.st_size
