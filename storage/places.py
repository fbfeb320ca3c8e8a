"""Posts, the rules of servers, what becomes of those that move, and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.places import LEFT, Post, Rules, chat, platform, server
from storage.database import Database, insert_new, put, retried
from storage.review_tables import CopyRow, ReportRow
from storage.tables import (
    DELIVERY,
    JOB,
    POST,
    DeliveryRow,
    IdentityRow,
    JobRow,
    PostRow,
    RestraintRow,
    RulesRow,
    TreasuryRow,
)

_NAMED = exists().where(col(JobRow.place) == col(PostRow.place))
"""Whether a job's card is, or was, at a post."""

_THERE = select(POST).where(POST.c.place == bindparam("at"))
_MOVE_JOB = (
    update(JOB)
    .where(JOB.c.id == bindparam("this"))
    .values(place=bindparam("there"), server=bindparam("within"))
)
_MOVE_DELIVERY = (
    update(DELIVERY)
    .where(DELIVERY.c.job_id == bindparam("this"))
    .values(place=bindparam("there"), chat=bindparam("then"))
)

_OF_A_SERVER: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (RulesRow, ()),
    (RestraintRow, ("whom", "kind")),
    (TreasuryRow, ()),
)
"""What is known of one, and what more tells it from others there."""


class SqlPlaces:
    """`core.ports.Places` in SQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @retried
    async def all_rules(self) -> Mapping[str, Rules]:
        async with self.database.reading() as session:
            rows = await session.scalars(select(RulesRow))
            return {row.server: Rules.from_dict(row.rules) for row in rows}

    @retried
    async def set_rules(self, server: str, rules: Rules) -> None:
        async with self.database.writing() as session:
            await session.merge(RulesRow(server=server, rules=rules.as_dict()))

    @retried
    async def follow(self, old: str, new: str) -> None:
        async with self.database.writing() as session:
            await _take_over(session, server(old), server(new))
            also: dict[type[PostRow | JobRow | DeliveryRow], dict[str, str]] = {
                PostRow: {}, JobRow: {"server": server(new)}, DeliveryRow: {"chat": new},
            }  # fmt: skip
            for table, more in also.items():
                place = col(table.place)
                moved = literal(f"{new}/{LEFT}") + func.substr(place, len(old) + 2)
                await session.execute(
                    update(table)
                    .where(place.startswith(f"{old}/", autoescape=True))
                    .values({"place": moved, **more})
                    .execution_options(synchronize_session=False)
                )

    @retried
    async def post(self, place: str) -> Post | None:
        rows = await self.database.ask(_THERE, {"at": place})
        return Post(**rows[0]._mapping) if rows else None

    @retried
    async def keep(self, post: Post, instead_of: str | None = None) -> None:
        async with self.database.changing() as session:
            await session.execute(put(session, POST), [asdict(post)])
            if instead_of is not None:
                await session.execute(delete(PostRow).where(col(PostRow.place) == instead_of))

    @retried
    async def drop(self, place: str) -> None:
        async with self.database.writing() as session:
            await session.execute(delete(PostRow).where(col(PostRow.place) == place))

    @retried
    async def move(self, job_id: str, post: Post) -> None:
        there = {
            "this": job_id, "there": post.place, "within": server(post.place),
            "then": chat(post.place),
        }  # fmt: skip
        async with self.database.changing() as session:
            await session.execute(put(session, POST), [asdict(post)])
            await session.execute(_MOVE_JOB, [there])
            await session.execute(_MOVE_DELIVERY, [there])

    @retried
    async def copied(self, job_id: str, place: str) -> None:
        async with self.database.changing() as session:
            await session.execute(insert_new(session, CopyRow).values(place=place, job_id=job_id))

    @retried
    async def copies(self, job_id: str) -> Sequence[str]:
        found = select(col(CopyRow.place)).where(col(CopyRow.job_id) == job_id)
        async with self.database.reading() as session:
            return list(await session.scalars(found.order_by(col(CopyRow.place))))

    @retried
    async def gone(self, place: str) -> None:
        async with self.database.writing() as session:
            await session.execute(delete(CopyRow).where(col(CopyRow.place) == place))

    @retried
    async def unanswered(self, now: datetime) -> Sequence[Post]:
        good = and_(col(PostRow.token).is_not(None), col(PostRow.token_until) > now)
        waiting = select(PostRow).where(good, ~_NAMED)
        async with self.database.reading() as session:
            rows = await session.scalars(waiting.order_by(col(PostRow.token_until)))
            return [Post(**row.model_dump()) for row in rows]

    @retried
    async def sweep(self, now: datetime) -> None:
        over = col(PostRow.token_until) <= now
        async with self.database.writing() as session:
            await session.execute(
                delete(PostRow).where(over, ~_NAMED).execution_options(synchronize_session=False)
            )
            await session.execute(
                update(PostRow)
                .where(over, col(PostRow.token).is_not(None))
                .values(token=None, token_until=None)
                .execution_options(synchronize_session=False)
            )

    @retried
    async def report(self, job_id: str, account_id: int, place: str, now: datetime) -> bool:
        row = ReportRow(job_id=job_id, account_id=account_id, place=place, created_at=now)
        async with self.database.writing() as session:
            added = await session.scalar(
                insert_new(session, ReportRow)
                .values(**row.model_dump(exclude={"id"}))
                .returning(col(ReportRow.id))
            )
        return added is not None


async def _take_over(session: AsyncSession, old: str, new: str) -> None:
    """What is known of a server is the new one's, unless that has its own."""
    for table, same in _OF_A_SERVER:
        theirs = aliased(table)
        alike = (getattr(theirs, name) == getattr(table, name) for name in same)
        await session.execute(
            update(table)
            .where(col(table.server) == old, ~exists().where(col(theirs.server) == new, *alike))
            .values(server=new)
            .execution_options(synchronize_session=False)
        )
    whose = f"{platform(old)}:server"
    taken, subject = aliased(IdentityRow), new.partition(":")[2]
    known = exists().where(col(taken.platform) == whose, col(taken.subject) == subject)
    mine = (col(IdentityRow.platform) == whose, col(IdentityRow.subject) == old.partition(":")[2])
    await session.execute(
        update(IdentityRow)
        .where(*mine, ~known)
        .values(subject=subject)
        .execution_options(synchronize_session=False)
    )
