"""The other end of `model.inspect.process`: a process that limits itself, loads a module, answers.

    python -m model.inspect.child MODULE MEMORY_BYTES NICENESS

stdin is a socket to who asks. Once the module has loaded, no file and no socket can be opened any
more. Each ask is a line of JSON, {"question": …, "bytes": 7, "seconds": 5.0}, and so many bytes;
each answer a line of JSON, or {"error": "ValueError in sight.py"}. The process ends when nobody is
at the other end, when an answer is overdue, and after it ran out of memory.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import resource
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

Answer = Callable[[dict[str, Any], bytes], dict[str, Any]]

GRACE_SECONDS: Final = 5
"""Who asks ends an overdue process before it has to end by itself."""


def main() -> None:
    module, memory_bytes, niceness = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.nice(niceness)
    limit(memory_bytes)
    asker = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    threading.Thread(target=leave_with, args=(asker,), daemon=True).start()
    try:
        answer: Answer = importlib.import_module(module).opened()
    except Exception as error:  # whatever a library raises that can't be loaded
        with asker.makefile("wb") as stream:
            say(stream, {"error": named(error)})
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, 1))  # not 0, or nobody could poll stdin either
    with asker.makefile("rwb") as stream:
        say(stream, {"ready": True})
        while line := stream.readline():
            head = json.loads(line)
            signal.alarm(math.ceil(head["seconds"]) + GRACE_SECONDS)
            data = stream.read(head["bytes"])
            said = answered(answer, head["question"], data)
            del data
            signal.alarm(0)
            say(stream, said)
            if said.get("leaving"):
                break


def answered(answer: Answer, question: dict[str, Any], data: bytes) -> dict[str, Any]:
    try:
        return answer(question, data)
    except MemoryError:
        return {"error": "out of memory", "leaving": True}
    except Exception as error:  # whatever a model or a decoder raises
        return {"error": named(error)}


def named(error: Exception) -> str:
    """ "ValueError in sight.py": nothing of what was asked."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = Path(trace.tb_frame.f_code.co_filename).name if trace is not None else "?"
    return f"{type(error).__name__} in {where}"


def say(stream: Any, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer).encode() + b"\n")
    stream.flush()


def limit(memory_bytes: int) -> None:
    limits = {resource.RLIMIT_AS: memory_bytes, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    if sys.platform == "darwin":
        del limits[resource.RLIMIT_AS]  # macOS refuses to set it
    for which, most in limits.items():
        _, hard = resource.getrlimit(which)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))


def leave_with(asker: socket.socket) -> None:
    """End the process once the other end is gone, whatever it does just then."""
    poll = select.poll()
    poll.register(asker, getattr(select, "POLLRDHUP", select.POLLHUP))
    poll.poll()
    os._exit(0)


if __name__ == "__main__":
    main()
