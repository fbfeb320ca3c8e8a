"""How people are heard on every platform: what they ask for is done, or they are told why not.

A sentence never claims more than is known.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from bots.card import NOTHING_CHARGED
from core.errors import Transient, UserError
from core.job import new_id

log = logging.getLogger("kinora")

NOT_ASKER = "Only who asked for it can do that."


async def objection(work: Callable[[], Awaitable[None]], *silent: type[Exception]) -> str:
    """Do it. What is to be said where it can't be done; "" where it was. Raises `silent` alone."""
    try:
        await work()
    except silent:
        raise
    except UserError as error:
        return error.sentence
    except Transient as error:
        return f"That can't be done just now. Try again in {max(1, round(error.retry_after))} s."
    except Exception:
        reference = new_id()
        log.exception("something asked for in a chat broke, reference %s", reference)
        return f"Something went wrong here. Tell the operator the reference {reference}."
    return ""


@contextmanager
def costless() -> Iterator[None]:
    """What the block refuses also says that it cost nothing."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{error.sentence} {NOTHING_CHARGED}", allowed=error.allowed) from error
