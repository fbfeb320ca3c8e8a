"""base × seconds × resolution × mode: the price that people can work out for themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.catalog import Model
from core.request import Request

DRAFT_FACTOR = 0.4
RESOLUTION_FACTORS = {"480p": 0.4, "720p": 1.0, "1080p": 2.0}
"""Other sizes cost their share of a 720p frame, at least a tenth."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price in whole credits and the factors it is made of, as (name, factor)."""

    credits: int
    parts: tuple[tuple[str, float], ...]


def price(request: Request, model: Model) -> Price:
    """The price of `request`: at least one credit."""
    share = max(0.1, round((min(request.width, request.height) / 720) ** 2, 2))
    parts = [
        (f"{model.name}, a second", model.credits_per_second),
        (f"{request.seconds:g} s", request.seconds),
        (request.resolution, RESOLUTION_FACTORS.get(request.resolution, share)),
    ]
    if request.draft:
        parts.append(("draft", DRAFT_FACTOR))
    exact = math.prod(factor for _, factor in parts)
    return Price(max(1, math.ceil(exact - 1e-9)), tuple(parts))
