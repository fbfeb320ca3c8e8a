"""A transaction of a store's database: what is said in it is seen in it, and all of it or nothing
stays, whenever the driver sends it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from core.job import Wallet
from storage.sqlite import WRITE, Connection, Statement
from storage.store import Store, open_store
from storage.tables import ACCOUNT, ENTRY
from tests.storage.books import faults
from tests.storage.samples import KEEP, NOON, a_grant, a_job, a_person

LINE = {
    "key": "one", "kind": "grant", "available_change": 0, "held_change": 0, "note": "",
    "created_at": NOON,
}  # fmt: skip


async def names(store: Store) -> list[str]:
    async with store.database.reading() as session:
        return list(await session.scalars(select(ACCOUNT.c.name)))


async def leave(store: Store, reads: bool) -> None:
    async with store.database.writing() as session:
        await session.execute(update(ACCOUNT).values(name="Ben"))
        if reads:
            await session.scalar(select(ACCOUNT.c.name))
        raise LookupError


async def enter(store: Store, lines: list[dict[str, Any]]) -> None:
    async with store.database.writing() as session:
        await session.execute(update(ACCOUNT).values(name="Ben"))
        await session.execute(insert(ENTRY), lines)
        await session.execute(update(ACCOUNT).values(name="Cleo"))


async def test_what_was_changed_is_read_in_the_order_in_which_it_was_said(store: Store) -> None:
    await a_person(store, 0)
    async with store.database.writing() as session:
        await session.execute(update(ACCOUNT).values(name="Ben"))
        await session.execute(update(ACCOUNT).values(name=ACCOUNT.c.name + "edict"))
        assert await session.scalar(select(ACCOUNT.c.name)) == "Benedict"
        await session.execute(update(ACCOUNT).values(name="Cleo"))
    assert await names(store) == ["Cleo"]


async def test_a_block_that_is_left_by_an_exception_changes_nothing(store: Store) -> None:
    await a_person(store, 0)
    for reads in (False, True):
        with pytest.raises(LookupError):
            await leave(store, reads)
        assert await names(store) == ["Ada"]


async def test_what_the_database_refuses_undoes_all_of_its_transaction(store: Store) -> None:
    account = await a_person(store, 10)
    async with store.database.reading() as session:
        lot = await session.scalar(select(ENTRY.c.lot_id))
    line = {**LINE, "account_id": account.id, "lot_id": lot}
    for wrong in ([line, line], [{**line, "kind": "theft"}], [{**line, "lot_id": 99}]):
        with pytest.raises(IntegrityError):
            await enter(store, wrong)
        assert await names(store) == ["Ada"]
    assert len(await store.accounts.entries(account.id, 9)) == 1


async def test_where_a_transaction_did_not_begin_nothing_is_written_outside_of_it(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "kinora.db")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE said (word TEXT)")
    other.execute("BEGIN IMMEDIATE")
    async with Connection(path, isolation_level=None, timeout=0) as connection:
        connection.begin(WRITE)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await connection.run(Statement("INSERT INTO said VALUES (?) RETURNING 1", ("one",)))
        await connection.run(Statement("INSERT INTO said VALUES (?)", ("two",)))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await connection.commit()
        other.execute("COMMIT")
        await connection.run(Statement("INSERT INTO said VALUES (?) RETURNING 1", ("three",)))
        await connection.rollback()
    with closing(other):
        assert other.execute("SELECT word FROM said").fetchall() == []


async def test_who_is_called_off_midway_changes_nothing(store: Store) -> None:
    """And the database's connections are as good as before."""
    await a_person(store, 0)
    begun = asyncio.Event()

    async def wait() -> None:
        async with store.database.writing() as session:
            await session.execute(update(ACCOUNT).values(name="Ben"))
            await session.execute(text("SELECT 1"))
            begun.set()
            await asyncio.Event().wait()

    for _ in range(3):
        task = asyncio.create_task(wait())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        begun.clear()
        assert await names(store) == ["Ada"]


async def test_who_is_called_off_while_waiting_for_a_lock_changes_nothing(
    postgres_url: str, tmp_path: Path
) -> None:
    waits = text("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
    async with open_store(postgres_url, tmp_path, KEEP) as store:
        account = await a_person(store, 100)
        job = await store.jobs.submit(a_job(account), None, "print")
        for call in (
            lambda: store.accounts.set_ping(account.id, False),
            lambda: store.accounts.renew(account.id, [a_grant(10, "second")]),
            lambda: store.jobs.cancel(job.id, NOON),
        ):
            async with store.database.writing() as session:
                await session.execute(update(ACCOUNT).values(name="Ben"))
                await session.scalar(select(ACCOUNT.c.id))
                waiting = asyncio.create_task(call())
                while not await session.scalar(waits):
                    await asyncio.sleep(0.01)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
        assert await names(store) == ["Ben"]
        assert await store.accounts.wallet(account.id) == Wallet(90, 10)
        assert await faults(store) == []
        assert await store.jobs.cancel(job.id, NOON) is not None
        assert await store.accounts.wallet(account.id) == Wallet(100, 0)


async def test_a_connection_that_was_given_up_is_closed_without_a_wait(tmp_path: Path) -> None:
    connection = await Connection(str(tmp_path / "kinora.db"))
    go_on = threading.Event()
    busy = asyncio.create_task(connection._execute(go_on.wait))
    await asyncio.sleep(0)
    stopped = connection.stop()
    assert stopped is not None
    async with asyncio.timeout(30):
        closing_it = asyncio.create_task(connection.close())
        await asyncio.sleep(0)
        go_on.set()
        with suppress(ValueError):  # it was closed
            await closing_it
        await busy
        await stopped
