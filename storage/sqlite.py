"""SQLite's driver with few crossings between the event loop and a connection's thread.

aiosqlite crosses for each small step: a cursor, a statement, its rows, the cursor's end. Each way
costs more than most statements do. Here a statement and all of its rows are one crossing. BEGIN
goes with the first of them; what changes rows and gives none back goes with the next statement that
gives some, or with COMMIT; and nobody waits for the end of what only read. What is refused of such
statements is raised by what they went with, as in storage/postgres.py. Knows nothing of tables.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import aiosqlite

READ, WRITE = "BEGIN", "BEGIN IMMEDIATE"

_SILENT = ("INSERT", "UPDATE", "DELETE")


class Statement(NamedTuple):
    """given: its parameters; a row of them after the other where there are many."""

    words: str
    given: Sequence[Any]
    many: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether nobody hears of it: it changes rows and returns none."""
        return self.words.startswith(_SILENT) and " RETURNING " not in self.words


class Connection(aiosqlite.Connection):
    """What SQLAlchemy asks of an aiosqlite connection."""

    def __init__(self, path: str, **options: Any) -> None:
        """path, options: as sqlite3.connect takes them."""
        super().__init__(partial(sqlite3.connect, path, **options), iter_chunk_size=64)
        self._thread.daemon = True  # as SQLAlchemy makes it
        self._begin = ""
        self._waiting: list[Statement] = []
        self._open = False
        self._reading = False

    def begin(self, statement: str) -> None:
        """Begin a transaction together with what comes next. statement: READ, WRITE, or "" for
        none."""
        self._begin = statement
        self._reading = statement == READ

    def cursor(self) -> Any:
        return Cursor(self)

    async def run(self, statement: Statement) -> Done | None:
        """None where it waits for what comes next."""
        if statement.is_silent and (self._begin or self._open):
            self._waiting.append(statement)
            return None
        self._open = self._open or bool(self._begin)
        cross: Callable[..., Awaitable[Done]] = self._execute
        waiting, self._waiting = self._waiting, []
        done = await cross(_run, self._conn, self._begin, waiting, statement)
        self._begin = ""
        return done

    def stop(self) -> asyncio.Future[Any] | None:
        """Once: the thread ends with it, and whoever asked again would wait for ever."""
        return super().stop() if self._running else None

    async def commit(self) -> None:
        """Nothing where nothing was begun."""
        if self._waiting:
            await self.run(Statement("COMMIT", ()))
        elif self._open and self._reading:
            self._tx.put_nowait((None, self._conn.rollback))
        elif self._open:
            await super().commit()
        self._end()

    async def rollback(self) -> None:
        """Nothing where nothing was begun."""
        self._waiting.clear()
        if self._open:
            await super().rollback()
        self._end()

    def _end(self) -> None:
        self._begin = ""
        self._open = self._reading = False


class Done:
    """A statement that was run: its columns and rows, as sqlite3 gives them."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self.rows: Sequence[Any] = cursor.fetchall() if cursor.description else ()
        self.rowcount = cursor.rowcount


class Cursor:
    """A statement at a time; nothing of it is left open. The rowcount of what was not run yet is
    -1."""

    lastrowid = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.arraysize = 1

    async def __aenter__(self) -> Cursor:
        return self

    async def execute(self, statement: str, given: Sequence[Any] = ()) -> None:
        self._hold(await self._connection.run(Statement(statement, given)))

    async def executemany(self, statement: str, given: Sequence[Any]) -> None:
        self._hold(await self._connection.run(Statement(statement, given, many=True)))

    async def fetchall(self) -> Sequence[Any]:
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        """There is nothing to close."""

    def _hold(self, done: Done | None) -> None:
        self.description = done.description if done else None
        self._rows = done.rows if done else ()
        self.rowcount = done.rowcount if done else -1


def _run(
    connection: sqlite3.Connection, begin: str, waiting: Sequence[Statement], statement: Statement
) -> Done:
    """In the connection's thread. Where BEGIN failed, what comes next begins anew: nothing runs
    outside of a transaction that was asked for."""
    if begin and not connection.in_transaction:
        connection.execute(begin).close()
    cursor = connection.cursor()
    try:
        for words, given, many in (*waiting, statement):
            cursor.executemany(words, given) if many else cursor.execute(words, given)
        return Done(cursor)
    finally:
        cursor.close()
