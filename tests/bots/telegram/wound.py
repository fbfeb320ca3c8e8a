"""A cinema whose engine the test winds: how jobs end, and what people have of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.engine import Spec
from core.job import State
from tests.bots.projector import Projector
from tests.bots.telegram.cinema import Cinema, cinema
from tests.telegram.people import Person
from tests.telegram.server import Standin
from tests.telegram.world import Message


@dataclass(frozen=True)
class Running:
    """A job that the engine has, and what asked for it."""

    engine: Projector
    asked: Message
    job_id: str
    attempt: int
    spec: Spec

    async def finish(self, **options: Any) -> None:
        await self.engine.finish(self.job_id, self.attempt, self.spec, **options)


@asynccontextmanager
async def wound(standin: Standin, folder: Path, **options: Any) -> AsyncIterator[Cinema]:
    """A cinema whose engine the test winds."""
    async with cinema(standin, folder, engine=Projector(), **options) as here:
        yield here


async def running(here: Cinema, asked: Message) -> Running:
    """Wait until the engine has the next job, and its card is there."""
    engine = here.home.engine
    assert isinstance(engine, Projector)
    await here.answer(asked)
    return Running(engine, asked, *await engine.next())


async def seen_once(here: Cinema, person: Person) -> None:
    """They saw each of their clips once, and nothing is held."""
    made = [job for job in await here.jobs(person) if job.state is State.SUCCEEDED]
    await here.telegram.world.until(lambda: len(person.clips()) >= len(made), "their clips")
    assert len(person.clips()) == len(made) > 0
    assert (await here.funds(person))[1] == 0


async def refunded(here: Cinema, person: Person) -> None:
    assert await here.funds(person) == (1000, 0)
