"""People and a group, a stand-in for Telegram around them, and the whole program on it.

async with cinema(telegram_standin, tmp_path) as here:
    asked = here.anna.say("a red ball")
    card = await here.clip(asked)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bots.settings import Telegram
from core.job import Account, Identity, Job
from tests.bots.pictures import jpeg, landscape
from tests.bots.telegram import films
from tests.house import Home, house
from tests.telegram.people import Asked, Person
from tests.telegram.server import Standin
from tests.telegram.world import Chat, Message

PICTURE = jpeg(landscape(320, 180))


@dataclass(frozen=True)
class Cinema:
    """telegram: the world; home: the program; anna asks, ben looks on, mia leads the group."""

    telegram: Standin
    home: Home
    group: Chat
    anna: Person
    ben: Person
    mia: Person

    async def account(self, person: Person) -> Account:
        identity = Identity("telegram", str(person.id))
        return await self.home.studio.account(identity, person.user.first_name)

    async def funds(self, person: Person) -> tuple[int, int]:
        wallet = await self.home.studio.wallet(await self.account(person))
        return wallet.available, wallet.held

    async def jobs(self, person: Person) -> list[Job]:
        views = await self.home.studio.history(await self.account(person), 100)
        return [view.job for view in views]

    def answers(self, asked: Message | Asked) -> list[Message]:
        """The bot's messages in the chat where it was asked: those that answer a message; after a
        press, those that came since."""
        world = self.telegram.world
        mine = (m for m in world.messages.values() if m.author_id == world.bot.id)
        if isinstance(asked, Message):
            found = [m for m in mine if m.chat_id == asked.chat_id and m.reply_to == asked.id]
        else:
            now = asked.now
            where = now.source[0] if now.source else now.user_id
            found = [m for m in mine if m.chat_id == where and m.date >= now.sent]
        return sorted(found, key=lambda m: m.id)

    async def answer(
        self,
        asked: Message | Asked,
        fits: str | Callable[[Message], object] = lambda message: True,
    ) -> Message:
        """Wait for an answer that has these words, or fits."""

        def found() -> Message | None:
            for message in self.answers(asked):
                if fits in message.text if isinstance(fits, str) else fits(message):
                    return message
            return None

        message = await self.telegram.world.until(found, f"an answer to {asked} with {fits!r}")
        assert message is not None
        return message

    async def clip(self, asked: Message | Asked) -> Message:
        """Wait until a card of it has become the clip."""
        return await self.answer(asked, is_clip)

    async def until(
        self, message: Message, fits: Callable[[Message], object], what: str = ""
    ) -> Message:
        """Wait until a message has become so."""
        world = self.telegram.world
        await world.until(
            lambda: message.key in world.messages and fits(world.messages[message.key]),
            what or f"message {message.id} as wished",
        )
        return world.messages[message.key]

    async def gone(self, message: Message) -> None:
        world = self.telegram.world
        await world.until(lambda: message.key not in world.messages, "a message deleted")

    def edits(self, message: Message) -> list[Message]:
        """Every version of a message."""
        history = self.telegram.world.history
        return [v.message for v in history if v.message.key == message.key]


@asynccontextmanager
async def cinema(standin: Standin, folder: Path, **options: Any) -> AsyncIterator[Cinema]:
    """Open it, with the bot asking for updates; at the end, every clip that people saw is opened.
    options: of `opened`."""
    scene = standin.scene
    anna, ben, mia = (scene.user(name) for name in ("anna", "ben", "mia"))
    group = scene.group("Cinema", mia, anna, ben)
    async with opened(standin, folder, **options) as home:
        yield Cinema(standin, home, group, anna, ben, mia)
    wrong = list(films.faults(standin.world))
    assert not wrong, "\n".join(wrong)


@asynccontextmanager
async def opened(
    standin: Standin, folder: Path, telegram: Telegram | None = None, **options: Any
) -> AsyncIterator[Home]:
    """The program alone; again, after it was closed, with the same data. telegram: its settings;
    options: of `tests.house.house`."""
    polled = standin.updates.asked
    async with settled(standin, folder, telegram, **options) as home:
        await standin.world.until(lambda: standin.updates.asked > polled, "a poll")
        yield home


@asynccontextmanager
async def settled(
    standin: Standin, folder: Path, telegram: Telegram | None = None, **options: Any
) -> AsyncIterator[Home]:
    """The program alone, whether or not its bot gets in."""
    async with house(folder, telegram=telegram or settings(standin), **options) as home:
        yield home


def settings(standin: Standin, **more: Any) -> Telegram:
    return Telegram(
        token=SecretStr(standin.token),
        api_url=standin.api_url,
        file_url=f"{standin.api_url}/file",
        **more,
    )


def is_clip(message: Message) -> bool:
    return message.media is not None and message.media.kind == "video"


def labels(message: Message) -> list[str]:
    return [button["text"] for button in message.buttons]


def data_of(message: Message) -> bytes:
    """The clip in a message."""
    assert message.media is not None
    return message.media.file.data
