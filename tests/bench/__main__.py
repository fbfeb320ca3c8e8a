"""`make bench`: this machine's figures.

    python -m tests.bench [render] [pocket] [queue] [loop] [discord] [telegram] [ledger]
    python -m tests.bench [gate] [sight]
    python -m tests.bench kills [--platform telegram] [--kills 100]

render: `kinora render` against real time and against encoding the same frames alone.
pocket: words to MP4 with the model in memory, part by part, and against diffusers' own pipeline.
queue: twenty jobs of three accounts: who is served when, and how often an ETA held.
loop: the event loop's longest stall while clips render, pictures go up and clips come down.
discord: how long a command waits for its acknowledgement while 200 come in 10 s.
telegram: how long a photo waits for its card while 200 come in 10 s from 50 chats.
ledger: what fifty tasks say to five wallets in a second, beside plain INSERTs.
gate: how long the words of a prompt are looked at, beside its encoder alone.
sight: a picture and a clip through the process that looks, beside its models alone.
kills: kill -9 of the program with its Discord or Telegram room, at random points.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from tests.bench import out
from tests.bench.gate import bench_gate
from tests.bench.kills import PLATFORMS, bench_kills
from tests.bench.ledger import bench_ledger
from tests.bench.load import bench_discord
from tests.bench.pocket import bench_pocket
from tests.bench.render import bench_render
from tests.bench.service import bench_loop, bench_queue
from tests.bench.sight import bench_sight
from tests.bench.telegram import bench_telegram

SECTIONS: dict[str, Callable[[], Coroutine[Any, Any, None] | None]] = {
    "render": bench_render,
    "pocket": bench_pocket,
    "queue": bench_queue,
    "loop": bench_loop,
    "discord": bench_discord,
    "telegram": bench_telegram,
    "ledger": bench_ledger,
    "gate": bench_gate,
    "sight": bench_sight,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, "kills", []])
    parser.add_argument("--kills", type=int, default=100, metavar="TIMES")
    parser.add_argument("--platform", choices=[*PLATFORMS], default="discord")
    asked = parser.parse_args()
    out.print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
    for name in asked.sections or SECTIONS:
        killing = partial(bench_kills, asked.kills, asked.platform)
        running = killing() if name == "kills" else SECTIONS[name]()
        if running is not None:
            asyncio.run(running)


if __name__ == "__main__":
    main()
