"""A clip encoded again to fit a size, in a child process: `python -m model.shrink FROM TO BYTES`.

The child is one of ours, working on a file of ours; it is apart so that a large clip neither holds
up the event loop nor fills its memory.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

WAIT_SECONDS: Final = 240.0
SHRINK_SECONDS: Final = 240.0
NICENESS: Final = 10
TOO_SMALL: Final = 3
"""The child's exit status where no encoding fits."""

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def shrink(clip: Path, max_bytes: int) -> Path | None:
    """`core.ports.Shrink`: a file of the caller's own with at most `max_bytes`, one at a time.

    None where it can't be made that small, or takes too long. Who is cancelled leaves no file and
    no child.
    """
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await turn.acquire()
    except TimeoutError:
        return None
    encoding = _Encoding()
    shrinking = asyncio.ensure_future(asyncio.to_thread(_shrunk, encoding, clip, max_bytes))
    shrinking.add_done_callback(lambda _: turn.release())
    try:
        return await asyncio.shield(shrinking)
    except asyncio.CancelledError:
        encoding.give_up()
        shrinking.add_done_callback(_leave_nothing)
        raise


class _Encoding:
    """The child that encodes, which another thread may end, also before it began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self.given_up = False

    def run(self, command: tuple[str, ...]) -> int:
        """Its exit status. Raises TimeoutExpired."""
        with self._lock:
            if self.given_up:
                return TOO_SMALL
            self._child = child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        with child:
            try:
                return child.wait(SHRINK_SECONDS)
            finally:
                child.kill()

    def give_up(self) -> None:
        with self._lock:
            self.given_up = True
            if self._child is not None:
                self._child.kill()


def _leave_nothing(shrunk: asyncio.Future[Path | None]) -> None:
    """Nobody waits for the file any more."""
    if not shrunk.cancelled() and shrunk.exception() is None and (path := shrunk.result()):
        path.unlink(missing_ok=True)


def _shrunk(encoding: _Encoding, clip: Path, max_bytes: int) -> Path | None:
    handle, name = tempfile.mkstemp(prefix="kinora-", suffix=".mp4")
    os.close(handle)
    target = Path(name)
    command = (sys.executable, "-m", "model.shrink", str(clip), name, str(max_bytes))
    try:
        status = encoding.run(command)
    except subprocess.TimeoutExpired:
        target.unlink(missing_ok=True)
        return None
    if status == 0:
        return target
    target.unlink(missing_ok=True)
    if status != TOO_SMALL and not encoding.given_up:
        raise RuntimeError(f"encoding a clip again ended with status {status}")
    return None


def main() -> int:
    """The child."""
    from model import video

    os.nice(NICENESS)
    source, target, max_bytes = sys.argv[1:]
    return 0 if video.shrink(Path(source), Path(target), int(max_bytes)) else TOO_SMALL


if __name__ == "__main__":
    sys.exit(main())
