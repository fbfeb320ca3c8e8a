"""A server with people, a stand-in for Discord around it, and the whole program on it.

async with cinema(discord_standin, tmp_path) as here:
    asked = here.anna.slash("create", here.room, prompt="a red ball")
    card = await here.clip(asked)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bots.settings import Discord
from core.job import Account, Identity
from tests.bots.pictures import jpeg, landscape
from tests.discord import components
from tests.discord.asked import Asked
from tests.discord.routes import oauth
from tests.discord.server import Standin
from tests.discord.users import Person
from tests.discord.world import Channel, Guild, Message
from tests.house import Home, house
from tests.provenance.reader import manifest

PICTURE = jpeg(landscape(320, 180))


@dataclass(frozen=True)
class Cinema:
    """discord: the world; home: the program; anna asks, ben looks on, mia moderates."""

    discord: Standin
    home: Home
    guild: Guild
    room: Channel
    anna: Person
    ben: Person
    mia: Person

    async def account(self, person: Person) -> Account:
        identity = Identity("discord", str(person.id))
        return await self.home.studio.account(identity, person.user.name)

    async def funds(self, person: Person) -> tuple[int, int]:
        wallet = await self.home.studio.wallet(await self.account(person))
        return wallet.available, wallet.held

    async def answer(self, asked: Asked, words: str) -> Message:
        """Wait until the answer, or what was said besides, has these words."""

        def found() -> Message | None:
            answers = [self.discord.world.messages.get(asked.now.original_id or 0)]
            for message in (*answers, *asked.followups()):
                if message is not None and words in text(message):
                    return message
            return None

        message = await self.discord.world.until(found, f"{words!r} in answer to {asked}")
        assert message is not None
        return message

    async def clip(self, asked: Asked) -> Message:
        """Wait until the card has become the clip."""
        return await asked.message(lambda message: videos(message))

    async def said(self, channel: Channel, words: str) -> Message:
        """Wait for a message with these words in a channel."""

        def found() -> Message | None:
            for message in self.discord.messages(channel):
                if words in text(message):
                    return message
            return None

        message = await self.discord.world.until(found, f"{words!r} in {channel.name}")
        assert message is not None
        return message

    def bytes_of(self, message: Message) -> bytes:
        """The clip in a message, as anybody's reader of C2PA takes it."""
        (clip,) = videos(message)
        data = self.discord.world.cdn.read(clip)
        assert manifest(data)[0] == "Valid"
        return data


@asynccontextmanager
async def cinema(standin: Standin, folder: Path, **options: Any) -> AsyncIterator[Cinema]:
    """Open it, with the bot ready and its commands known. options: of `tests.house.house`."""
    scene = standin.scene
    anna, ben, mia = (scene.user(name) for name in ("anna", "ben", "mia"))
    guild = scene.guild("Cinema", mia, anna, ben)
    room = scene.channel(guild, "general")
    async with opened(standin, folder, **options) as home:
        yield Cinema(standin, home, guild, room, anna, ben, mia)


@asynccontextmanager
async def opened(standin: Standin, folder: Path, **options: Any) -> AsyncIterator[Home]:
    """The program alone; again, after it was closed, with the same data."""
    async with settled(standin, folder, **options) as home:
        await standin.gateway.ready()
        await standin.world.until(lambda: standin.world.commands, "the commands")
        yield home


@asynccontextmanager
async def settled(standin: Standin, folder: Path, **options: Any) -> AsyncIterator[Home]:
    """The program alone, whether or not its bot gets in."""
    settings = Discord(
        token=SecretStr(standin.token),
        client_secret=SecretStr(oauth.SECRET),
        api_url=standin.api_url,
        gateway_url=standin.gateway_url,
        cdn_url=standin.cdn_url,
    )
    async with house(folder, discord=settings, **options) as home:
        yield home


def text(message: Message) -> str:
    """All the words of a message."""
    texts = [c["content"] for c in components.walk(message.components) if "content" in c]
    return "\n".join(filter(None, [message.content, *texts]))


def labels(message: Message) -> list[str]:
    """What its buttons say."""
    found = [c for c in components.walk(message.components) if c["type"] == components.BUTTON]
    return [button["label"] for button in found]


def videos(message: Message) -> list[Any]:
    return [a for a in message.attachments if a.filename.endswith(".mp4")]
