"""Secrets that open an account. Only their SHA-256 is stored, and found by: what the database
holds opens nothing, and no comparison of secrets takes a time that tells about them. A plain hash
does because the secrets are random and long; a password would need a slow one."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.job import Account
from core.ports import Clock
from storage.accounts import BY_ID, account_of
from storage.database import Database, insert_new, retried
from storage.tables import CredentialRow


class SqlCredentials:
    """`core.credentials.Credentials` in SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self._clock = clock

    @retried
    async def add(
        self, kind: str, secret: str, account_id: int, name: str, expires_at: datetime | None
    ) -> None:
        """A secret that is there already gets this account, name and expiry; one that was
        redeemed stays so. Expired ones are removed on the way."""
        digest = _digest(secret)
        now = self._clock()
        async with self.database.writing() as session:
            await session.execute(delete(CredentialRow).where(col(CredentialRow.expires_at) <= now))
            added = await session.scalar(
                insert_new(session, CredentialRow)
                .values(
                    kind=kind,
                    digest=digest,
                    account_id=account_id,
                    name=name,
                    created_at=now,
                    expires_at=expires_at,
                )
                .returning(col(CredentialRow.digest))
            )
            if added is None:
                await session.execute(
                    update(CredentialRow)
                    .where(_same(kind, digest))
                    .values(account_id=account_id, name=name, expires_at=expires_at)
                )

    @retried
    async def account_for(self, kind: str, secret: str, now: datetime) -> Account | None:
        async with self.database.reading() as session:
            account_id = await session.scalar(
                select(col(CredentialRow.account_id)).where(
                    _same(kind, _digest(secret)), _opens(now)
                )
            )
            return await _account(session, account_id)

    @retried
    async def redeem(self, kind: str, secret: str, now: datetime) -> Account | None:
        async with self.database.writing() as session:
            account_id = await session.scalar(
                update(CredentialRow)
                .where(_same(kind, _digest(secret)), _opens(now))
                .values(redeemed_at=now)
                .returning(col(CredentialRow.account_id))
                .execution_options(synchronize_session=False)
            )
            return await _account(session, account_id)

    @retried
    async def revoke(self, kind: str, secret: str) -> None:
        async with self.database.writing() as session:
            await session.execute(delete(CredentialRow).where(_same(kind, _digest(secret))))

    @retried
    async def revoke_all(self, kind: str, name: str) -> int:
        async with self.database.writing() as session:
            revoked = await session.scalars(
                delete(CredentialRow)
                .where(col(CredentialRow.kind) == kind, col(CredentialRow.name) == name)
                .returning(col(CredentialRow.digest))
                .execution_options(synchronize_session=False)
            )
            return len(revoked.all())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _same(kind: str, digest: str) -> ColumnElement[bool]:
    return and_(col(CredentialRow.kind) == kind, col(CredentialRow.digest) == digest)


def _opens(now: datetime) -> ColumnElement[bool]:
    return and_(
        col(CredentialRow.redeemed_at).is_(None),
        or_(col(CredentialRow.expires_at).is_(None), col(CredentialRow.expires_at) > now),
    )


async def _account(session: AsyncSession, account_id: int | None) -> Account | None:
    if account_id is None:
        return None
    return account_of((await session.execute(BY_ID, {"whose": account_id})).all())
