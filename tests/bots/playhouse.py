"""The real program in a process, on a platform that a stand-in plays; what its database and log
say, whether or not it runs."""

from __future__ import annotations

import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass
from pathlib import Path

from tests.program import Program

PLENTY = "1000000"
UP_SECONDS = 180.0

_GRAVE = re.compile(r"^Traceback|\[(?:error|critical) *\]", re.MULTILINE)


def rows(folder: Path, question: str) -> list[sqlite3.Row]:
    """What the database of a program with its data in `folder` answers."""
    path = folder / "data" / "kinora.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return database.execute(question).fetchall()


@dataclass(frozen=True)
class Playhouse(ABC):
    """folder: where the program has its data and its log."""

    folder: Path

    @abstractmethod
    def open(self, **more: str) -> AbstractAsyncContextManager[Program]:
        """The program, with its bot ready; killed when the block is left."""

    @abstractmethod
    async def kill(self, program: Program) -> None:
        """kill -9, and wait until the platform knows it too."""

    @abstractmethod
    async def until(self, question: Callable[[], object], what: str, seconds: float) -> None:
        """Wait until people see what is asked. Raises: AssertionError: they did not."""

    @abstractmethod
    def mend(self) -> None:
        """Take back what was to go wrong."""

    @abstractmethod
    def violations(self) -> list[str]:
        """What the program sent and the platform forbids."""

    def rows(self, question: str) -> list[sqlite3.Row]:
        """What the program's database answers."""
        return rows(self.folder, question)

    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def faults(self) -> Iterator[str]:
        """Sentences on what is wrong once every clip was made and brought: jobs that ended
        otherwise, credits that are not exact, errors in the log, violations."""
        yield from self.faults_of_deliveries()
        yield from self._faults_of_accounts()
        yield from self._faults_of_holds()
        yield from (f"the log: {found}" for found in _GRAVE.findall(self.log()))
        yield from self.violations()

    def faults_of_deliveries(self) -> Iterator[str]:
        """Jobs that came to no clip, or whose clip nobody is known to have."""
        for row in self.rows(
            "SELECT job.id, job.state AS job, delivery.state AS delivery FROM job "
            "LEFT JOIN delivery ON delivery.job_id = job.id"
        ):
            if (row["job"], row["delivery"]) != ("succeeded", "sent"):
                yield f"job {row['id']} ended as {row['job']}, its delivery as {row['delivery']}"

    def _faults_of_accounts(self) -> Iterator[str]:
        """Nothing held, and sums that are right."""
        for row in self.rows(
            "SELECT account.id, available, held, sum(available_change) AS added, "
            "sum(held_change) AS holds FROM account JOIN entry ON entry.account_id = account.id "
            "GROUP BY account.id"
        ):
            if (row["available"], row["held"], 0) != (row["added"], row["holds"], row["held"]):
                yield (
                    f"account {row['id']} has {row['available']} and {row['held']} held; its "
                    f"entries say {row['added']} and {row['holds']}"
                )

    def _faults_of_holds(self) -> Iterator[str]:
        """A hold and a capture of each lot that a job is paid from, of what it costs; and a refund,
        or none."""
        for row in self.rows(
            "SELECT job.id, job.credits, job.charged, sum(entry.kind = 'hold') AS holds, "
            "sum(entry.kind = 'capture') AS captures, sum(entry.kind = 'refund') AS refunds, "
            "sum(entry.available_change) AS paid, count(entry.id) AS entries "
            "FROM job LEFT JOIN entry ON entry.job_id = job.id GROUP BY job.id"
        ):
            lots = row["holds"] or 1
            back = 0 if row["charged"] else lots
            found = (row["holds"], row["captures"], row["refunds"], row["entries"], row["paid"])
            cost = row["credits"] if row["charged"] else 0
            if found != (lots, lots, back, 2 * lots + back, -cost):
                yield (
                    f"job {row['id']} has {row['holds']} holds, {row['captures']} captures and "
                    f"{row['refunds']} refunds, and cost {-(row['paid'] or 0)} of {row['credits']}"
                )
