"""Lanes of the queue: the usual one; fast, which costs more and goes first; relaxed, which is free
and goes when nobody else waits.
"""

from __future__ import annotations

from enum import StrEnum

from core.errors import BadPrompt
from core.request import Draft


class Lane(StrEnum):
    FAST = "fast"
    STANDARD = "standard"
    RELAXED = "relaxed"


LANES = tuple(Lane)
"""Those that go first, first."""

MOST_PASSED = {Lane.FAST: 0, Lane.STANDARD: 3, Lane.RELAXED: 9}
"""How many turns in a row better lanes may take while somebody waits in this one: no lane starves,
whoever pays."""

SHARES = {Lane.FAST: 2.0, Lane.STANDARD: 1.0, Lane.RELAXED: 1.0}
"""Of the queue's turns, for an account with many jobs: fast ones cost twice."""

RELAXED_WAITING = 3
"""How many jobs an account may have waiting for nothing."""


def lane_of(draft: Draft) -> Lane:
    """Raises BadPrompt where it names two."""
    if draft.fast and draft.relaxed:
        raise BadPrompt("--fast and --relaxed exclude each other: give one.", flag="relaxed")
    if draft.fast:
        return Lane.FAST
    return Lane.RELAXED if draft.relaxed else Lane.STANDARD
