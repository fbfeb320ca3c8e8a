"""The ledger under load: what it does in a second, beside plain INSERTs into the same database.

Both go through one `Database`: the same tasks at once, the same ten connections with the same check
before each use, one transaction and one durable commit a time (the server's own synchronous_commit;
FULL on SQLite), the same driver, which sends a plain INSERT with its BEGIN and COMMIT in one round
trip. What differs is what is compared: several statements under a lock on one of five wallets, or
one statement under none. Plain INSERTs are measured before and after, each time for a quarter of
the operations.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from sqlalchemy import text

from core.errors import Transient
from storage.database import Database, location, retried
from storage.store import open_store
from tests.bench import out
from tests.storage.books import faults
from tests.storage.conftest import made_database
from tests.storage.crowd import crowd
from tests.storage.samples import KEEP

TASKS, TIMES = 50, 200
GOAL = 0.4


async def bench_ledger() -> None:
    """SQLite, and PostgreSQL where KINORA_TEST_POSTGRES is the URL of a server."""
    table = Table("", "operations", "a second", "plain INSERTs a second", "ratio", "violations",
                  title=f"{TASKS} tasks × {TIMES} operations, 20 % said twice")  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        url = f"sqlite:///{scratch}/kinora.db"
        table.add_row("SQLite", *await measured(url, Path(scratch, "sqlite")))
        if server := os.environ.get("KINORA_TEST_POSTGRES"):
            with made_database(location(server)) as made:
                table.add_row("PostgreSQL", *await measured(made, Path(scratch, "postgres")))
    out.print(table)
    out.print(
        "An operation is a call that is one transaction: a grant, a hold with its job, a claim, a "
        f"settlement with its delivery. Goal: {GOAL}."
    )


async def measured(url: str, folder: Path) -> tuple[str, ...]:
    async with open_store(url, folder, KEEP) as store:
        plain = Plain(store.database)
        await plain.make()
        before = await plain.each_second()
        began = time.perf_counter()
        done = (await crowd(store, TASKS, TIMES)).total()
        each_second = done / (time.perf_counter() - began)
        inserts = (before + await plain.each_second()) / 2
        wrong = await faults(store)
    ratio = f"{each_second / inserts:.2f}"
    return str(done), f"{each_second:.0f}", f"{inserts:.0f}", ratio, str(len(wrong))


@dataclass(frozen=True, slots=True)
class Plain:
    """A table without an index, and transactions of one INSERT each."""

    database: Database

    async def make(self) -> None:
        async with self.database.writing() as session:
            await session.execute(
                text("CREATE TABLE plain (account_id BIGINT, kind TEXT, credits BIGINT)")
            )

    @retried
    async def insert(self) -> None:
        async with self.database.writing() as session:
            await session.execute(text("INSERT INTO plain VALUES (1, 'hold', -10)"))

    async def each_second(self) -> float:
        """By as many tasks as the ledger's."""

        async def one() -> None:
            done = 0
            while done < TIMES // 4:
                done += await self._inserted()

        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(TASKS)))
        return TASKS * (TIMES // 4) / (time.perf_counter() - began)

    async def _inserted(self) -> bool:
        try:
            await self.insert()
        except Transient:
            return False
        return True
