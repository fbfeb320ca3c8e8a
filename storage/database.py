"""A database by its URL: SQLite or PostgreSQL, transactions as `with` blocks, migrations.

SQLite writes begin with BEGIN IMMEDIATE, so that two never meet halfway; reads with a plain BEGIN,
so that they never wait for a writer. Commits reach the disk before they are acknowledged.
"""

from __future__ import annotations

import asyncio
import fcntl
import functools
import logging
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar

import alembic.command
import sqlalchemy
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, Row, Select, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, TimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)

from core.errors import NoDatabase, Transient
from storage.sqlite import READ, WRITE, Connection

POOL_CONNECTIONS = 10
"""Readers don't wait for each other, and on PostgreSQL writers hardly do. More of them make the one
writer of SQLite no faster, and its queue less fair."""

POOL_TIMEOUT_SECONDS = 20
"""How long a transaction waits for a connection: 200 commands take their turns within it."""

BUSY_SECONDS = 5
"""How long one statement waits for another process's lock on SQLite."""

RETRY_SECONDS = 10
"""How long a transaction is repeated before its caller hears of it."""

STATEMENT_SECONDS = 30
_MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATION_LOCK = 0x6B696E6F7261
_WORK_LOCK = _MIGRATION_LOCK + 1
_PG_PASSING = ("08", "40", "53", "55P03", "57P")
"""SQLSTATEs that time cures: connection, serialization and deadlock, resources, lock, shutdown."""

log = logging.getLogger("kinora.database")
P = ParamSpec("P")
T = TypeVar("T")
Transaction: TypeAlias = AsyncSession | AsyncConnection
"""One that is under way: with objects, or of tables alone."""


def location(url: str) -> URL:
    """The URL with its asynchronous driver. Raises NoDatabase for what can't be used.

    "sqlite:///kinora.db" → sqlite+aiosqlite, "postgresql://…" and "postgres://…" → psycopg
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose words may be a part of a password
        raise NoDatabase(
            "KINORA_DATABASE_URL can't be read: write it as sqlite:///data/kinora.db or "
            "postgresql://name:password@host/database, and an @ in a password as %40."
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            if parsed.database in (None, "", ":memory:"):
                raise NoDatabase(
                    "KINORA_DATABASE_URL needs a file, as in sqlite:///data/kinora.db."
                )
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            if "@" in (parsed.host or ""):
                raise NoDatabase("Write an @ in the password of KINORA_DATABASE_URL as %40.")
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise NoDatabase(
                f"KINORA_DATABASE_URL begins with sqlite:// or postgresql://, not {other}://."
            )


class Database:
    """Connections to one database. A transaction is a `with` block: leaving it commits, leaving
    it by an exception undoes it."""

    def __init__(self, url: str) -> None:
        place = location(url)
        self._engine = _tuned_async(place)
        self._reader = self._engine.execution_options(begin=READ)
        self._asker = self._engine.execution_options(begin="")

    async def ask(
        self, question: Select[Any], given: Mapping[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        """The answer to one question. It is a view by itself: on SQLite nothing is begun for it."""
        async with self._asker.connect() as connection:
            answer: Sequence[Row[Any]] = (await connection.execute(question, given)).all()
        return answer

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One consistent view."""
        async with AsyncSession(self._reader, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[AsyncConnection]:
        """As `writing`, of tables alone: what objects need costs a third of most transactions."""
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """Whether no other program works on this database, which then stays so for the block.

        SQLite's lock is on a file beside it, which stays. PostgreSQL's lives on one connection:
        where that breaks, the block goes on without it, and another program may come in.
        """
        if self._engine.dialect.name == "sqlite":
            with _locked(_lock_of(self._engine.url)) as locked:
                yield locked
            return
        plain = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        async with plain.connect() as connection:
            key = {"key": _WORK_LOCK}
            locked = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key)
            try:
                yield bool(locked)
            finally:
                with suppress(DBAPIError):
                    await connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)

    async def close(self) -> None:
        await self._engine.dispose()


def _lock_of(place: URL) -> Path:
    """The same one, whichever way leads to the database."""
    file = Path(place.database or "").resolve()
    return file.with_name(f"{file.name}.alone")


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


class _HasDatabase(Protocol):
    @property
    def database(self) -> Database: ...


H = TypeVar("H", bound=_HasDatabase)


def retried(
    method: Callable[Concatenate[H, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[H, P], Coroutine[Any, Any, T]]:
    """Repeat a method that is one transaction while its database is busy, gone or in conflict.

    The method must be harmless to repeat when a commit's acknowledgement was lost. Raises
    Transient once `RETRY_SECONDS` are over, or at once when the disk is full.
    """

    @functools.wraps(method)
    async def repeat(self: H, /, *args: P.args, **kwargs: P.kwargs) -> T:
        ends_at = time.monotonic() + RETRY_SECONDS
        pause = 0.02
        while True:
            try:
                return await method(self, *args, **kwargs)
            except TimeoutError as error:
                raise Transient("every database connection is in use", 5) from error
            except DBAPIError as error:
                if _is_full(error):
                    raise Transient("the database's disk is full", 60) from error
                if not _passes(error):
                    raise
                if time.monotonic() + pause > ends_at:
                    raise Transient("the database does not answer", 5) from error
                why = type(error.orig).__name__
                log.warning("%s: the database is busy (%s); trying again", method.__name__, why)
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(1.0, pause * 2)

    return repeat


def is_sqlite(session: Transaction) -> bool:
    bind = session if isinstance(session, AsyncConnection) else session.get_bind()
    return bind.dialect.name == "sqlite"


def insert_new(session: Transaction, table: type[Any] | Table) -> Any:
    """`INSERT … ON CONFLICT DO NOTHING`: add `.values(…).returning(…)`; no row where it existed."""
    if is_sqlite(session):
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def put(session: Transaction, table: Table) -> Any:
    """A statement that writes a row in place of the one that has its primary key."""
    return _put(table, tuple(column.name for column in table.primary_key), is_sqlite(session))


def put_by(session: Transaction, table: Table, unique: str) -> Any:
    """As `put`, of the one that has the same there; it keeps its primary key."""
    return _put(table, (unique,), is_sqlite(session))


@functools.cache
def _put(table: Table, unique: tuple[str, ...], on_sqlite: bool) -> Any:
    new = (sqlite if on_sqlite else postgresql).insert(table)
    same = {*unique, *(column.name for column in table.primary_key)}
    rest = {c.name: new.excluded[c.name] for c in table.columns if c.name not in same}
    return new.on_conflict_do_update(index_elements=[*unique], set_=rest)


async def upgrade(url: str) -> None:
    """Bring the database to the newest schema; make it where there is none.

    Raises NoDatabase where that can't be done.
    """
    await asyncio.to_thread(_upgrade, location(url))


async def at_head(url: str) -> bool:
    """Whether the schema is the newest one. False too where nobody answers."""
    return await asyncio.to_thread(_at_head, location(url))


def script() -> Config:
    """Alembic's configuration: the migrations that lie in this package."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(place: URL) -> None:
    with _usable(place):
        if place.get_backend_name() == "sqlite" and place.database:
            Path(place.database).parent.mkdir(parents=True, exist_ok=True)
        engine = migration_engine(place)
        try:
            with engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(
                        text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK}
                    )
                config = script()
                config.attributes["connection"] = connection
                alembic.command.upgrade(config, "head")
        finally:
            engine.dispose()


@contextmanager
def _usable(place: URL) -> Iterator[None]:
    """Raises NoDatabase where the block can't use the database."""
    try:
        yield
    except ImportError as error:
        raise NoDatabase(
            f"PostgreSQL needs Kinora's extra: see KINORA_DATABASE_URL in the README ({error})."
        ) from error
    except CommandError as error:
        raise NoDatabase(
            "The database's schema is not one that this version of Kinora knows: start the newer "
            "version that made it, or restore a backup."
        ) from error
    except (DBAPIError, OSError) as error:
        why = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
        if place.get_backend_name() == "sqlite":
            raise NoDatabase(
                f"The SQLite file {place.database} can't be used: {why}. If it is damaged, restore "
                "a backup; else set KINORA_DATABASE_URL to one that can be written."
            ) from error
        raise NoDatabase(
            f"PostgreSQL can't be used: {why}. Is it running, and is KINORA_DATABASE_URL right?"
        ) from error


def _at_head(place: URL) -> bool:
    if place.get_backend_name() == "sqlite" and not Path(place.database or "").is_file():
        return False
    with _usable(place):
        engine = migration_engine(place).execution_options(begin=READ)
    try:
        with engine.connect() as connection:
            at = set(MigrationContext.configure(connection).get_current_heads())
    except DBAPIError:
        return False
    finally:
        engine.dispose()
    return at == set(ScriptDirectory.from_config(script()).get_heads())


def migration_engine(place: URL) -> Engine:
    """A synchronous engine, without foreign keys on SQLite: altering a table there rebuilds it."""
    if place.get_backend_name() == "sqlite":
        engine = create_engine(place.set(drivername="sqlite"), **_sqlite_options())
        event.listen(engine, "connect", _write_ahead)
        _listen(engine, foreign_keys=False)
        return engine
    return create_engine(place, **_postgres_options())


def _tuned_async(place: URL) -> AsyncEngine:
    pool = {"pool_size": POOL_CONNECTIONS, "max_overflow": 0, "pool_timeout": POOL_TIMEOUT_SECONDS}
    if place.get_backend_name() == "sqlite":
        engine = create_async_engine(place, **pool, **_sqlite_options(async_creator_fn=Connection))
        _listen(engine.sync_engine, foreign_keys=True)
        engine.dialect.favor_returning_over_lastrowid = True
        _count_nothing(engine)
        return engine
    with _usable(place):
        from storage.postgres import Connection as Postgres

    options = _postgres_options(async_creator_fn=Postgres.connect)
    engine = create_async_engine(place, **pool, pool_pre_ping=True, **options)
    _count_nothing(engine)
    return engine


def _count_nothing(engine: AsyncEngine) -> None:
    """Statements may be sent later: what an UPDATE hit is asked by RETURNING."""
    engine.dialect.supports_sane_rowcount = False
    engine.dialect.supports_sane_multi_rowcount = False


def _sqlite_options(**more: Any) -> dict[str, Any]:
    return {
        "hide_parameters": True,
        "connect_args": {"isolation_level": None, "timeout": BUSY_SECONDS, **more},
    }


def _postgres_options(**more: Any) -> dict[str, Any]:
    limits = (
        f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={STATEMENT_SECONDS}s "
        f"-c idle_in_transaction_session_timeout={2 * STATEMENT_SECONDS}s -c timezone=UTC"
    )
    return {
        "hide_parameters": True,
        "isolation_level": "READ COMMITTED",
        "connect_args": {"connect_timeout": BUSY_SECONDS, "options": limits, **more},
    }


def _listen(engine: Engine, *, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def connect(dbapi_connection: Any, _record: object) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA secure_delete = ON")  # what is forgotten is not left in free pages
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: sqlalchemy.Connection) -> None:
        statement = connection.get_execution_options().get("begin", WRITE)
        driver = connection.connection.driver_connection
        if isinstance(driver, Connection):
            driver.begin(statement)
        elif statement:
            connection.exec_driver_sql(statement)


def _write_ahead(connection: Any, _record: object) -> None:
    """Turn a file to WAL, which it stays. SQLite itself does not wait where two programs do so at
    once; migrations run in a thread, which may."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
            return
        except sqlite3.OperationalError as error:
            if _sqlite_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)


def _passes(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is None:
        return type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")
    return str(sqlstate).startswith(_PG_PASSING)


def _is_full(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) == sqlite3.SQLITE_FULL
    return getattr(error.orig, "sqlstate", None) == "53100"


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
