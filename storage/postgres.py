"""PostgreSQL's driver with few round trips.

BEGIN goes with the first statement of a transaction; what changes rows and gives none back goes
with the next statement that gives some, or with COMMIT. Under load each round trip costs more than
most statements do, and locks are held meanwhile. What the server refuses of such statements is
raised there, by the statement or the commit that they went with: so no savepoint can save a
transaction from it, and none is used. Knows nothing of tables.
"""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection, AsyncCursor
from psycopg.pq import TransactionStatus

_SILENT = ("INSERT", "UPDATE", "DELETE", "SELECT NULL")


class Connection(AsyncConnection[Any]):
    """What SQLAlchemy asks of psycopg's connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = Cursor
        self.waiting: list[tuple[Any, Any]] = []

    async def commit(self) -> None:
        if self.waiting:
            await self.cursor().execute("COMMIT")
        else:
            await super().commit()

    async def rollback(self) -> None:
        self.waiting.clear()
        await super().rollback()


class Cursor(AsyncCursor[Any]):
    """One statement at a time. The rowcount of what was not sent yet is -1."""

    _conn: Connection

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Cursor:
        connection = self._conn
        if not connection.autocommit and _is_silent(query):
            connection.waiting.append((query, params))
            return self
        begun = connection.info.transaction_status is TransactionStatus.INTRANS
        if connection.autocommit or (begun and not connection.waiting):
            return await super().execute(query, params, **options)
        async with connection.pipeline():
            unheard = AsyncCursor(connection)
            waiting, connection.waiting = connection.waiting, []
            for statement, given in waiting:
                await unheard.execute(statement, given)
            await super().execute(query, params, **options)
        return self

    async def executemany(self, query: Any, given: Any, *, returning: bool = False) -> None:
        if returning or self._conn.autocommit:
            await super().executemany(query, given, returning=returning)
        else:
            self._conn.waiting += [(query, params) for params in given]


def _is_silent(query: Any) -> bool:
    """Whether nobody hears of it: it changes rows and returns none, or locks some (SELECT NULL)."""
    return isinstance(query, str) and query.startswith(_SILENT) and " RETURNING " not in query
