"""The unmodified library lives through a whole story with the stand-in."""

from __future__ import annotations

import asyncio

from tests.bots.pictures import landscape, png
from tests.discord.cdn import Upload
from tests.discord.server import Standin
from tests.discord.smallest import logged_in

PICTURE = png(landscape(64, 36))


async def test_a_clip_from_command_to_button(discord_standin: Standin) -> None:
    discord, scene = discord_standin, discord_standin.scene
    alice = scene.user("alice")
    room = scene.channel(scene.guild("Cinema", alice), "general")
    async with logged_in(discord):
        await discord.gateway.ready()
        asked = alice.slash("create", room, prompt="a red ball", image=PICTURE, length=7)
        await asked.acknowledged()
        message = await asked.message()
        assert discord.world.cdn.read(message.attachments[0]) == PICTURE

        pressed = alice.press(message, "Again")
        again = await pressed.message(lambda m: "again" in str(m.components))
        assert again.id == message.id

        edit = alice.press(again, "Edit")
        submitted = await alice.submit_modal(edit, {"Prompt": "a blue ball"})
        assert (await submitted.message()).content == "edited: a blue ball"

        posted = alice.post(room, "look", [Upload("cat.png", PICTURE)])
        animated = alice.message_command("Animate this", posted)
        assert (await animated.message()).content == "1 pictures"

        typing = alice.autocomplete("create", room, "prompt", prompt="a cat")
        assert (await typing.choices())[0]["name"] == "a cat in the rain"


async def test_events_of_a_gap_are_told_after_resuming(discord_standin: Standin) -> None:
    discord, scene = discord_standin, discord_standin.scene
    alice = scene.user("alice")
    room = scene.channel(scene.guild("Cinema", alice), "general")
    async with logged_in(discord) as client:
        await discord.gateway.ready()
        discord.gateway.drop()
        await discord.world.until(lambda: discord.gateway.connected == 0)
        asked = alice.slash("create", room, prompt="a red ball")
        await asked.message()
        async with asyncio.timeout(20):
            while await client.heard.get() != "resumed":
                pass
