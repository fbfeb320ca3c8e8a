"""base × seconds × resolution × mode: the price that people can work out for themselves."""

from __future__ import annotations

import math
from itertools import pairwise

from core.job import Price
from core.lanes import Lane
from core.places import lines
from core.request import Request

DRAFT_FACTOR = 0.4
FAST_FACTOR = 2.0
RESOLUTION_FACTORS = ((0, 0.0), (480, 0.4), (720, 1.0), (1080, 2.0))
"""By lines; straight between them, and beyond the last as before it."""


def price(request: Request, base: float, lane: Lane = Lane.STANDARD) -> Price:
    """The price of `request`: at least one credit. In the relaxed lane that is not asked for.

    base: credits for a second at 720p.
    """
    parts = [
        (f"{request.model}, a second", base),
        (f"{request.seconds:.3g} s", request.seconds),
        (request.resolution, round(resolution_factor(request.resolution), 3)),
    ]
    if request.draft:
        parts.append(("draft", DRAFT_FACTOR))
    if lane is Lane.FAST:
        parts.append((lane.value, FAST_FACTOR))
    exact = math.prod(factor for _, factor in parts)
    return Price(max(1, math.ceil(exact - 1e-9)), tuple(parts))


def priced_seconds(request: Request) -> float:
    """Its length in seconds of 720p that cost as much, whatever the base and the lane."""
    mode = DRAFT_FACTOR if request.draft else 1.0
    return request.seconds * resolution_factor(request.resolution) * mode


def resolution_factor(resolution: str) -> float:
    """What a second of it costs beside one of 720p: 0.4 for 480p, 2 for 1080p."""
    asked = lines(resolution)
    for (low, below), (high, above) in pairwise(RESOLUTION_FACTORS):
        if asked <= high or high == RESOLUTION_FACTORS[-1][0]:
            return below + (above - below) * (asked - low) / (high - low)
    raise AssertionError("the last part goes on for ever")
