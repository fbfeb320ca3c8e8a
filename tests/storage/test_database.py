"""What a database does when it is new, locked, full, cut off or killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import alembic.command
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.engine import URL

from core.errors import NoDatabase, Transient
from core.job import Account, State, Wallet
from core.ports import Entry
from storage import database
from storage.database import Database, at_head, location, migration_engine, script, upgrade
from storage.files import disk
from storage.store import Store, open_store
from storage.tables import Table
from tests.storage.samples import JPEG, KEEP, NOON, a_job, a_person, a_request
from tests.storage.steps import queue

# URLs


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("sqlite:///kinora.db", "sqlite+aiosqlite:///kinora.db"),
        ("sqlite+aiosqlite:////var/kinora.db", "sqlite+aiosqlite:////var/kinora.db"),
        ("postgresql://ada@db/kinora", "postgresql+psycopg://ada@db/kinora"),
        ("postgres://ada@db/kinora", "postgresql+psycopg://ada@db/kinora"),
    ],
)
def test_a_plain_url_gets_its_driver(written: str, used: str) -> None:
    assert str(location(written)) == used


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "data/s3cret.db",
        "mysql://ada:s3cret@db/kinora",
        "postgresql://ada:pass@s3cret@db/kinora",
        "postgresql://ada:pass@x:s3cret@db/kinora",
    ],
)
def test_what_is_no_url_of_a_database_is_refused_in_words(url: str) -> None:
    with pytest.raises(NoDatabase, match="KINORA_DATABASE_URL") as refused:
        location(url)
    assert "s3cret" not in "".join(traceback.format_exception(refused.value))


NOT_OPENED = {
    "no file of SQLite": ("sqlite:///{folder}/text", "text can't be used: file is not a database"),
    "a folder": ("sqlite:///{folder}", "can't be used: unable to open"),
    "within a file": ("sqlite:///{folder}/text/kinora.db", "can't be used: .*File exists"),
    "nobody listens": (
        "postgresql://ada:s3cret@127.0.0.1:1/kinora",
        "PostgreSQL can't be used: .*refused. Is it running",
    ),
}


@pytest.mark.parametrize("name", NOT_OPENED)
async def test_a_database_that_cannot_be_opened_is_told_in_words(name: str, tmp_path: Path) -> None:
    url, words = NOT_OPENED[name]
    (tmp_path / "text").write_text("Dear sir, this is a database, honestly.\n" * 200)
    with pytest.raises(NoDatabase, match=words) as told:
        async with open_store(url.format(folder=tmp_path), tmp_path / "data", KEEP):
            pass
    assert "s3cret" not in "".join(traceback.format_exception(told.value))


async def test_postgres_says_why_it_lets_nobody_in(postgres_server: URL) -> None:
    url = postgres_server.set(database="nothing").render_as_string(hide_password=False)
    with pytest.raises(NoDatabase, match='database "nothing" does not exist'):
        await upgrade(url)


async def test_postgres_asks_for_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(NoDatabase, match="KINORA_DATABASE_URL in the README"):
        await upgrade("postgresql://ada@127.0.0.1:1/kinora")


async def test_a_newer_database_is_left_alone(new_url: str) -> None:
    await upgrade(new_url)
    engine = migration_engine(location(new_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'tomorrow'"))
    assert not await at_head(new_url)
    with pytest.raises(NoDatabase, match="newer version"):
        await upgrade(new_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "tomorrow"
    engine.dispose()


# Migrations


async def test_an_empty_database_comes_to_head_and_stays_there(new_url: str) -> None:
    assert not await at_head(new_url)
    await upgrade(new_url)
    assert await at_head(new_url)
    await asyncio.gather(upgrade(new_url), upgrade(new_url))
    assert await at_head(new_url)


async def test_two_that_start_at_once_migrate_once(new_url: str) -> None:
    await asyncio.gather(*(upgrade(new_url) for _ in range(3)))
    assert await at_head(new_url)


async def test_one_program_at_a_time_works_on_a_database(url: str) -> None:
    first, second = Database(url), Database(url)
    async with first.alone() as has_it:
        assert has_it
        async with second.alone() as has_it:
            assert not has_it
    async with second.alone() as has_it:
        assert has_it
    await first.close()
    await second.close()


WORKING = """
import asyncio, sys
from storage.database import Database

async def main(url):
    async with Database(url).alone() as alone:
        print(alone, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main(sys.argv[1]))
"""


async def test_a_program_that_dies_gives_the_database_back(url: str) -> None:
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKING, url, cwd=Path(__file__).parents[2], env=os.environ,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert other.stdout is not None
    mine = Database(url)
    async with asyncio.timeout(60):
        assert await other.stdout.readline() == b"True\n"
        async with mine.alone() as has_it:
            assert not has_it
        other.kill()
        await other.wait()
        while True:
            async with mine.alone() as has_it:
                if has_it:
                    break
            await asyncio.sleep(0.01)  # until the server has noticed
    await mine.close()


async def test_two_ways_to_one_sqlite_file_are_one_database(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").symlink_to("here")
    first, second = (
        Database(f"sqlite:///{tmp_path / folder / 'kinora.db'}") for folder in ("here", "there")
    )
    async with first.alone() as has_it:
        assert has_it
        async with second.alone() as has_it:
            assert not has_it
    await first.close()
    await second.close()


async def test_nobody_there_is_not_at_head(tmp_path: Path) -> None:
    assert not await at_head(f"sqlite:///{tmp_path / 'nothing.db'}")
    assert not (tmp_path / "nothing.db").exists()
    assert not await at_head("postgresql://kinora@127.0.0.1:1/kinora")


async def test_the_migrations_make_the_tables(new_url: str) -> None:
    await upgrade(new_url)
    engine = migration_engine(location(new_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()


async def test_jobs_of_before_are_found_by_their_last_picture(new_url: str, tmp_path: Path) -> None:
    async with open_store(new_url, tmp_path / "data", KEEP) as store:
        account = await a_person(store)
        for pictures in ({"picture": "one", "last_picture": "two"}, {"picture": "three"}):
            await queue(store, account, 1, request=a_request(**pictures))
    engine = migration_engine(location(new_url))
    with engine.begin() as connection:
        config = script()
        config.attributes["connection"] = connection
        alembic.command.downgrade(config, "0003")
    with engine.connect() as connection:
        names = {column["name"] for column in inspect(connection).get_columns("job")}
    engine.dispose()
    assert "picture" in names
    assert "last_picture" not in names
    async with open_store(new_url, tmp_path / "data", KEEP) as store:
        for picture in ("one", "two", "three"):
            assert await store.jobs.needs_picture(picture)
        assert not await store.jobs.needs_picture("null")


# Trouble


def add_up(entries: list[Entry]) -> Wallet:
    return Wallet(
        sum(entry.available_change for entry in entries),
        sum(entry.held_change for entry in entries),
    )


async def is_sound(store: Store, account: Account) -> bool:
    """The entries make the balance, and each job has what its state asks for."""
    entries = list(await store.accounts.entries(account.id, 10_000))
    held = 0
    for job in await store.jobs.history(account.id, 10_000):
        lines = [entry.kind for entry in entries if entry.job_id == job.id]
        settled = {"capture"} if job.state is State.SUCCEEDED else {"release"}
        assert lines.count("hold") == 1
        assert set(lines) - {"hold"} == (settled if job.state.ended else set())
        assert len(lines) == 1 + job.state.ended
        held += 0 if job.state.ended else job.credits
    wallet = await store.accounts.wallet(account.id)
    return wallet == add_up(entries) and wallet.held == held


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(database, "RETRY_SECONDS", 0.3)


async def test_a_locked_database_refuses_writes_in_time_and_answers_reads(
    sqlite_url: str, tmp_path: Path, impatient: None
) -> None:
    async with open_store(sqlite_url, tmp_path / "data", KEEP) as store:
        account = await a_person(store)
        job = a_job(account)
        other = sqlite3.connect(tmp_path / "kinora.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Transient):
            await store.jobs.submit(job, None, "print")
        assert await store.jobs.job(job.id) is None
        assert await store.accounts.wallet(account.id) == Wallet(100, 0)
        other.execute("ROLLBACK")
        other.close()
        assert await store.jobs.submit(job, None, "print") == job
        assert await is_sound(store, account)


async def test_a_write_waits_for_a_lock_that_goes_away(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    async with open_store(sqlite_url, tmp_path / "data", KEEP) as store:
        account = await a_person(store)
        other = sqlite3.connect(tmp_path / "kinora.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        submitting = asyncio.create_task(store.jobs.submit(a_job(account), None, "print"))
        done, _ = await asyncio.wait({submitting}, timeout=0.3)
        assert not done
        other.execute("ROLLBACK")
        other.close()
        async with asyncio.timeout(10):
            await submitting
        assert await is_sound(store, account)


async def test_a_store_whose_connections_are_all_in_use_is_not_ready(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "POOL_TIMEOUT_SECONDS", 0.05)
    async with open_store(url, tmp_path / "data", KEEP) as store:
        assert await store.ready()
        async with AsyncExitStack() as busy:
            for _ in range(database.POOL_CONNECTIONS):
                session = await busy.enter_async_context(store.database.reading())
                await session.execute(text("SELECT 1"))
            assert not await store.ready()
            with pytest.raises(Transient):
                await store.jobs.queued()
        assert await store.ready()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, timeout=10).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=10)


def fill(filler: Path) -> None:
    """Write until there is no room."""
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))


async def submit_many(store: Store, account: Account) -> None:
    for _ in range(200):
        await store.jobs.submit(a_job(account), None, "print")


async def test_a_full_disk_takes_nothing_and_breaks_nothing(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk / 'kinora.db'}"
    async with open_store(url, small_disk / "data", KEEP) as store:
        account = await a_person(store, 10_000)
        first = await store.jobs.submit(a_job(account), None, "print")
        filler = small_disk / "filler"
        fill(filler)
        with pytest.raises(Transient):
            await submit_many(store, account)
        with pytest.raises(Transient):
            await store.files.keep_picture(JPEG + bytes(1_000_000), 1, 1)
        assert await store.jobs.job(first.id) == first
        assert await is_sound(store, account)
        filler.unlink()
        kept = await store.files.keep_picture(JPEG + bytes(100_000), 1, 1)
        assert [path.stem for path in (small_disk / "data" / "pictures").iterdir()] == [kept.id]
        await store.jobs.submit(a_job(account), None, "print")
        assert await is_sound(store, account)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_for_later() -> None:
    with pytest.raises(Transient), disk():
        Path("/dev/full").write_bytes(b"x")


WORKER = """
import asyncio, sys
from pathlib import Path
from storage.store import open_store
from tests.storage.samples import KEEP, NOON, a_clip, a_job, a_person

async def main(url, folder):
    async with open_store(url, Path(folder), KEEP) as store:
        account = await a_person(store, 10**6)
        print(account.id, flush=True)
        async def go_on():
            while True:
                job = await store.jobs.submit(a_job(account), None, "print")
                job = await store.jobs.claim(job.id, NOON)
                await store.jobs.finish(job.id, job.attempt, a_clip(), 1.0, NOON)
                print("done", flush=True)
        await asyncio.gather(*(go_on() for _ in range(4)))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("finished", [1, 20])
async def test_killed_at_any_moment_nothing_is_lost_or_paid_twice(
    url: str, tmp_path: Path, finished: int
) -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, url, str(tmp_path / "data"),
        cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE, env=os.environ,
    )  # fmt: skip
    assert worker.stdout is not None
    async with asyncio.timeout(60):
        account_id = int(await worker.stdout.readline())
        for _ in range(finished):
            assert await worker.stdout.readline() == b"done\n"
        worker.send_signal(signal.SIGKILL)
        rest = await worker.stdout.read()
        await worker.wait()
    reported = finished + rest.count(b"done")
    async with open_store(url, tmp_path / "data", KEEP) as store:
        account = await store.accounts.account_by_id(account_id)
        assert account is not None
        assert await is_sound(store, account)
        jobs = await store.jobs.history(account.id, 10_000)
        ended = [job for job in jobs if job.state is State.SUCCEEDED]
        assert reported <= len(ended) <= reported + 4
        for job in await store.jobs.running():
            assert await store.jobs.requeue(job.id, job.attempt, lost=True)
        for job in await store.jobs.queued():
            assert await store.jobs.cancel(job.id, NOON)
        assert (await store.accounts.wallet(account.id)).held == 0
        assert await is_sound(store, account)
