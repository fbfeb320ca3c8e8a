"""`KINORA_TEST_SHARED=… python -m tests.safety.report`: what the gate for words makes of the sets.

By set and by category, in percent: what rules alone refuse or hold, what rules and head together
do, of all prompts of a set and of those that the head was not shown when it learned. Then what ten
disguises hide of what is held plain. `--data DIR` names a folder of other sets: JSON lines with
`text`, `cat`, and `unsafe` (true or false).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.safety.level import Level
from core.safety.verdict import Ruling
from model.inspect.training.prompts import SETS, Prompt, held_back, prompts
from tests.safety.measured import Found, WordGate, percent
from tests.safety.obfuscations import TEN

JUDGED = {True: "unsafe", False: "safe", None: "not judged"}
Rows = list[tuple[Prompt, Found]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.safety.report")
    parser.add_argument("--data", type=Path, help="a folder of sets, else KINORA_TEST_SHARED's")
    parser.add_argument("--level", type=Level, default=Level.STANDARD, choices=list(Level))
    parser.add_argument("--disguised", type=int, default=60, help="prompts of each set to disguise")
    parser.add_argument("--at-most", type=int, help="prompts of each set, else all")
    asked = parser.parse_args()
    shared = os.environ.get("KINORA_TEST_SHARED")
    folder = asked.data or (Path(shared) / "data" / "prompts" if shared else None)
    if folder is None:
        sys.exit("Say --data, or set KINORA_TEST_SHARED: a folder of JSON lines.")
    out = Console(width=110)
    gate = WordGate(asked.level)
    names = [name for name in SETS if (folder / f"{name}.jsonl").is_file()]
    names += sorted({file.stem for file in folder.glob("*.jsonl")} - set(names))
    chosen = [one for name in names for one in _some(list(prompts(folder, [name])), asked.at_most)]
    rows = [(one, gate.found(one.text)) for one in chosen]
    out.print(_table("By set", rows, lambda one: one.source))
    out.print(_table("By category", rows, lambda one: f"{one.source}: {one.category}"))
    out.print(_disguises(gate, rows, asked.disguised))


def _some(of: list[Prompt], at_most: int | None) -> list[Prompt]:
    return of if at_most is None else of[:: max(1, -(-len(of) // at_most))]


def _table(title: str, rows: Rows, key: Callable[[Prompt], str]) -> Table:
    table = Table(
        "", "", "prompts", "rules refuse", "rules hold too", "with the head", "never shown",
        title=f"{title}: percent refused or held",
    )  # fmt: skip
    groups: dict[tuple[str, str], Rows] = defaultdict(list)
    for one, found in rows:
        groups[key(one), JUDGED[one.unsafe]].append((one, found))
    for (name, judged), some in groups.items():
        new = [found for one, found in some if one.source not in SETS or held_back(one.text)]
        table.add_row(
            name, judged, str(len(some)),
            f"{percent(_rules(found for _, found in some), Ruling.REFUSE):.1f}",
            f"{percent(_rules(found for _, found in some), Ruling.HOLD):.1f}",
            f"{percent(_both(found for _, found in some), Ruling.HOLD):.1f}",
            f"{percent(_both(new), Ruling.HOLD):.1f} of {len(new)}",
        )  # fmt: skip
    return table


def _rules(found: Iterable[Found]) -> list[Ruling]:
    return [one.rules for one in found]


def _both(found: Iterable[Found]) -> list[Ruling]:
    return [one.both for one in found]


def _disguises(gate: WordGate, rows: Rows, a_set: int) -> Table:
    """Of unsafe prompts that the head was not shown."""
    chosen: dict[str, Rows] = defaultdict(list)
    for one, found in rows:
        shown = one.source in SETS and not held_back(one.text)
        if one.unsafe and not shown and len(chosen[one.source]) < a_set:
            chosen[one.source].append((one, found))
    table = Table("", *chosen, title="Refused or held, in ten disguises")
    table.add_row(
        "plain",
        *(f"{percent(_both(f for _, f in some), Ruling.HOLD):.1f}" for some in chosen.values()),
    )
    for name, disguise in TEN.items():
        table.add_row(
            name,
            *(
                f"{percent([gate.found(disguise(p.text)).both for p, _ in some], Ruling.HOLD):.1f}"
                for some in chosen.values()
            ),
        )
    return table


if __name__ == "__main__":
    main()
