"""Strangers' pictures, decoded where they can do no harm.

The bytes go to a child process without our environment, with limits on memory and time, that can
open no file and no socket once it has them; what comes back is a fresh JPEG with nothing in it but
pixels. It is still a process of our user: it could send signals, and a superuser's could raise its
limits again.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryFile
from typing import Final
from weakref import WeakKeyDictionary

from core.errors import BadPicture, Transient
from core.ports import DecodedPicture

MAX_BYTES: Final = 20_000_000
MAX_ANSWER_BYTES: Final = 64_000_000
AT_ONCE: Final = 2
WAIT_SECONDS: Final = 60
DECODE_SECONDS: Final = 20

CHILD: Final = Path(__file__).with_name("picture_child.py")

_NO_PICTURE = "That is not a picture I can read: send a JPEG, PNG, WebP or GIF."
_DAMAGED = "This picture is damaged or cut short: send it again, or another one."
_TOO_HEAVY = "This picture takes too much work to open: save it as a plain JPEG and send that."

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def decode(data: bytes) -> DecodedPicture:
    """A clean JPEG of the picture in `data`: upright, sRGB, without metadata, 4096 px at most.

    JPEG, PNG, WebP and the first frame of a GIF, an MP4 or a WebM, by their content; AT_ONCE of
    them at a time.
    Raises BadPicture with what is allowed, and Transient where the queue is too long.
    """
    if not data:
        raise BadPicture("The file is empty: send a JPEG, PNG, WebP or GIF.")
    if len(data) > MAX_BYTES:
        raise BadPicture(f"A picture can have up to 20 MB; this one has {len(data) / 1e6:.3g}.")
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await turn.acquire()
    except TimeoutError:
        raise Transient("too many pictures at once", retry_after=10) from None
    try:
        async with asyncio.timeout(DECODE_SECONDS):
            return _judged(*await _asked(data))
    except TimeoutError:
        raise BadPicture(_TOO_HEAVY) from None
    finally:
        turn.release()


async def _asked(data: bytes) -> tuple[int, bytes]:
    """The child's exit status and its answer. A thread listens and not asyncio, whose subprocesses
    stall the loop while they start, and may wait for ever once they are cancelled."""
    child = _Child()
    try:
        return await asyncio.to_thread(child.asked, data)
    finally:
        child.end()


class _Child:
    """One child process: asked in one thread, and ended from any."""

    def __init__(self) -> None:
        self._process: Popen[bytes] | None = None
        self._ended = False

    def asked(self, data: bytes) -> tuple[int, bytes]:
        with TemporaryFile() as given:
            given.write(data)
            given.seek(0)
            self._process = Popen(
                (sys.executable, "-I", str(CHILD)),
                stdin=given,
                stdout=PIPE,
                stderr=DEVNULL,
                env={},
                cwd="/",
            )
        with self._process as process:
            if self._ended:
                process.kill()
            assert process.stdout is not None
            answer = process.stdout.read(MAX_ANSWER_BYTES + 1)
            if len(answer) > MAX_ANSWER_BYTES:
                process.kill()
            return process.wait(), answer

    def end(self) -> None:
        self._ended = True
        if self._process is not None:
            self._process.kill()


def _judged(status: int, answer: bytes) -> DecodedPicture:
    """Take the answer for no more than it can prove: the child may be in a stranger's hands."""
    if status < 0:
        raise BadPicture(_TOO_HEAVY)
    if status > 0:
        raise RuntimeError(f"the picture process ended with status {status}")
    line, _, jpeg = answer.partition(b"\n")
    head = json.loads(line)
    outcome, width, height = head["outcome"], head.get("width", 0), head.get("height", 0)
    if outcome == "ok" and jpeg.startswith(b"\xff\xd8\xff"):
        return DecodedPicture(jpeg, int(width), int(height))
    raise BadPicture(
        {
            "no-picture": _NO_PICTURE,
            "too-heavy": _TOO_HEAVY,
            "too-many-pixels": "A picture can have up to 25 megapixels; "
            f"this one has {width * height / 1e6:.3g}.",
            "too-small": "A picture needs sides of at least 16 pixels; "
            f"this one is {width} by {height}.",
            "too-long": "A picture's long side can be up to 10 times its short side; "
            f"this one is {width} by {height}.",
        }.get(outcome, _DAMAGED)
    )
