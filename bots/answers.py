"""What a platform answered to its library, which takes for granted that it was the platform."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import Transient

log = logging.getLogger("kinora.answers")

LONGEST_REASON = 200
SOON_SECONDS = 5.0
"""Until something that is not there just now is tried again."""


@contextmanager
def understood(api: str, url: str) -> Iterator[None]:
    """api: what should answer at `url`, as "Discord's API".

    Raises Transient where what answered has another form, as a page to log in has.
    """
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        log.debug("an answer of another form", exc_info=error)
        raise Transient(f"what answers at {url} is not {api}", SOON_SECONDS) from error


def reason(error: BaseException) -> str:
    """An error in a line; some carry a whole page that a proxy answered."""
    return " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
