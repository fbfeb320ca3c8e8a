"""Strangers' pictures, decoded where they can do no harm.

The bytes go to a child process with limits on memory, time and files and without our environment;
what comes back is a fresh JPEG with nothing in it but pixels.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
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

    JPEG, PNG, WebP and the first frame of a GIF, by their content; AT_ONCE of them at a time.
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
        return _judged(*await _ask_child(data))
    finally:
        turn.release()


async def _ask_child(data: bytes) -> tuple[int, bytes]:
    """The child's exit status and its answer. Raises BadPicture when it goes beyond its limits."""
    # a file: asyncio's own pipe to a child breaks when it is cancelled while it closes
    with TemporaryFile() as given:
        await asyncio.to_thread(given.write, data)
        given.seek(0)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(CHILD),
            stdin=given,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
        )
    try:
        async with asyncio.timeout(DECODE_SECONDS):
            answer = await _heard(child)
            return await child.wait(), answer
    except TimeoutError:
        raise BadPicture(_TOO_HEAVY) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.communicate()  # an unread pipe would keep wait() waiting


async def _heard(child: asyncio.subprocess.Process) -> bytes:
    assert child.stdout is not None
    answer = bytearray()
    while part := await child.stdout.read(1 << 20):
        answer += part
        if len(answer) > MAX_ANSWER_BYTES:
            raise BadPicture(_TOO_HEAVY)
    return bytes(answer)


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
