"""The contract of the store runs on SQLite always, and on PostgreSQL where `KINORA_TEST_POSTGRES`
is the URL of a server whose user may create databases."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from core.job import new_id
from storage.database import location, upgrade
from storage.store import Store, open_store
from storage.tables import Table
from tests.storage.samples import KEEP, SetClock


@pytest.fixture(scope="session")
def postgres_server() -> URL:
    url = os.environ.get("KINORA_TEST_POSTGRES")
    if not url:
        pytest.skip("KINORA_TEST_POSTGRES names no server")
    return location(url)


@contextmanager
def made_database(server: URL) -> Iterator[str]:
    name = f"kinora_test_{new_id()}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def new_postgres_url(postgres_server: URL) -> Iterator[str]:
    with made_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_server: URL) -> Iterator[str]:
    """Its commits don't wait for the disk: nothing here outlives the server."""
    with made_database(postgres_server) as url:
        asyncio.run(upgrade(url))
        engine = create_engine(location(url))
        with engine.begin() as connection:
            name = connection.engine.url.database
            connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        engine.dispose()
        yield url


@pytest.fixture
def postgres_url(shared_postgres_url: str) -> str:
    """One database for all tests, emptied before each: making one takes a second."""
    engine = create_engine(location(shared_postgres_url))
    tables = ", ".join(Table.metadata.tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    engine.dispose()
    return shared_postgres_url


@pytest.fixture
def new_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'kinora.db'}"


@pytest.fixture
def sqlite_url(new_sqlite_url: str) -> str:
    return new_sqlite_url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """A database without rows."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest) -> str:
    """A database without tables."""
    return str(request.getfixturevalue(f"new_{request.param}_url"))


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def store(url: str, tmp_path: Path, clock: SetClock) -> AsyncIterator[Store]:
    async with open_store(url, tmp_path / "data", KEEP, clock) as opened:
        yield opened
