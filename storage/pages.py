"""A page of the ledger: what one transaction enters, and what that moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, insert, update

from storage.database import Transaction
from storage.tables import ACCOUNT, ENTRY, LOT

PROMISED = timedelta(hours=24)
"""How long credits stay that come back into a lot which expired meanwhile."""


@dataclass(slots=True)
class Lot:
    """credits: what is left with all that was entered."""

    id: int
    account_id: int
    credits: int
    ends_at: datetime | None
    expires_at: datetime | None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """What is, or was, held of a lot for a job."""

    lot: Lot
    credits: int
    created_at: datetime
    settled: bool


@dataclass(slots=True)
class Page:
    """What one transaction enters, of a job or of none, and what that moves."""

    now: datetime
    job_id: str | None = None
    lines: list[dict[str, Any]] = field(default_factory=list)
    promised: list[Lot] = field(default_factory=list)

    def enter(
        self, lot: Lot, kind: str, key: str | None, available: int, held: int, note: str = ""
    ) -> None:
        """One line. Expiry is no job's."""
        lot.credits += available
        job_id = None if kind == "expiry" else self.job_id
        line = {
            "key": key, "account_id": lot.account_id, "lot_id": lot.id, "job_id": job_id,
            "kind": kind, "available_change": available, "held_change": held, "note": note,
            "created_at": self.now,
        }  # fmt: skip
        self.lines.append(line)

    def expire(self, lot: Lot) -> bool:
        """Whether the lot is past its time; then what is left of it goes."""
        over = lot.expires_at is not None and lot.expires_at <= self.now
        if over and lot.credits:
            self.enter(lot, "expiry", None, -lot.credits, 0)
        return over

    def reopen(self, hold: Hold) -> None:
        """Before credits come back into a lot: one that expired meanwhile stays for a while, if it
        had not ended when they were held."""
        lot = hold.lot
        if self.expire(lot) and lot.ends_at is not None and hold.created_at < lot.ends_at:
            lot.expires_at = self.now + PROMISED
            self.promised.append(lot)

    async def write(self, session: Transaction) -> None:
        """Many rows a statement, and none gives rows back: they cost no round trip of their own."""
        if not self.lines:
            return
        await session.execute(_MOVE_ACCOUNT, self._moves("account_id"))
        await session.execute(_MOVE_LOT, self._moves("lot_id"))
        await session.execute(_ENTER, self.lines)
        if self.promised:
            until = [{"whose": lot.id, "until": lot.expires_at} for lot in self.promised]
            await session.execute(_PROMISE, until)

    def _moves(self, whose: str) -> list[dict[str, int]]:
        sums: dict[int, dict[str, int]] = {}
        for line in self.lines:
            id_ = line[whose]
            move = sums.setdefault(id_, {"whose": id_, "available": 0, "held": 0})
            move["available"] += line["available_change"]
            move["held"] += line["held_change"]
        return list(sums.values())


def _move(table: Table, available: str) -> Any:
    return (
        update(table)
        .where(table.c.id == bindparam("whose"))
        .values({
            available: table.c[available] + bindparam("available"),
            "held": table.c.held + bindparam("held"),
        })
    )  # fmt: skip


_MOVE_ACCOUNT = _move(ACCOUNT, "available")
_MOVE_LOT = _move(LOT, "credits")
_ENTER = insert(ENTRY)
_PROMISE = update(LOT).where(LOT.c.id == bindparam("whose")).values(expires_at=bindparam("until"))
