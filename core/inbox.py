"""What a platform tells us of, kept until it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Protocol


class Inbox(Protocol):
    """What a platform tells us of, written down before it counts as heard: pending, then done."""

    async def keep(self, platform: str, bodies: Mapping[int, str], now: datetime) -> Set[int]:
        """Write updates down, all or none: their bodies by their ids. Those that are new."""
        ...

    async def pending(self, platform: str) -> Sequence[str]:
        """The bodies of what was not done when Kinora was stopped, the oldest first. What was given
        out so ten times and never done is given up."""
        ...

    async def done(self, platform: str, update_ids: Sequence[int]) -> None: ...

    async def sweep(self, now: datetime) -> None:
        """Forget updates so old that no platform repeats them."""
        ...
