"""What a child answers in tests: it does as it is asked, well or badly."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any


def opened() -> Any:
    return answer


def answer(question: dict[str, Any], data: bytes) -> dict[str, Any]:
    match question["do"]:
        case "count":
            return {"bytes": len(data), "sum": sum(data)}
        case "hang":
            time.sleep(3600)
        case "eat":
            eaten = []
            while True:
                eaten.append(bytearray(1 << 24))
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
    return {"pid": os.getpid(), "niceness": os.nice(0)}
