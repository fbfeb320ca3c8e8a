"""Wares: what an operator offers for money, as data.

Pure. Knows nothing of who takes the money; what was paid for is `core.purchases`' business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ware:
    """What each payment brings.

    credits: as a lot of their own, for `kept_days`; None: they never expire. plan: for `days`, one
    payment's behind another's, unless who takes the money says until when. stars: the price in
    Telegram Stars, sku: Discord's id of it; None: not offered there. renews: it is paid again and
    again until somebody ends that.
    """

    name: str
    title: str
    description: str = ""
    credits: int = 0
    kept_days: int | None = None
    plan: str | None = None
    days: int | None = None
    stars: int | None = None
    sku: str | None = None
    renews: bool = False


@dataclass(frozen=True, slots=True)
class Wares:
    """Every ware that there is, by its name. on: whether any is offered; what was paid for is
    honoured all the same."""

    by_name: Mapping[str, Ware] = field(default_factory=dict)
    on: bool = False

    def for_stars(self) -> Sequence[Ware]:
        """What is offered for Telegram Stars."""
        return [ware for ware in self._offered() if ware.stars is not None]

    def for_skus(self) -> Sequence[Ware]:
        """What is offered on Discord."""
        return [ware for ware in self._offered() if ware.sku is not None]

    def by_sku(self, sku: str) -> Ware | None:
        """Offered now or not: somebody may have paid for it."""
        return next((ware for ware in self.by_name.values() if ware.sku == sku), None)

    def _offered(self) -> Sequence[Ware]:
        return list(self.by_name.values()) if self.on else []
