"""Updates on their way in: written down first, handled once, those of an album together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telegram import Bot, Update
from telegram.error import NetworkError

from bots.telegram.albums import Albums
from bots.telegram.inbox import Handling, Heard, told
from storage.store import Store, open_store, utc_now

BOT = Bot("7000000001:no-bot-of-telegrams")


def update(number: int, text: str = "a ball", user: int = 5) -> Update:
    person = {"id": user, "is_bot": False, "first_name": "Anna"}
    message = {"message_id": number, "date": 1, "chat": {"id": user, "type": "private"}}
    body: dict[str, Any] = {"update_id": number, "message": message | {"from": person}}
    body["message"]["text"] = text
    made = told(body, BOT)
    assert made is not None
    return made


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Store]:
    url = f"sqlite+aiosqlite:///{folder / 'kinora.db'}"
    async with open_store(url, folder, timedelta(days=1)) as store:
        yield store


async def test_what_was_heard_and_not_done_is_heard_again_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        heard = Heard(store.inbox, utc_now)
        for number in (1, 2, 2, 3):
            await heard.put(update(number))
        assert heard.qsize() == 3
        await heard.done([update(1)])

    async with opened(tmp_path) as store:
        again = Heard(store.inbox, utc_now)
        await again.resume(BOT)
        found = [again.get_nowait() for _ in range(again.qsize())]
        assert [one.update_id for one in found if isinstance(one, Update)] == [2, 3]
        await again.put(update(2))
        await again.put(update(1))
        assert again.empty(), "Telegram repeats what was not confirmed"


async def test_what_cannot_be_written_down_is_not_confirmed_explained(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        heard = Heard(store.inbox, utc_now)
        await store.database.close()
        (tmp_path / "kinora.db").unlink()
        with pytest.raises(NetworkError):
            await heard.put(update(1))
        assert heard.empty()


async def test_what_one_person_types_is_handled_in_its_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        handling = Handling(Heard(store.inbox, utc_now))
        began: list[int] = []
        first_may_end, others_began = asyncio.Event(), asyncio.Event()

        async def handle(number: int) -> None:
            began.append(number)
            if number == 1:
                await first_may_end.wait()
            if number == 3:
                others_began.set()

        given = [update(1), update(2), update(3, user=6)]
        tasks = [
            asyncio.create_task(handling.process_update(one, handle(one.update_id)))
            for one in given
        ]
        await others_began.wait()
        assert began == [1, 3]
        first_may_end.set()
        await asyncio.gather(*tasks)
        assert began == [1, 3, 2]


async def test_who_waits_for_their_own_turn_takes_nobodys_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.inbox.AT_ONCE", 2)
    async with opened(tmp_path) as store:
        handling = Handling(Heard(store.inbox, utc_now))
        may_end, other_began = asyncio.Event(), asyncio.Event()

        async def handle(user: int) -> None:
            if user == 6:
                other_began.set()
            await may_end.wait()

        tasks = [
            asyncio.create_task(handling.process_update(update(number, user=user), handle(user)))
            for number, user in enumerate((5, 5, 5, 5, 6))
        ]
        await other_began.wait()
        may_end.set()
        await asyncio.gather(*tasks)


async def test_what_is_handled_when_all_is_closed_is_heard_again(tmp_path: Path) -> None:
    """Also what waits for its turn, and what takes its end for a failure."""
    async with opened(tmp_path) as store:
        heard = Heard(store.inbox, utc_now)
        handling = Handling(heard)
        began: list[int] = []
        both_began = asyncio.Event()

        async def handle(number: int) -> None:
            began.append(number)
            if len(began) == 2:
                both_began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if number == 1:
                    raise

        given = [update(1), update(2), update(3, user=6)]
        for one in given:
            await heard.put(one)
        tasks = [
            asyncio.create_task(handling.process_update(one, handle(one.update_id)))
            for one in given
        ]
        await both_began.wait()
        await handling.shutdown()
        assert all(task.done() for task in tasks)
        assert began == [1, 3]
        assert len(await store.inbox.pending("telegram")) == 3


async def test_an_album_is_seen_to_by_its_first_alone() -> None:
    quiet: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def pause(seconds: float) -> None:
        over = asyncio.Event()
        await quiet.put(over)
        await over.wait()

    albums = Albums(pause)
    seen: list[list[int]] = []

    async def hear(number: int) -> None:
        async with albums.gathered(update(number), "5/album") as updates:
            seen.append([one.update_id for one in updates])

    first = asyncio.create_task(hear(2))
    waiting = await quiet.get()
    second = asyncio.create_task(hear(1))
    await asyncio.sleep(0)
    waiting.set()
    (await quiet.get()).set()
    await asyncio.gather(first, second)
    assert seen == [[1, 2], []]
    await hear(3)
    assert seen[2] == [], "one that comes too late makes no clip of its own"
