"""The limiter at a clock of the test's own: no window is ever exceeded, and nobody starves."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import InputFile
from telegram.error import RetryAfter
from telegram.ext import ExtBot

from bots.telegram.limiter import (
    CHAT,
    CHATS_KEPT,
    GROUP,
    OVERALL,
    PATIENCE_SECONDS,
    Limiter,
    Rate,
    Turn,
    Window,
    seconds_of,
)
from tests.telegram.server import Standin
from tests.telegram.smallest import CLIP

PERSON, OTHER, CLUB = 1001, 1002, -1001
PASSES = 8
"""Of the event loop, after which everybody sleeps or is done."""


@dataclass
class Time:
    """Seconds that pass only when everybody sleeps."""

    now: float = 0.0
    sleeping: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    count: int = 0

    async def sleep(self, seconds: float) -> None:
        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.count += 1
        heapq.heappush(self.sleeping, (self.now + seconds, self.count, waker))
        await waker

    async def settle(self) -> None:
        for _ in range(PASSES):
            await asyncio.sleep(0)

    async def pass_to(self, end: float) -> None:
        """Let time pass, and everybody do what they do meanwhile."""
        await self.settle()
        while self.sleeping and self.sleeping[0][0] <= end:
            at, _, waker = heapq.heappop(self.sleeping)
            self.now = max(self.now, at)
            if not waker.done():
                waker.set_result(None)
                await self.settle()
        self.now = end


@dataclass
class Sent:
    """A request that came through. asked, at: when it was made, and when it went."""

    chat_id: int
    turn: Turn
    asked: float
    at: float


class Bot:
    """Asks the limiter as python-telegram-bot does. troubles: what Telegram says, by chat."""

    def __init__(self) -> None:
        self.time = Time()
        self.limiter = Limiter(lambda: self.time.now, self.time.sleep)
        self.sent: list[Sent] = []
        self.refused: list[tuple[int, Turn, float, float]] = []
        self.troubles: dict[int, list[float]] = {}

    def ask(
        self, chat_id: int, method: str = "sendMessage", turn: Turn | None = None
    ) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(self._ask(chat_id, method, turn))

    async def _ask(self, chat_id: int, method: str, turn: Turn | None) -> None:
        asked = self.time.now
        kind = turn or (Turn.LATER if method.startswith("edit") else Turn.SOON)

        async def call() -> bool:
            if self.troubles.get(chat_id):
                raise RetryAfter(timedelta(seconds=self.troubles[chat_id].pop(0)))
            self.sent.append(Sent(chat_id, kind, asked, self.time.now))
            return True

        try:
            await self.limiter.process_request(call, (), {}, method, {"chat_id": chat_id}, turn)
        except RetryAfter as error:
            self.refused.append((chat_id, kind, self.time.now - asked, seconds_of(error)))

    def times(self, chat_id: int | None = None, turn: Turn | None = None) -> list[float]:
        return [
            one.at
            for one in self.sent
            if chat_id in (None, one.chat_id) and turn in (None, one.turn)
        ]


@pytest.fixture
def bot() -> Bot:
    return Bot()


def exceeded(times: Sequence[float], rates: Sequence[Rate], edits: bool = False) -> list[Rate]:
    times = sorted(times)
    return [
        rate
        for rate in rates
        for count in (rate.edits if edits else rate.count,)
        if any(last < first + rate.seconds
               for first, last in zip(times, times[count:], strict=False))
    ]  # fmt: skip


requests = st.lists(
    st.tuples(
        st.floats(0, 3, width=16),
        st.sampled_from((PERSON, OTHER, CLUB, -1002, 1003)),
        st.sampled_from(("sendMessage", "editMessageText", "sendVideo", "editMessageMedia")),
        st.sampled_from((None, Turn.SOON, Turn.LATER)),
        st.one_of(st.none(), st.floats(1, 60, width=16)),
        st.booleans(),
    ),
    max_size=120,
)


@settings(max_examples=60, deadline=None)
@given(requests)
def test_no_window_is_exceeded_and_nobody_starves(
    story: list[tuple[float, int, str, Turn | None, float | None, bool]],
) -> None:
    """Requests come in bursts to chats and groups; some chats are flooded, some callers give up."""

    async def lived() -> Bot:
        bot = Bot()
        given_up = 0
        for pause, chat_id, method, turn, flood, gives_up in story:
            if pause > 1.5:  # else they come together
                await bot.time.pass_to(bot.time.now + pause)
            if flood is not None:
                bot.troubles.setdefault(chat_id, []).append(flood)
            task = bot.ask(chat_id, method, turn)
            if gives_up:
                await bot.time.settle()
                given_up += task.cancel()
        await bot.time.pass_to(bot.time.now + 200)
        assert not bot.time.sleeping
        assert len(bot.sent) + len(bot.refused) + given_up == len(story)
        return bot

    bot = asyncio.run(lived())
    assert not exceeded(bot.times(), OVERALL)
    assert not exceeded(bot.times(turn=Turn.LATER), OVERALL, edits=True)
    for chat_id in {one.chat_id for one in bot.sent}:
        rates = CHAT if chat_id > 0 else GROUP
        assert not exceeded(bot.times(chat_id), rates)
        assert not exceeded(bot.times(chat_id, Turn.LATER), rates, edits=True)
    for one in bot.sent:
        assert one.at - one.asked <= PATIENCE_SECONDS[one.turn]
    for _, turn, waited, wait in bot.refused:
        assert waited <= PATIENCE_SECONDS[turn]
        assert wait > 0


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.floats(0, 20, width=16), max_size=40),
    st.integers(1, 5),
    st.floats(0.5, 5, width=16),
    st.floats(0, 20, width=16),
)
def test_the_earliest_time_is_the_earliest(
    wishes: list[float], count: int, seconds: float, at: float
) -> None:
    window = Window(count, seconds)
    for wish in wishes:
        window.booked.append(window.earliest(wish))
        window.booked.sort()
    found = window.earliest(at)
    rate = (Rate(count, count, seconds),)
    assert not exceeded([*window.booked, found], rate)
    tries = {at, *(time + seconds for time in window.booked), *window.booked}
    for earlier in (time for time in tries if at <= time < found):
        assert exceeded([*window.booked, earlier], rate)


async def test_a_chat_alone_has_short_bursts_and_one_a_second(bot: Bot) -> None:
    for _ in range(12):
        bot.ask(PERSON)
    await bot.time.pass_to(60)
    assert bot.times(PERSON)[:4] == [0, 0, 0, 1.25]
    assert bot.times(PERSON)[-1] <= 12


async def test_one_busy_chat_keeps_no_other_waiting(bot: Bot) -> None:
    for _ in range(20):
        bot.ask(PERSON)
    bot.ask(OTHER)
    await bot.time.settle()
    assert bot.times(OTHER) == [0]


async def test_a_group_has_twenty_a_minute_and_room_for_answers(bot: Bot) -> None:
    for second in range(0, 60, 2):
        await bot.time.pass_to(second)
        bot.ask(CLUB, "editMessageText")
    edits = len(bot.times(CLUB, Turn.LATER))
    assert edits == GROUP[-1].edits
    bot.ask(CLUB)
    await bot.time.settle()
    assert bot.times(CLUB, Turn.SOON) == [58]
    assert {turn for _, turn, _, _ in bot.refused} == {Turn.LATER}


async def test_edits_leave_room_for_answers_overall(bot: Bot) -> None:
    for person in range(1, 41):
        bot.ask(person, "editMessageText")
    for person in range(101, 111):
        bot.ask(person)
    await bot.time.settle()
    assert len(bot.times(turn=Turn.LATER)) == OVERALL[0].edits
    assert len(bot.times(turn=Turn.SOON)) == 10
    await bot.time.pass_to(10)
    assert len(bot.sent) == 50


async def test_what_would_wait_too_long_is_told_so_at_once(bot: Bot) -> None:
    for _ in range(100):
        bot.ask(PERSON)
    await bot.time.settle()
    assert bot.refused
    assert all(waited == 0 for _, _, waited, _ in bot.refused)
    assert all(wait > PATIENCE_SECONDS[Turn.SOON] for _, _, _, wait in bot.refused)
    await bot.time.pass_to(60)
    assert len(bot.sent) + len(bot.refused) == 100


async def test_a_flood_stops_its_chat_alone(bot: Bot) -> None:
    bot.troubles[PERSON] = [30]
    bot.ask(PERSON)
    await bot.time.settle()
    bot.ask(PERSON)
    bot.ask(PERSON, "editMessageText")
    for second in range(1, 30):
        await bot.time.pass_to(second)
        bot.ask(OTHER)
        await bot.time.settle()
    assert bot.times(OTHER) == list(range(1, 30))
    assert bot.times(PERSON) == []
    assert bot.refused == [(PERSON, Turn.LATER, 0, 30)]
    await bot.time.pass_to(40)
    assert bot.times(PERSON) == [30, 30]


async def test_those_who_wait_hear_of_a_flood(bot: Bot) -> None:
    """Who had a time before its end is given another one."""
    for _ in range(4):
        bot.ask(PERSON)
    bot.troubles[PERSON] = [10]
    await bot.time.pass_to(60)
    assert min(bot.times(PERSON)) == 10
    assert len(bot.times(PERSON)) == 4


async def test_a_flood_longer_than_anybody_waits_is_told(bot: Bot) -> None:
    bot.troubles[PERSON] = [300]
    bot.ask(PERSON)
    await bot.time.settle()
    bot.ask(PERSON, "sendVideo")
    await bot.time.settle()
    assert bot.refused == [(PERSON, Turn.SOON, 0, 300), (PERSON, Turn.SOON, 0, 300)]


@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("answerCallbackQuery", {"callback_query_id": "1"}),
        ("sendChatAction", {"chat_id": PERSON}),
        ("getFile", {"file_id": "1"}),
        ("getChatMember", {"chat_id": PERSON, "user_id": 1}),
        ("deleteMessage", {"chat_id": PERSON, "message_id": 1}),
        ("setMyCommands", {}),
    ],
)
async def test_what_writes_nothing_waits_for_nothing(
    bot: Bot, method: str, data: dict[str, Any]
) -> None:
    bot.troubles[PERSON] = [30]
    for _ in range(10):
        bot.ask(PERSON)
    await bot.time.settle()

    async def call() -> bool:
        return True

    assert await bot.limiter.process_request(call, (), {}, method, data, None)


async def test_an_inline_message_is_a_chat_of_its_own(bot: Bot) -> None:
    done: list[float] = []

    async def call() -> bool:
        done.append(bot.time.now)
        return True

    for _ in range(10):
        bot.ask(PERSON)
    data = {"inline_message_id": "inline-1"}
    tasks = [
        asyncio.create_task(
            bot.limiter.process_request(call, (), {}, "editMessageText", data, None)
        )
        for _ in range(3)
    ]
    await bot.time.pass_to(5)
    await asyncio.gather(*tasks)
    assert done == [0, 0, 1.25]


async def test_who_gives_up_gives_their_place_back(bot: Bot) -> None:
    tasks = [bot.ask(PERSON) for _ in range(5)]
    await bot.time.settle()
    tasks[3].cancel()
    tasks[4].cancel()
    await bot.time.settle()
    bot.ask(PERSON)
    await bot.time.pass_to(60)
    assert bot.times(PERSON) == [0, 0, 0, 1.25]


async def test_idle_chats_are_forgotten_and_closed_ones_are_not(bot: Bot) -> None:
    bot.troubles[PERSON] = [10_000]
    bot.ask(PERSON)
    for number in range(2 * CHATS_KEPT):
        bot.ask(5000 + number)
        await bot.time.pass_to(bot.time.now + 7)
    assert len(bot.limiter._chats) <= CHATS_KEPT + 1
    bot.ask(PERSON)
    await bot.time.settle()
    assert bot.times(PERSON) == []


async def test_an_upload_that_has_to_wait_is_whole_when_it_goes(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    """Through the library, from an open file that was read to its end the first time."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(CLIP)
    time = Time()
    anna = telegram_standin.scene.user("anna")
    telegram_standin.faults.too_many("sendVideo", retry_after=2)

    async def pause(seconds: float) -> None:
        telegram_standin.clock.jump(seconds)
        time.now += seconds

    limiter = Limiter(lambda: time.now, pause)
    urls = telegram_standin.base_url, telegram_standin.base_file_url
    async with ExtBot(telegram_standin.token, *urls, rate_limiter=limiter) as bot:
        with clip.open("rb") as file:
            await bot.send_video(anna.id, InputFile(file, "clip.mp4", read_file_handle=False))
    assert [seen.file.data for seen in anna.clips()] == [CLIP]
