"""One Kinora for each data directory, by a lock that ends with its process."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bots.settings import Settings
from core.errors import KinoraError

LOCK = "kinora.lock"


class Busy(KinoraError):
    """Another Kinora has the data or the database, or somebody has the port."""


def is_running(settings: Settings) -> bool:
    """Whether a Kinora works with this data directory. Looking changes nothing."""
    if not (settings.data_dir / LOCK).exists():
        return False
    try:
        with holding(settings.data_dir):
            return False
    except Busy:
        return True


@contextmanager
def holding(data_dir: Path) -> Iterator[None]:
    """Hold the data directory. Raises Busy."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(f"Another Kinora is running with the data in {data_dir}.") from None
        with contextlib.ExitStack() as held:
            held.callback(fcntl.flock, lock, fcntl.LOCK_UN)
            yield
