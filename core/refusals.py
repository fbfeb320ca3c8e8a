"""What is asked for and not taken, told to whoever counts it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from core.errors import NotEnoughCredits, Refused, TooMany, Transient
from core.places import server

Count = Callable[[str, str, str], Awaitable[None]]
"""A server, a model ("" where none was named), and the name of the error."""


@asynccontextmanager
async def counted(count: Count | None, place: str, model: str | None) -> AsyncIterator[None]:
    """Whatever is refused within."""
    try:
        yield
    except (Refused, NotEnoughCredits, TooMany) as error:
        if count is not None:
            with suppress(Transient):
                await count(server(place), model or "", type(error).__name__)
        raise
