"""The whole program at its smallest: a real database, a real runner, and a real socket.

async with house(tmp_path) as home:
    async with home.client() as client: ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from bots import app
from bots.settings import Credits, Settings, Ware
from bots.settings import Discord as DiscordSettings
from bots.settings import Telegram as TelegramSettings
from bots.settings import Web as WebSettings
from bots.terms import purchases_of
from bots.web import runner
from core.catalog import Model
from core.job import OWNER, Identity
from core.ports import Clock
from core.purchases import Purchases
from core.studio import Studio
from model.engines.local import LocalEngine
from storage.store import Store, utc_now
from tests.bots import drawing
from tests.sight import Blind

ADMIN_KEY = "a key for the tests"
DRAWING = "tests.bots.drawing:FAMILIES"


@dataclass(frozen=True, slots=True)
class Home:
    """A running Kinora. url: where its page answers; data: where its files are."""

    url: str
    data: Path
    studio: Studio
    store: Store
    engine: app.RunningEngine
    purchases: Purchases

    def client(self, key: str | None = ADMIN_KEY) -> aiohttp.ClientSession:
        """Somebody with a key; with no key, somebody unknown."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return aiohttp.ClientSession(
            self.url, headers=headers, timeout=aiohttp.ClientTimeout(total=30)
        )

    async def key(self, name: str) -> str:
        """An API key of somebody else."""
        _, key = await app.new_key(self.store, Identity("web", name), name)
        return key

    async def link(self, name: str = OWNER.subject) -> str:
        """Opens a browser of theirs."""
        return await app.new_link(self.store, self.url, Identity("web", name), name)

    def files(self) -> set[str]:
        """Every clip, picture and unfinished thing on disk."""
        folders = (self.data / name for name in ("clips", "pictures", "work"))
        return {str(path) for folder in folders for path in folder.rglob("*")}


@asynccontextmanager
async def house(
    tmp_path: Path,
    *,
    families: str = DRAWING,
    catalogue: Sequence[Model] = drawing.MODELS,
    daily_credits: int = 1000,
    admin_key: str = ADMIN_KEY,
    public_url: str | None = None,
    operators: str = "",
    payments: bool = False,
    wares: Mapping[str, Ware] | None = None,
    discord: DiscordSettings | None = None,
    telegram: TelegramSettings | None = None,
    engine: app.Opening | None = None,
    inspector: app.Looking | None = None,
    clock: Clock = utc_now,
) -> AsyncIterator[Home]:
    """Run everything with the models of `families` on a free port of the loopback.

    engine, clock: in place of a real runner and of the real time. inspector: in place of one that
    sees nothing in anything.
    """
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=tmp_path / "data",
        operators=operators,
        payments=payments,
        wares=dict(wares or {}),
        web=WebSettings(admin_key=SecretStr(admin_key), public_url=public_url, port=0),
        credits=Credits(daily=daily_credits),
        discord=discord or DiscordSettings(),
        telegram=telegram or TelegramSettings(),
    )
    opening = engine or LocalEngine(families=families, threads=1)
    async with app.house(
        settings, engine=opening, inspector=inspector or Blind(), catalogue=catalogue, clock=clock
    ) as built:
        serving = runner(built.application)
        await serving.setup()
        try:
            await web.TCPSite(serving, "127.0.0.1", 0).start()
            port = serving.addresses[0][1]
            yield Home(
                f"http://127.0.0.1:{port}",
                settings.data_dir,
                built.studio,
                built.store,
                built.engine,
                purchases_of(settings, built.store.payments, clock),
            )
        finally:
            await serving.cleanup()


class Inn:
    """A house that runs in a thread of its own, for many tests and many loops. url, data: as of
    its `Home`."""

    def __init__(self, home: Home, loop: asyncio.AbstractEventLoop) -> None:
        self._home = home
        self._loop = loop
        self.url = home.url
        self.data = home.data
        self.files = home.files

    def key(self, name: str) -> str:
        return self._ask(self._home.key(name))

    def link(self, name: str = OWNER.subject) -> str:
        return self._ask(self._home.link(name))

    def client(self, key: str | None = ADMIN_KEY) -> aiohttp.ClientSession:
        return self._home.client(key)

    def _ask(self, question: Coroutine[Any, Any, str]) -> str:
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(timeout=10)


@contextmanager
def inn(tmp_path: Path) -> Iterator[Inn]:
    """Keep a house open in a thread."""
    opened: Future[tuple[Home, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def keep() -> None:
        async with house(tmp_path) as home:
            closing = asyncio.Event()
            opened.set_result((home, asyncio.get_running_loop(), closing))
            await closing.wait()

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(asyncio.run, keep())
        running.add_done_callback(lambda ended: _pass_on(ended, opened))
        home, loop, closing = opened.result(timeout=60)
        try:
            yield Inn(home, loop)
        finally:
            loop.call_soon_threadsafe(closing.set)
            running.result(timeout=30)


def _pass_on(ended: Future[None], opened: Future[Any]) -> None:
    error = ended.exception()
    if error is not None and not opened.done():
        opened.set_exception(error)
