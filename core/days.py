"""Days as people have them: from midnight to midnight of a zone, 23 to 25 hours long."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo


def day_of(now: datetime, zone: tzinfo) -> date:
    """The local day of a moment."""
    return now.astimezone(zone).date()


def beginning(day: date, zone: tzinfo) -> datetime:
    """The first moment of a local day, in UTC. Where a clock skips midnight, that is when it does;
    where it comes twice, the first."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def next_month(day: date) -> date:
    """The first day of the month after."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
