"""Whether the event loop keeps its beat. A loop that stalls makes every chat wait."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry, Gauge, Histogram

BEAT_SECONDS = 0.01
BUCKETS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Pulse:
    """Run it as one task: it measures by how much each beat comes late."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._late = Histogram(
            "kinora_loop_late_seconds",
            "How late the event loop came to a timer.",
            buckets=BUCKETS,
            registry=registry,
        )
        self._longest = Gauge(
            "kinora_loop_longest_stall_seconds",
            "The longest that the event loop kept a timer waiting since the start.",
            registry=registry,
        )

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        longest = 0.0
        while True:
            due = loop.time() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            late = max(0.0, loop.time() - due)
            self._late.observe(late)
            if late > longest:
                longest = late
                self._longest.set(late)
