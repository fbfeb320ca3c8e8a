"""The process that renders: one attempt at a time, one model in memory. Knows no queue, no retry.

`python -m model.runner` reads commands from its standard input and reports on its standard output
(`model.engines.wire`). It ends when its input does, so it never outlives its parent.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import gc
import importlib
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Final

import cv2

from core.engine import Failed, Progressed, Rendered, Stage, Stopped
from core.errors import UserError
from core.job import new_id
from core.request import Request
from model import video
from model.engines import wire
from model.families import Family, load
from model.family import Cancelled, Frame, Given, Loaded
from model.provenance.label import labelled
from model.provenance.watermark import marked

IDLE_SECONDS: Final = 1.0
"""After how long without work the warm model is loaded."""

PROGRESS_SECONDS: Final = 0.25
PREVIEW_SECONDS: Final = 0.7
PREVIEW_SIDE: Final = 320
PREVIEW_QUALITY: Final = 70

NO_MEMORY = "This clip needs more memory than there is. A shorter or a smaller one may fit."
NO_MEMORY_WORDS = ("can't allocate memory", "Cannot allocate memory", "Insufficient memory")
"""How torch, the system and OpenCV say it, where the type does not."""

NO_DISK = "The disk has no room for this clip."
A_BUG = "Something went wrong while this clip was made."

log = logging.getLogger("kinora.runner")


class Voice:
    """The line to the parent; any thread may speak. Without a listener there is no work."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def say(self, report: wire.Report) -> None:
        line = wire.line(report)
        with self._lock:
            try:
                self._out.write(line)
                self._out.flush()
            except OSError:
                os._exit(0)


class Attempt:
    """What one attempt says: numbered, thinned out, and Cancelled once `stop` is set."""

    def __init__(self, submit: wire.Submit, voice: Voice) -> None:
        self.submit = submit
        self.job_id, self.attempt = submit.job_id, submit.attempt
        self.stop = threading.Event()
        self._voice = voice
        self._sequence = 0
        self._stage: Stage | None = None
        self._progress_due = 0.0
        self._preview_due = 0.0

    def is_for(self, job_id: str, attempt: int) -> bool:
        return (self.job_id, self.attempt) == (job_id, attempt)

    def say(
        self, kind: Callable[..., Progressed | Rendered | Failed | Stopped], **fields: object
    ) -> None:
        self._voice.say(kind(self.job_id, self.attempt, self._sequence, **fields))
        self._sequence += 1

    def enter(self, stage: Stage) -> None:
        self.check()
        if stage is not self._stage:
            self._stage = stage
            self.say(Progressed, stage=stage)

    def check(self) -> None:
        """Raises Cancelled."""
        if self.stop.is_set():
            raise Cancelled

    def step(self, done: int, of: int, preview: Callable[[], Frame] | None = None) -> None:
        """A `model.family.Step`."""
        self.check()
        if self._stage is Stage.ENCODING:
            return
        now = time.monotonic()
        if now < self._progress_due and done < of:
            return
        picture = None
        if preview is not None and now >= self._preview_due and done < of:
            picture = small_jpeg(preview())
            self._preview_due = time.monotonic() + PREVIEW_SECONDS
        self._stage = Stage.RENDERING
        self.say(Progressed, stage=self._stage, step=done, steps=of, preview=picture)
        self._progress_due = time.monotonic() + PROGRESS_SECONDS
        if done >= of:
            self.enter(Stage.ENCODING)


class Runner:
    """Renders orders one after the other; keeps the last model in memory."""

    def __init__(self, families: Sequence[Family], voice: Voice) -> None:
        self._families = families
        self._voice = voice
        self._resident: tuple[str, Loaded] | None = None
        self.loading = False

    def warm(self, name: str) -> None:
        """Load a model before anybody asks for it. Failing at that is no reason to end."""
        try:
            self._load(name)
        except Exception:
            log.exception("could not load %s ahead of time", name)

    def attend(self, attempt: Attempt) -> None:
        """Make one attempt and say how it ended."""
        request = attempt.submit.spec.request
        try:
            self._render(attempt)
        except Cancelled:
            attempt.say(Stopped)
        except UserError as error:
            attempt.say(Failed, sentence=error.sentence, reference=_noted(attempt, request))
        except Exception as error:
            if sentence := _shortage(error):
                self._resident = None
            reference = _noted(attempt, request)
            attempt.say(Failed, sentence=sentence or A_BUG, reference=reference)

    def _render(self, attempt: Attempt) -> None:
        began = time.monotonic()
        spec, request = attempt.submit.spec, attempt.submit.spec.request
        attempt.check()
        if not self.has(request.model):
            attempt.enter(Stage.LOADING)
        loaded = self._load(request.model)
        attempt.enter(Stage.RENDERING)
        given = Given(spec.picture, spec.last_picture, spec.previous)
        clip, poster = spec.folder / "clip.mp4", spec.folder / "poster.jpg"
        frames: Iterator[Frame] = _exactly(
            request.num_frames, loaded.frames(request, given, attempt.step)
        )
        if spec.previous is not None:
            frames = chain(video.read(spec.previous), islice(frames, 1, None))
        if spec.label is not None:
            frames = labelled(frames, spec.label, request.frame_rate)
        if spec.word is not None:
            frames = marked(frames, spec.word)
        num_frames = video.write(
            clip,
            _watched(frames, attempt, poster),
            frame_rate=request.frame_rate,
            width=request.width,
            height=request.height,
        )
        attempt.check()
        attempt.say(
            Rendered,
            video=clip,
            poster=poster,
            width=request.width,
            height=request.height,
            num_frames=num_frames,
            frame_rate=request.frame_rate,
            run_seconds=time.monotonic() - began,
        )

    def has(self, name: str) -> bool:
        """Whether a model is in memory."""
        return self._resident is not None and self._resident[0] == name

    def _load(self, name: str) -> Loaded:
        if self._resident is not None and self.has(name):
            return self._resident[1]
        self._forget()
        self.loading = True
        self._voice.say(wire.Beat(loading=True))
        try:
            loaded = load(name, self._families)
        finally:
            self.loading = False
            self._voice.say(wire.Beat(loading=False))
        self._resident = name, loaded
        return loaded

    def _forget(self) -> None:
        """Give the resident model's memory back."""
        self._resident = None
        gc.collect()
        if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()


def small_jpeg(frame: Frame) -> bytes:
    """A JPEG of at most PREVIEW_SIDE pixels on the long side."""
    height, width = frame.shape[:2]
    shrink = min(1.0, PREVIEW_SIDE / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    fine, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, PREVIEW_QUALITY])
    if not fine:
        raise RuntimeError("no JPEG came of the preview")
    return data.tobytes()


def _exactly(num_frames: int, frames: Iterator[Frame]) -> Iterator[Frame]:
    """The frames as they come. Raises RuntimeError where there are more or fewer."""
    made = 0
    for frame in frames:
        made += 1
        if made > num_frames:
            break
        yield frame
    if made != num_frames:
        raise RuntimeError(f"the model made {made} frames or more, not {num_frames}")


def _watched(frames: Iterator[Frame], attempt: Attempt, poster: Path) -> Iterator[Frame]:
    """Each frame on its way to the file: the first becomes the poster, any may be the last."""
    for index, frame in enumerate(frames):
        attempt.check()
        if index == 0:
            video.write_poster(poster, frame)
        yield frame


def _shortage(error: Exception) -> str | None:
    """The sentence for an error that means: too little memory or disk."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NO_DISK
    starved = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if starved or any(words in str(error) for words in NO_MEMORY_WORDS):
        return NO_MEMORY
    return None


def _noted(attempt: Attempt, request: Request) -> str:
    """Write down the traceback under a new reference, without the words of the request."""
    reference = new_id()[:8]
    text = traceback.format_exc()
    for words in (request.prompt, request.negative_prompt):
        if words:
            text = text.replace(words, "[words]").replace(repr(words)[1:-1], "[words]")
    log.error(
        "reference %s, job %s attempt %d\n%s", reference, attempt.job_id, attempt.attempt, text
    )
    return reference


def main() -> None:
    """OMP_WAIT_POLICY: threads that spin while they wait made a busy machine ten times slower."""
    options = _options()
    commands, out = _take_pipes()
    _die_with_parent()
    os.nice(options.nice)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if options.threads:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)
        cv2.setNumThreads(options.threads)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    module, _, name = options.families.partition(":")
    families = getattr(importlib.import_module(module), name or "FAMILIES")
    voice = Voice(out)
    runner = Runner(families, voice)
    asked: queue.SimpleQueue[Attempt] = queue.SimpleQueue()
    hearing = commands, asked, runner, voice
    threading.Thread(target=_listen, args=hearing, daemon=True).start()
    threading.Thread(target=_beat, args=(runner, voice, options.beat), daemon=True).start()
    if options.warm:
        try:
            runner.attend(asked.get(timeout=IDLE_SECONDS))
        except queue.Empty:
            runner.warm(options.warm)
    while True:
        runner.attend(asked.get())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="model.runner", description=__doc__)
    parser.add_argument("--families", default="model.families", help="module[:name] of a tuple")
    parser.add_argument("--warm", metavar="MODEL", help="a model to load while nobody asks")
    parser.add_argument("--threads", type=int, help="processor threads for a model")
    parser.add_argument("--nice", type=int, default=0, help="how far to stand back for others")
    parser.add_argument("--beat", type=float, default=1.0, help="seconds between signs of life")
    return parser.parse_args()


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for ourselves: what a library prints goes to standard error."""
    commands, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return commands, out


def _die_with_parent() -> None:
    """On Linux the kernel ends us with the parent, even where reading our input hangs."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _listen(
    commands: BinaryIO, asked: queue.SimpleQueue[Attempt], runner: Runner, voice: Voice
) -> None:
    """What has to wait for a model that is being loaded says so at once."""
    newest: Attempt | None = None
    with suppress(OSError, ValueError):
        for line in commands:
            match wire.command(line):
                case wire.Submit() as submit:
                    newest = Attempt(submit, voice)
                    if runner.loading:
                        newest.enter(Stage.LOADING)
                    asked.put(newest)
                case wire.Cancel(job_id, attempt) if newest and newest.is_for(job_id, attempt):
                    newest.stop.set()
    os._exit(0)


def _beat(runner: Runner, voice: Voice, seconds: float) -> None:
    while True:
        voice.say(wire.Beat(loading=runner.loading))
        time.sleep(seconds)


if __name__ == "__main__":
    main()
