"""The stand-in for Telegram: a Bot API server on the loopback.

async with standin() as telegram:
    anna = telegram.scene.user("anna")
    ...  # start the bot with telegram.api_url and telegram.token
    card = await anna.answer(anna.photo(picture, "the lake freezes"))
    clip = await telegram.until_clip(anna)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from tests.standin.clock import Clock
from tests.telegram import schema
from tests.telegram.api import Api
from tests.telegram.faults import Faults
from tests.telegram.files import Files
from tests.telegram.limits import Limits
from tests.telegram.people import Person, Sighting
from tests.telegram.scene import Scene
from tests.telegram.updates import Updates
from tests.telegram.world import Message, Update, User, World

TOKEN = "7000000001:the-stand-ins-own-token-of-35-chars"


@dataclass(frozen=True, slots=True, repr=False)
class Standin:
    """A running stand-in. world: what is so; scene: to change it; updates, limits, faults: its
    doors; judged: whether the description was there to judge by."""

    api_url: str
    token: str
    world: World
    scene: Scene
    updates: Updates
    limits: Limits
    faults: Faults
    clock: Clock
    judged: bool

    @property
    def violations(self) -> list[str]:
        """What the bot sent and the Bot API forbids; and what the stand-in itself got wrong."""
        return self.world.violations

    @property
    def base_url(self) -> str:
        """As python-telegram-bot wants it."""
        return f"{self.api_url}/bot"

    @property
    def base_file_url(self) -> str:
        return f"{self.api_url}/file/bot"

    async def polling(self) -> None:
        """Wait until the bot asks for updates."""
        await self.world.until(lambda: self.updates.polls, "a poll")

    async def handled(self) -> None:
        """Wait until every update was confirmed."""
        await self.world.until(lambda: not self.updates.pending, "updates to be confirmed")

    async def until_clip(self, person: Person, count: int = 1) -> Sighting:
        """Wait until somebody has seen so many clips; the newest."""
        seen = await self.world.until(
            lambda: person.clips() if len(person.clips()) >= count else None, f"{count} clips"
        )
        assert seen is not None
        return seen[-1]

    def newest(self, message: Message) -> Message:
        """A message as it is now. Raises: KeyError: it was deleted."""
        return self.world.messages[message.key]

    def edits(self, message: Message) -> list[float]:
        """When a message was edited."""
        return [
            v.at for v in self.world.history if v.message.key == message.key and v.what == "edited"
        ]

    def unanswered(self) -> int:
        """How many presses, inline queries and checkouts the bot left without an answer."""
        return sum(query.answer is None for query in self.world.queries.values())


@asynccontextmanager
async def standin(
    token: str = TOKEN, *, judged: bool = True, local: Path | None = None
) -> AsyncIterator[Standin]:
    """Run a Telegram of one's own, in this event loop. judged: by the description as well, where
    that is at hand; local: a folder, to be a local Bot API server that keeps files there."""
    clock = Clock()
    bot = User(int(token.partition(":")[0]), "Kinora", "kinora_bot", is_bot=True)
    world = World(clock, Files(local), bot, token, users={bot.id: bot})
    path = schema.description()
    judge = schema.judge(path) if path and judged else None

    def judge_update(update: Update) -> None:
        for why in judge.update(update.json()) if judge else ():
            world.violate(f"stand-in: {why}")

    updates, limits, faults = Updates(world, judge_update), Limits(clock), Faults()
    api = Api(world, updates, limits, faults, judge)
    runner = web.AppRunner(api.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield Standin(
            f"http://{host}:{port}", token, world, Scene(world), updates, limits, faults, clock,
            judge is not None,
        )  # fmt: skip
    finally:
        await updates.close()
        await runner.cleanup()
