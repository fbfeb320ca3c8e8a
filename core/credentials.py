"""What opens an account on the page: for whoever keeps it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from core.job import Account


class Credentials(Protocol):
    """Secrets that open an account: keys, sessions, one-time links. Only hashes are kept."""

    async def add(
        self, kind: str, secret: str, account_id: int, name: str, expires_at: datetime | None
    ) -> None: ...

    async def account_for(self, kind: str, secret: str, now: datetime) -> Account | None: ...

    async def redeem(self, kind: str, secret: str, now: datetime) -> Account | None:
        """As `account_for`, but the first time only."""
        ...

    async def revoke(self, kind: str, secret: str) -> None: ...

    async def revoke_all(self, kind: str, name: str) -> int:
        """Revoke every secret of that kind and name, whoever's it is. Gives how many they were."""
        ...
