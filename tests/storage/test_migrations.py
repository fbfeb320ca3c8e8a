"""What was in a database before a migration is there after it, and its books are right."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import alembic.command
from sqlalchemy import text

from core.job import Lot, LotKind, State, Wallet
from storage.database import at_head, location, migration_engine, script
from storage.store import open_store
from tests.storage.books import faults
from tests.storage.samples import KEEP, NOON, SetClock, a_clip, a_grant, a_request

BEFORE_LOTS = """
INSERT INTO account (id, name, weight, available, held, ping, created_at)
  VALUES (1, 'Ada', 1, 60, 30, true, :now), (2, 'Ben', 1, 0, 0, true, :now);
INSERT INTO job (number, id, account_id, place, state, request, fingerprint, credits, created_at,
    attempt, losses, receipt, cancel_requested, stage, step, steps, deleted)
  VALUES (1, 'done', 1, 'web:page', 'succeeded', :request, '', 10, :now, 1, 0, '', false, '', 0, 0,
    false), (2, 'runs', 1, 'web:page', 'running', :request, '', 30, :now, 1, 0, '', false, '', 0, 0,
    false);
INSERT INTO entry (key, account_id, job_id, kind, available_change, held_change, note, created_at)
  VALUES ('grant:1:2026-11-21', 1, NULL, 'grant', 100, 0, '', :now),
    ('job:done:hold', 1, 'done', 'hold', -10, 10, '', :now),
    ('job:done:settle', 1, 'done', 'capture', 0, -10, '', :now),
    ('job:runs:hold', 1, 'runs', 'hold', -30, 30, '', :now)
"""


def fill(url: str) -> None:
    """Books as they were before there were lots."""
    engine = migration_engine(location(url))
    values = {"now": NOON, "request": json.dumps(a_request().as_dict())}
    with engine.begin() as connection:
        config = script()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0004")
        for statement in BEFORE_LOTS.split(";"):
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    engine.dispose()


async def test_what_somebody_had_is_one_lot_that_stays(new_url: str, tmp_path: Path) -> None:
    await asyncio.to_thread(fill, new_url)
    clock = SetClock()
    async with open_store(new_url, tmp_path / "data", KEEP, clock) as store:
        assert await at_head(new_url)
        assert await faults(store) == []
        assert await store.accounts.lots(1) == [Lot(LotKind.ADJUSTED, 60, None)]
        assert await store.accounts.lots(2) == []
        given = [a_grant(100, "2026-11-21"), a_grant(100, "2026-11-22", NOON + KEEP)]
        assert await store.accounts.renew(1, given) == Wallet(160, 30)
        done = await store.jobs.job("done")
        assert done is not None
        assert done.charged == 10
        ended = await store.jobs.finish("runs", 1, a_clip(), 1.0, NOON)
        assert ended is not None
        assert (ended.state, ended.charged) == (State.SUCCEEDED, 30)
        assert await store.accounts.wallet(1) == Wallet(160, 0)
        assert await faults(store) == []


def test_there_is_a_way_back(new_url: str) -> None:
    fill(new_url)
    engine = migration_engine(location(new_url))
    with engine.begin() as connection:
        config = script()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")
        alembic.command.downgrade(config, "0004")
        alembic.command.upgrade(config, "head")
        found = connection.execute(text("SELECT credits, held FROM lot")).all()
        assert [tuple(row) for row in found] == [(60, 30)]
    engine.dispose()
