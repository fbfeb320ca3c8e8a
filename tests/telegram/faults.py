"""Things that go wrong on the way, as a test wishes: for methods that fit, so many times."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from tests.telegram.refusals import Refused, flooded


@dataclass
class Fault:
    """Where it applies: to methods that fit `pattern`, in `chat_id` where one is named, whose files
    have `least` bytes or more. And what happens, in this order: the upload is read at `bandwidth`
    bytes/s; the request waits for `delay` seconds; `refusal` is answered instead, or `page` in
    place of JSON; or else the request is done, and then its answer waits for `hang` seconds, or its
    connection is closed where `lost`."""

    pattern: str
    count: int
    chat_id: int | None = None
    least: int = 0
    bandwidth: float = 0.0
    delay: float = 0.0
    refusal: Refused | None = None
    page: bool = False
    hang: float = 0.0
    lost: bool = False
    hit: int = 0


@dataclass
class Faults:
    """pattern: of a method's name, as `edit*`. A fault applies to the next `count` that fit."""

    waiting: list[Fault] = field(default_factory=list)

    def too_many(
        self, pattern: str, count: int = 1, *, retry_after: int = 1, chat_id: int | None = None
    ) -> Fault:
        return self._add(Fault(pattern, count, chat_id, refusal=flooded(retry_after)))

    def broken(
        self, pattern: str, count: int = 1, *, status: int = 502, page: bool = False
    ) -> Fault:
        """Answer 5xx without doing anything. page: with HTML, as a proxy in between does."""
        return self._add(Fault(pattern, count, refusal=Refused("Bad Gateway", status), page=page))

    def refuse(self, pattern: str, refusal: Refused, count: int = 1) -> Fault:
        """Answer a refusal of the test's choice."""
        return self._add(Fault(pattern, count, refusal=refusal))

    def lose(
        self, pattern: str, count: int = 1, *, chat_id: int | None = None, least: int = 0
    ) -> Fault:
        """Do it, and close the connection without a word."""
        return self._add(Fault(pattern, count, chat_id, least, lost=True))

    def hang(self, pattern: str, seconds: float, count: int = 1) -> Fault:
        """Do it, and answer only after so long: for a client with less patience it timed out."""
        return self._add(Fault(pattern, count, hang=seconds))

    def delay(self, pattern: str, seconds: float, count: int = 1) -> Fault:
        """Let the request wait before anything is done."""
        return self._add(Fault(pattern, count, delay=seconds))

    def slow(
        self, pattern: str, bytes_per_second: float, count: int = 1, *, least: int = 0
    ) -> Fault:
        """Read the request slowly."""
        return self._add(Fault(pattern, count, None, least, bandwidth=bytes_per_second))

    def clear(self) -> None:
        self.waiting.clear()

    def _add(self, fault: Fault) -> Fault:
        self.waiting.append(fault)
        return fault

    def reading(self, method: str, size: int) -> float:
        """Bytes/s at which a request of `size` bytes may be read; 0 for no limit."""
        for fault in self.waiting:
            if fault.bandwidth and size >= fault.least and fnmatchcase(method, fault.pattern):
                return self._hit(fault).bandwidth
        return 0.0

    def next(self, method: str, chat_id: str = "", size: int = 0) -> Fault | None:
        """The fault that a request whose files have `size` bytes meets once it was read."""
        for fault in self.waiting:
            here = fault.chat_id is None or str(fault.chat_id) == chat_id
            fits = here and size >= fault.least and fnmatchcase(method, fault.pattern)
            if fits and not fault.bandwidth:
                return self._hit(fault)
        return None

    def _hit(self, fault: Fault) -> Fault:
        fault.hit += 1
        if fault.hit >= fault.count:
            self.waiting.remove(fault)
        return fault
