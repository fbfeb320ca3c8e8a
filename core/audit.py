"""The log of what moderators did: rows that are added, and each of which seals those before it.

A row's hash is SHA-256 over all that it says and the hash of the row before. So a row that was
changed, taken out or put in shows. Two things do not, unless a head (the newest number and hash)
was noted elsewhere: rows cut off at the end, and a chain that somebody who can write the database
made anew from some row on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.moderation import canonical

BEGINNING = "0" * 64
"""What the first row follows."""


@dataclass(frozen=True, slots=True)
class Row:
    """number: from 1 on, without gaps. key: what for; the same is done once. details: canonical
    JSON. previous, hash: hexadecimal."""

    number: int
    at: datetime
    key: str
    who: str
    rank: str
    server: str
    act: str
    whom: str
    details: str
    previous: str = BEGINNING
    hash: str = ""


def sealed(row: Row, head: Row | None) -> Row:
    """The row as it follows the newest one."""
    number, previous = (head.number + 1, head.hash) if head else (1, BEGINNING)
    placed = replace(row, number=number, previous=previous)
    return replace(placed, hash=digest(placed))


def digest(row: Row) -> str:
    """The hash that the row should have."""
    said = [
        row.number, row.at.astimezone(UTC).isoformat(), row.key, row.who, row.rank, row.server,
        row.act, row.whom, row.details, row.previous,
    ]  # fmt: skip
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def fault(before: Row | None, row: Row) -> str:
    """What is wrong with a row behind the one before it; "" where nothing is."""
    number, previous = (before.number + 1, before.hash) if before else (1, BEGINNING)
    if row.number > number:
        return f"row {number} was taken out"
    if row.number < number:
        return f"row {row.number} was put in"
    if digest(row) != row.hash:
        return f"row {row.number} was changed"
    if row.previous != previous:
        return f"row {row.number} does not follow row {number - 1}: one of them was changed"
    return ""
