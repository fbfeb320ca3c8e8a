"""Everything that Kinora remembers, opened as one thing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, TimeoutError

from core.credentials import Credentials
from core.gifts import GiftBook
from core.inbox import Inbox
from core.leaders import Leaders
from core.ports import Accounts, Clock, Files, Jobs, Moderation, Outbox, Places
from core.privacy import People
from core.provenance import Marks
from core.purchases import Payments
from core.records import Records
from core.reviews import ReviewBook
from core.safety.blocklist import BlockedHashes
from core.usage import Usage
from core.vouchers import VoucherBook
from storage.accounts import SqlAccounts
from storage.blocklist import SqlBlockedHashes
from storage.credentials import SqlCredentials
from storage.database import Database, at_head, upgrade
from storage.files import DiskFiles
from storage.gifts import SqlGifts
from storage.inbox import SqlInbox
from storage.jobs import SqlJobs
from storage.leaders import SqlLeaders
from storage.marks import SqlMarks
from storage.moderation import SqlModeration
from storage.outbox import SqlOutbox
from storage.people import SqlPeople
from storage.places import SqlPlaces
from storage.purchases import SqlPayments
from storage.records import SqlRecords
from storage.reviews import SqlReviews
from storage.usage import SqlUsage
from storage.vouchers import SqlVouchers


@dataclass(frozen=True, slots=True)
class Store:
    """The ports. database: what they share; outside of `storage`, only to have it `alone`."""

    accounts: Accounts
    jobs: Jobs
    inbox: Inbox
    outbox: Outbox
    places: Places
    moderation: Moderation
    payments: Payments
    vouchers: VoucherBook
    gifts: GiftBook
    blocked: BlockedHashes
    files: Files
    credentials: Credentials
    records: Records
    leaders: Leaders
    usage: Usage
    people: People
    reviews: ReviewBook
    marks: Marks
    database: Database
    url: str

    async def ready(self) -> bool:
        """Whether the database can be written now and has the newest schema."""
        try:
            async with self.database.writing() as session:
                await session.execute(text("SELECT 1"))
        except (DBAPIError, TimeoutError):
            return False
        return await at_head(self.url)


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_store(
    url: str, data_dir: Path, keep: timedelta, clock: Clock = utc_now
) -> AsyncIterator[Store]:
    """Bring the database to the newest schema and open it beside the folder of files.

    url: sqlite:///… or postgresql://…; keep: how long clips and pictures stay.
    Raises NoDatabase where it can't be used.
    """
    files = DiskFiles(data_dir, keep, clock)
    await files.prepare()
    await upgrade(url)
    database = Database(url)
    jobs = SqlJobs(database, files.clips, clock)
    try:
        yield Store(
            accounts=SqlAccounts(database, clock),
            jobs=jobs,
            inbox=SqlInbox(database),
            outbox=SqlOutbox(database),
            places=SqlPlaces(database),
            moderation=SqlModeration(database, jobs, clock),
            payments=SqlPayments(database, clock),
            vouchers=SqlVouchers(database, clock),
            gifts=SqlGifts(database),
            blocked=SqlBlockedHashes(database),
            files=files,
            credentials=SqlCredentials(database, clock),
            records=SqlRecords(database, jobs, clock),
            leaders=SqlLeaders(database, clock),
            usage=SqlUsage(database, clock),
            people=SqlPeople(database, jobs, clock),
            reviews=SqlReviews(database, jobs),
            marks=SqlMarks(database, jobs),
            database=database,
            url=url,
        )
    finally:
        await database.close()
