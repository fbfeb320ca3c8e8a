"""Lists: which page of them is asked for, in which order, and the same as CSV."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from bots.spreadsheet import cell
from core.errors import BadPrompt

log = logging.getLogger("kinora.web")

_CONTROL = re.compile("[\0-\x1f\ud800-\udfff]")

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)

ROWS = 50
PAGES_MOST = 200
"""Beyond that, filters and the CSV get further."""

CSV_MOST = 50_000
CSV_BATCH = 2000
WORDS_CHARS = 100

Fetch = Callable[[int, int], Awaitable[Sequence[T]]]
"""How many, and behind how many."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One page of a list. number: from 1 on. path: of the list, without a query."""

    rows: Sequence[T]
    number: int
    more: bool
    path: str
    query: dict[str, str]

    @property
    def earlier(self) -> str:
        return self.link(page=str(self.number - 1)) if self.number > 1 else ""

    @property
    def later(self) -> str:
        return self.link(page=str(self.number + 1)) if self.more else ""

    @property
    def csv(self) -> str:
        return f"{self.path}.csv{_query(self.query)}"

    @property
    def first(self) -> int:
        """The number of the first row."""
        return (self.number - 1) * ROWS + 1

    def link(self, **said: str) -> str:
        """The same list, but for what is said; then from its beginning."""
        return f"{self.path}{_query({**self.query, **said})}"


async def listed(request: web.Request, fetch: Fetch[T]) -> Listing[T]:
    """The page that is asked for. Raises BadPrompt."""
    said = request.query.get("page", "1")
    if not (re.fullmatch(r"[0-9]{1,3}", said) and 1 <= int(said) <= PAGES_MOST):
        raise BadPrompt(f"A list has pages 1 to {PAGES_MOST}; filter it to get further.")
    number = int(said)
    rows = await fetch(ROWS + 1, (number - 1) * ROWS)
    more = len(rows) > ROWS and number < PAGES_MOST
    kept = {name: value for name, value in request.query.items() if name not in ("page", "did")}
    return Listing(rows[:ROWS], number, more, request.path, kept)


def words(request: web.Request, name: str = "q") -> str:
    """What was typed into a filter. Raises BadPrompt."""
    said = request.query.get(name, "").strip()
    if len(said) > WORDS_CHARS or _CONTROL.search(said):
        raise BadPrompt(f"A filter has up to {WORDS_CHARS} characters, on one line.")
    return said


def chosen(request: web.Request, name: str, among: type[Choice], usual: Choice) -> Choice:
    """Raises BadPrompt."""
    said = request.query.get(name) or usual
    if said not in tuple(among):
        raise BadPrompt(f'"{name}" is one of {", ".join(among)}.', allowed=tuple(among))
    return among(said)


async def sheet(
    request: web.Request,
    name: str,
    columns: Sequence[str],
    fetch: Fetch[T],
    row_of: Callable[[T], Sequence[object]],
) -> web.StreamResponse:
    """All of a list as CSV, up to `CSV_MOST` rows, sent as it is read."""
    batch, skip = await fetch(CSV_BATCH, 0), 0
    response = web.StreamResponse(
        headers={"Content-Disposition": f'attachment; filename="kinora-{name}.csv"'}
    )
    response.content_type, response.charset = "text/csv", "utf-8"
    await response.prepare(request)
    await response.write(_lines([columns]))
    try:
        while batch:
            await response.write(_lines([row_of(one) for one in batch]))
            skip += len(batch)
            if len(batch) < CSV_BATCH or skip >= CSV_MOST:
                break
            batch = await fetch(CSV_BATCH, skip)
    except Exception:
        log.exception("%s.csv broke off behind row %d", name, skip)
        response.force_close()
        if request.transport is not None:
            request.transport.abort()  # so that nobody takes it for whole
    return response


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([map(cell, row) for row in rows])
    return text.getvalue().encode()


def _query(said: dict[str, str]) -> str:
    kept = {name: value for name, value in said.items() if value}
    return f"?{urlencode(kept)}" if kept else ""
