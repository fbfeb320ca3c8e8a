"""The same bot on SimCord, which others wrote: in one process, without sockets or real clocks."""

from __future__ import annotations

from typing import Any

import pytest
import simcord

from tests.bots.pictures import landscape, png
from tests.discord.smallest import Sharded, Smallest

PICTURE = png(landscape(64, 36))


@pytest.mark.parametrize(("client", "options"), [(Smallest, {}), (Sharded, {"shard_count": 1})])
async def test_the_same_story(client: type[Smallest], options: dict[str, Any]) -> None:
    async with simcord.run(client(), **options) as env:
        guild = env.create_guild()
        room = guild.create_text_channel("general")
        alice = guild.add_member(env.create_user("alice"))
        asked = await alice.slash(room, "create", prompt="a red ball", image=("a.png", PICTURE))
        assert asked.response is not None
        assert await asked.response.attachments[0].read() == PICTURE
        assert (await alice.click(asked.response, label="Again")).acknowledged
        edit = await alice.click(asked.response, label="Edit")
        submitted = await alice.submit_modal(edit, {"prompt": "a blue ball"})
        assert submitted.response is not None
        assert submitted.response.content == "edited: a blue ball"
        posted = await alice.send(room, "look", attachments=[("cat.png", PICTURE)])
        animated = await alice.context_menu(room, "Animate this", posted)
        assert animated.response is not None
        assert animated.response.content == "1 pictures"
