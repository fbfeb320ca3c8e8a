"""Cards that wait for their message hold up no others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bots.cards import AT_ONCE, Cards
from core.bulletin import Bulletin
from core.job import OWNER, Job
from core.lobby import Lobby
from core.places import Post
from core.prompt import parse
from core.studio import View
from storage.store import utc_now
from tests.bots.projector import Projector
from tests.house import house

pytestmark = pytest.mark.timeout(300)


class Easel:
    """`bots.cards.Painter`, which notes what it painted."""

    platform = "easel"

    def __init__(self) -> None:
        self.painted: asyncio.Queue[str] = asyncio.Queue()

    def pause(self, place: str) -> float:
        return 0.0

    async def paint(self, post: Post, views: Sequence[View]) -> Sequence[Job]:
        self.painted.put_nowait(post.place)
        return ()

    def forget(self, place: str) -> None:
        pass


async def test_a_card_is_drawn_while_others_are_being_brought_home(tmp_path: Path) -> None:
    """As many as may be drawn at once wait for a large upload into the message of each."""
    places = [f"easel:1/{number}/1" for number in range(AT_ONCE + 1)]
    async with house(tmp_path, engine=Projector()) as home:
        store, studio, easel = home.store, home.studio, Easel()
        lobby = Lobby(store.accounts, store.jobs, store.outbox, store.places, utc_now)
        cards = Cards(studio, lobby, Bulletin(), easel, time.monotonic)
        account = await studio.account(OWNER, "owner")
        for place in places:
            await lobby.keep(Post(place, author="1", upload_limit=1, member=True))
            await studio.submit(account, place, parse("a ball"), key=place)
        async with AsyncExitStack() as uploads:
            for place in places[:-1]:
                await uploads.enter_async_context(cards.lock(place))
            running = asyncio.create_task(cards.run())
            async with asyncio.timeout(120):
                assert await easel.painted.get() == places[-1]
        seen: set[str] = set()
        async with asyncio.timeout(120):
            while seen < set(places):
                seen.add(await easel.painted.get())
        running.cancel()
        await asyncio.wait([running])
