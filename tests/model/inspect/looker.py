"""What a child answers in tests: it does as it is asked, well or badly."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any


def opened() -> Any:
    return answer


def answer(question: dict[str, Any], data: bytes) -> dict[str, Any]:
    if "look" in question:  # as an inspector asks: what is to be done is in the bytes
        question = {"do": data.decode(), "signal": signal.SIGKILL}
    match question["do"]:
        case "count":
            return {"bytes": len(data), "sum": sum(data)}
        case "hang":
            time.sleep(3600)
        case "eat":
            eaten = []
            while True:
                eaten.append(bytes(1 << 26))  # zeros, which take addresses alone
        case "die":
            os.kill(os.getpid(), int(question["signal"]))
        case "break":
            raise ValueError(f"something private: {data!r}")
        case "open":
            Path(question["path"]).read_bytes()
        case "connect":
            socket.create_connection(("127.0.0.1", 80))
        case "environment":
            return {**os.environ}
        case "see":
            return {"seen": {"scores": {}, "hashes": [], "faces": 0, "at": 0.0}}
    return {"pid": os.getpid(), "niceness": os.nice(0)}
