"""The smallest bot on the unmodified library, for the stand-in's own tests."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import discord
import yarl
from discord import app_commands

from tests.discord.server import Standin


class Edit(discord.ui.Modal, title="Edit"):
    words: discord.ui.Label[Any] = discord.ui.Label(
        text="Prompt", component=discord.ui.TextInput(custom_id="prompt", max_length=300)
    )

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        field = self.words.component
        assert isinstance(field, discord.ui.TextInput)
        await interaction.response.send_message(f"edited: {field.value}", ephemeral=True)


class Card(discord.ui.LayoutView):
    """A clip in a container, with its buttons."""

    def __init__(self, words: str, filename: str | None = None) -> None:
        super().__init__(timeout=None)
        parts: list[discord.ui.Item[Any]] = [discord.ui.TextDisplay(words)]
        if filename:
            shown = discord.MediaGalleryItem(f"attachment://{filename}")
            parts.append(discord.ui.MediaGallery(shown))
        row: discord.ui.ActionRow[Any] = discord.ui.ActionRow()
        row.add_item(discord.ui.Button(label="Again", custom_id="kinora:again"))
        row.add_item(discord.ui.Button(label="Edit", custom_id="kinora:edit"))
        self.add_item(discord.ui.Container(*parts, row, accent_colour=0xE8A33D))


class Answers:
    """One slash command, one message command, two buttons. heard: what its events brought; ended:
    done when the client gave up."""

    heard: asyncio.Queue[str]
    ended: asyncio.Task[None]

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        if interaction.type is not discord.InteractionType.component:
            return
        data: dict[str, Any] = dict(interaction.data or {})
        if data["custom_id"] == "kinora:edit":
            await interaction.response.send_modal(Edit())
        elif data["custom_id"] == "kinora:again":
            await interaction.response.defer()
            await interaction.edit_original_response(view=Card("again"))

    async def on_resumed(self) -> None:
        self.heard.put_nowait("resumed")

    async def on_connect(self) -> None:
        self.heard.put_nowait("connected")


class Smallest(Answers, discord.Client):
    def __init__(self, intents: discord.Intents | None = None) -> None:
        super().__init__(intents=intents or discord.Intents(guilds=True))
        self.heard = asyncio.Queue()
        self.tree: app_commands.CommandTree[Any] = app_commands.CommandTree(self)
        register(self.tree)

    async def setup_hook(self) -> None:
        await self.tree.sync()


class Sharded(Answers, discord.AutoShardedClient):
    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.heard = asyncio.Queue()
        self.tree: app_commands.CommandTree[Any] = app_commands.CommandTree(self)
        register(self.tree)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The stand-in lets shards in at once."""


def register(tree: app_commands.CommandTree[Any]) -> None:
    @tree.command(description="Make a clip")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def create(
        interaction: discord.Interaction[Any],
        prompt: str,
        image: discord.Attachment | None = None,
        length: app_commands.Range[int, 1, 60] = 5,
    ) -> None:
        await interaction.response.defer(thinking=True)
        data = await image.read() if image else b"a clip"
        clip = discord.File(io.BytesIO(data), "clip.mp4")
        card = Card(f"**{prompt}**", "clip.mp4")
        await interaction.edit_original_response(view=card, attachments=[clip])

    @create.autocomplete("prompt")
    async def suggest(
        interaction: discord.Interaction[Any], current: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current} in the rain", value="rain")]

    @tree.context_menu(name="Animate this")
    async def animate(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await interaction.response.send_message(f"{len(message.attachments)} pictures")


@asynccontextmanager
async def logged_in(
    running: Standin, client: Any = None, *, token: str | None = None
) -> AsyncIterator[Any]:
    """Point the library to the stand-in, and run a client until the block ends.

    Raises:
        LoginFailure, PrivilegedIntentsRequired: from the client's `ended`, which the block awaits.
    """
    client = client or Smallest()
    with pointed_to(running):
        async with client:
            client.ended = asyncio.create_task(client.start(token or running.token))
            try:
                yield client
            finally:
                await client.close()
                await asyncio.gather(client.ended, return_exceptions=True)


@contextmanager
def pointed_to(running: Standin) -> Iterator[None]:
    """The library's three addresses, put back at the end."""
    route, socket, asset = discord.http.Route, discord.gateway.DiscordWebSocket, discord.Asset
    before = route.BASE, socket.DEFAULT_GATEWAY, asset.BASE
    route.BASE, asset.BASE = running.api_url, running.cdn_url
    socket.DEFAULT_GATEWAY = yarl.URL(running.gateway_url)
    try:
        yield
    finally:
        route.BASE, socket.DEFAULT_GATEWAY, asset.BASE = before
