"""Strangers' pictures, decoded where they can do no harm.

The bytes go to a child process without our environment, with limits on memory and time, that can
open no file and no socket once it has them; what comes back is a fresh JPEG with nothing in it but
pixels. It is still a process of our user: it could send signals, and a superuser's could raise its
limits again. Each picture has a child of its own, forked by a nurse that has the libraries in
memory: to start Python anew takes five times as long as most pictures do.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from tempfile import TemporaryFile
from typing import Final
from weakref import WeakKeyDictionary

from core.errors import BadPicture, Transient
from core.ports import DecodedPicture

log = logging.getLogger("kinora.picture")

MAX_BYTES: Final = 20_000_000
MAX_ANSWER_BYTES: Final = 64_000_000
AT_ONCE: Final = 2
WAIT_SECONDS: Final = 60
DECODE_SECONDS: Final = 20

CHILD: Final = Path(__file__).with_name("picture_child.py")

_NO_PICTURE = "That is not a picture I can read: send a JPEG, PNG, WebP or GIF."
_DAMAGED = "This picture is damaged or cut short: send it again, or another one."
_TOO_HEAVY = "This picture takes too much work to open: save it as a plain JPEG and send that."

NURSE_LEAVES_SECONDS: Final = 5

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
            return _judged(await _asked(data))
    except TimeoutError:
        raise BadPicture(_TOO_HEAVY) from None
    finally:
        turn.release()


async def _asked(data: bytes) -> bytes:
    """A child's answer. A thread listens and not asyncio, whose subprocesses stall the loop while
    they start, and may wait for ever once they are cancelled."""
    child = _Child()
    try:
        return await asyncio.to_thread(child.asked, data)
    finally:
        child.end()


class _Child:
    """One child process: asked in one thread, and ended from any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hears: socket.socket | None = None
        self._ended = False

    def asked(self, data: bytes) -> bytes:
        """Raises Transient where there is no nurse."""
        hears, says = socket.socketpair()
        with hears, says, TemporaryFile() as picture, _lifeline() as lifeline:
            picture.write(data)
            picture.seek(0)
            with self._lock:
                if self._ended:
                    return b""
                self._hears = hears
            try:
                _NURSE.bear(picture.fileno(), says.fileno(), lifeline)
                says.close()
                answer = bytearray()
                while len(answer) <= MAX_ANSWER_BYTES and (more := hears.recv(1 << 20)):
                    answer += more
                return bytes(answer)
            finally:
                with self._lock:
                    self._hears = None

    def end(self) -> None:
        """Whoever hears it hears no more, and cuts its lifeline."""
        with self._lock:
            self._ended = True
            if self._hears is not None:
                with suppress(OSError):  # the child has closed the other end
                    self._hears.shutdown(socket.SHUT_RDWR)


@contextmanager
def _lifeline() -> Iterator[int]:
    """The end for the nurse, who hears when the block is left."""
    theirs, ours = os.pipe()
    try:
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)


class _Nurse:
    """The process that children are forked from; it begins with the first picture, and again where
    it has ended. Asked from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def bear(self, *files: int) -> None:
        """Fork a child that has these: the picture, its answer, its lifeline. Raises Transient."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._begin()
            assert self._control is not None
            try:
                socket.send_fds(self._control, [b"."], files)
            except OSError as error:
                raise Transient("pictures can't be opened just now", retry_after=5) from error

    def leave(self) -> None:
        with self._lock:
            if self._process is not None and self._control is not None:
                self._control.close()
                with suppress(TimeoutExpired):
                    self._process.wait(NURSE_LEAVES_SECONDS)

    def _begin(self) -> None:
        if self._control is not None:
            self._control.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = Popen(
                (sys.executable, "-I", str(CHILD), "nurse"),
                stdin=theirs.fileno(),
                stdout=DEVNULL,
                stderr=DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )


_NURSE: Final = _Nurse()
atexit.register(_NURSE.leave)


def _judged(answer: bytes) -> DecodedPicture:
    """Take the answer for no more than it can prove: the child may be in a stranger's hands."""
    if not answer:
        log.error("no process could be begun to open a picture")
        raise Transient("pictures can't be opened just now", retry_after=5)
    line, _, jpeg = answer.removeprefix(b"\n").partition(b"\n")
    if not line or len(answer) > MAX_ANSWER_BYTES:  # its limits ended it, or are passed
        raise BadPicture(_TOO_HEAVY)
    head = json.loads(line)
    outcome, width, height = head["outcome"], head.get("width", 0), head.get("height", 0)
    if outcome == "broken":
        raise RuntimeError("the picture process broke")
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
