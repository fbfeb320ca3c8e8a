"""`make bench`: this machine's figures.

    python -m tests.bench [render] [pocket] [queue] [loop]

render: `kinora render` against real time and against encoding the same frames alone.
pocket: words to MP4 with the model in memory, part by part, and against diffusers' own pipeline.
queue: twenty jobs of three accounts: who is served when, and how often an ETA held.
loop: the event loop's longest stall while clips render, pictures go up and clips come down.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from tests.bench import out
from tests.bench.pocket import bench_pocket
from tests.bench.render import bench_render
from tests.bench.service import bench_loop, bench_queue

SECTIONS: dict[str, Callable[[], Coroutine[Any, Any, None] | None]] = {
    "render": bench_render,
    "pocket": bench_pocket,
    "queue": bench_queue,
    "loop": bench_loop,
}


def main() -> None:
    chosen = sys.argv[1:] or list(SECTIONS)
    out.print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
    for name in chosen:
        running = SECTIONS[name]()
        if running is not None:
            asyncio.run(running)


if __name__ == "__main__":
    main()
