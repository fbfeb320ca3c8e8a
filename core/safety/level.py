"""How strict a place is."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """ADULT: in age-restricted channels only, where the operator allows it."""

    STRICT = "strict"
    STANDARD = "standard"
    ADULT = "adult"

    def within(self, most: Level) -> bool:
        """Whether it lets no more pass than `most`."""
        order = tuple(Level)
        return order.index(self) <= order.index(most)


def level_at(wanted: Level, *, restricted: bool, adult_allowed: bool) -> Level:
    """The level that holds. wanted: by the server's rules; restricted: the channel says that it is
    for adults; adult_allowed: the operator does."""
    if wanted is Level.ADULT and not (restricted and adult_allowed):
        return Level.STANDARD
    return wanted
