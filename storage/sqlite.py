"""SQLite's driver with few crossings between the event loop and a connection's thread.

aiosqlite crosses for each small step: a cursor, a statement, its rows, the cursor's end. Each way
costs more than most statements do. Here a statement and all of its rows are one crossing, and
BEGIN goes with the first of them. Knows nothing of tables.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import aiosqlite


class Connection(aiosqlite.Connection):
    """What SQLAlchemy asks of an aiosqlite connection."""

    def __init__(self, path: str, **options: Any) -> None:
        """path, options: as sqlite3.connect takes them."""
        super().__init__(partial(sqlite3.connect, path, **options), iter_chunk_size=64)
        self._thread.daemon = True  # as SQLAlchemy makes it
        self._begin = ""
        self._open = False

    def begin(self, statement: str) -> None:
        """Begin a transaction together with the statement that comes next."""
        self._begin = statement

    def cursor(self) -> Any:
        return Cursor(self)

    async def run(self, statement: str, given: Sequence[Any], *, many: bool) -> Done:
        self._open = True
        cross: Callable[..., Awaitable[Done]] = self._execute
        done = await cross(_run, self._conn, self._begin, statement, given, many)
        self._begin = ""
        return done

    def stop(self) -> asyncio.Future[Any] | None:
        """Once: the thread ends with it, and whoever asked again would wait for ever."""
        return super().stop() if self._running else None

    async def commit(self) -> None:
        await self._end(super().commit)

    async def rollback(self) -> None:
        await self._end(super().rollback)

    async def _end(self, end: Callable[[], Awaitable[None]]) -> None:
        """Nothing where nothing was begun."""
        self._begin = ""
        if self._open:
            await end()
            self._open = False


class Done:
    """A statement that was run: its columns and rows, as sqlite3 gives them."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self.rows: Sequence[Any] = cursor.fetchall() if cursor.description else ()
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid


class Cursor:
    """A statement at a time; nothing of it is left open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Cursor:
        return self

    async def execute(self, statement: str, given: Sequence[Any] = ()) -> None:
        self._hold(await self._connection.run(statement, given, many=False))

    async def executemany(self, statement: str, given: Sequence[Any]) -> None:
        self._hold(await self._connection.run(statement, given, many=True))

    async def fetchall(self) -> Sequence[Any]:
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        """There is nothing to close."""

    def _hold(self, done: Done) -> None:
        self.description, self._rows = done.description, done.rows
        self.rowcount, self.lastrowid = done.rowcount, done.lastrowid


def _run(
    connection: sqlite3.Connection, begin: str, statement: str, given: Sequence[Any], many: bool
) -> Done:
    """In the connection's thread. Where BEGIN failed, what comes next begins anew: nothing runs
    outside of a transaction that was asked for."""
    if begin and not connection.in_transaction:
        connection.execute(begin).close()
    cursor = connection.cursor()
    try:
        cursor.executemany(statement, given) if many else cursor.execute(statement, given)
        return Done(cursor)
    finally:
        cursor.close()
