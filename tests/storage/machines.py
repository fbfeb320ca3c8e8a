"""Orders of events that nobody thought of, played on a store."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from storage.store import Store, open_store
from tests.storage.books import faults
from tests.storage.samples import KEEP, SetClock

EXAMPLES = int(os.environ.get("KINORA_TEST_EXAMPLES", "200"))


class Machine(RuleBasedStateMachine):
    """Somebody's acts on a store."""

    store: Store
    clock: SetClock
    runner: asyncio.Runner


def play(machine: type[Machine], url: str, folder: Path, examples: int, steps: int) -> None:
    """examples: orders of events; steps: events of each."""
    with asyncio.Runner() as runner:
        stack, clock = AsyncExitStack(), SetClock()
        store = runner.run(stack.enter_async_context(open_store(url, folder / "data", KEEP, clock)))
        played = type(
            machine.__name__, (machine,), {"store": store, "clock": clock, "runner": runner}
        )
        try:
            run_state_machine_as_test(
                played,
                settings=settings(
                    max_examples=max(1, examples),
                    stateful_step_count=steps,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
            assert runner.run(faults(store)) == []
        finally:
            runner.run(stack.aclose())
