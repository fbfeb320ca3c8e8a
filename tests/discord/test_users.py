"""People can do what Discord's app lets them, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.discord.cdn import Upload
from tests.discord.conftest import Place
from tests.discord.given import Impossible
from tests.discord.permissions import Permission
from tests.discord.wire import ANIMATE, CREATE, button, container, row, text


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "missing options"),
        ({"prompt": "a", "colour": "red"}, "no options"),
        ({"prompt": 5}, "does not take"),
        ({"prompt": "a", "length": 61}, "above 60"),
        ({"prompt": "a", "length": 0}, "below 1"),
        ({"prompt": "a", "length": True}, "does not take"),
        ({"prompt": "a", "aspect": "3:2"}, "takes one of"),
        ({"prompt": "a", "image": "a cat"}, "is no file"),
        ({"prompt": "a", "image": bytes(11 * 1024 * 1024)}, "over the limit"),
    ],
)
async def test_options_are_what_the_command_takes(
    place: Place, options: dict[str, Any], why: str
) -> None:
    with pytest.raises(Impossible, match=why):
        place.alice.slash("create", place.room, **options)


async def test_only_registered_commands(place: Place) -> None:
    with pytest.raises(Impossible, match="no command 'make'"):
        place.alice.slash("make", place.room)
    with pytest.raises(Impossible, match="no autocomplete"):
        place.alice.autocomplete("create", place.room, "prompt", prompt="a")


async def test_subcommands_are_nested(place: Place) -> None:
    told: list[Any] = []
    place.running.world.listeners.append(lambda event: told.append(event.data))
    length = {"name": "length", "description": "Seconds", "type": 4}
    inner = {"name": "limits", "description": "Limits", "type": 1, "options": [length]}
    await place.wire.register(CREATE | {"name": "settings", "options": [inner]})
    with pytest.raises(Impossible, match="needs one of"):
        place.alice.slash("settings", place.room)
    place.alice.slash("settings limits", place.room, length=5)
    assert told[-1]["data"]["options"] == [
        {"name": "limits", "type": 1, "options": [{"name": "length", "type": 4, "value": 5}]}
    ]


async def test_where_a_command_is_to_be_had(place: Place) -> None:
    scene = place.running.scene
    bob = scene.user("bob")
    elsewhere = scene.channel(scene.guild("Elsewhere", bob, installed=False), "general")
    with pytest.raises(Impossible, match="not installed here"):
        bob.slash("create", elsewhere, prompt="a")
    carol = scene.user("carol", installed=True)
    told: list[Any] = []
    place.running.world.listeners.append(lambda event: told.append(event.data))
    carol.slash("create", scene.group(carol, bob), prompt="a")
    assert (told[-1]["context"], told[-1]["authorizing_integration_owners"]) == (
        2, {"1": str(carol.id)},
    )  # fmt: skip
    place.alice.slash("create", scene.dm(place.alice), prompt="a")
    assert (told[-1]["context"], told[-1]["authorizing_integration_owners"]) == (1, {"0": "0"})
    place.ask()
    owners = told[-1]["authorizing_integration_owners"]
    assert (told[-1]["context"], owners) == (0, {"0": str(place.guild.id)})


async def test_permissions_and_age_restriction(place: Place) -> None:
    scene = place.running.scene
    await place.wire.register(
        CREATE | {"name": "spicy", "nsfw": True},
        CREATE | {"name": "settings", "default_member_permissions": int(Permission.MANAGE_GUILD)},
        CREATE | {"name": "admin", "default_member_permissions": 0},
    )
    with pytest.raises(Impossible, match="age-restricted"):
        place.alice.slash("spicy", place.room, prompt="a")
    place.alice.slash("spicy", scene.channel(place.guild, "late", nsfw=True), prompt="a")
    for name in ("settings", "admin"):
        with pytest.raises(Impossible, match="permissions that they lack"):
            place.alice.slash(name, place.room, prompt="a")
    scene.role(place.guild, "admins", Permission.ADMINISTRATOR, place.alice)
    for name in ("settings", "admin"):
        place.alice.slash(name, place.room, prompt="a")
    stranger = scene.user("mallory")
    with pytest.raises(Impossible, match="lacks VIEW_CHANNEL"):
        stranger.slash("settings", place.room, prompt="a")
    with pytest.raises(Impossible, match="lacks VIEW_CHANNEL"):
        stranger.post(place.room, "hi")


async def test_buttons_are_found_within_containers(place: Place) -> None:
    card = container(text("a clip"), row(button("Again"), button("×4", "four", disabled=True)))
    said = await place.wire.say(place.room.id, flags=1 << 15, components=[card])
    message = place.running.world.messages[int(said.body["id"])]
    place.alice.press(message, "Again")
    place.alice.press(message, "again")
    with pytest.raises(Impossible, match="disabled"):
        place.alice.press(message, "×4")
    with pytest.raises(Impossible, match=r"there are \['Again', '×4'\]"):
        place.alice.press(message, "Extend")
    place.running.scene.delete_message(message)
    with pytest.raises(Impossible, match="deleted"):
        place.alice.press(message, "Again")


async def test_selects_take_their_options(place: Place) -> None:
    options = [{"label": "Pocket", "value": "pocket"}, {"label": "Wan", "value": "wan"}]
    models = {"type": 3, "custom_id": "model", "placeholder": "Model", "options": options}
    people = {"type": 5, "custom_id": "who"}
    said = await place.wire.say(place.room.id, components=[row(models), row(people)])
    message = place.running.world.messages[int(said.body["id"])]
    told: list[Any] = []
    place.running.world.listeners.append(lambda event: told.append(event.data))
    place.alice.choose(message, "Model", "wan")
    assert told[-1]["data"]["values"] == ["wan"]
    place.alice.choose(message, "who", str(place.alice.id))
    assert set(told[-1]["data"]["resolved"]) == {"users", "members"}
    for values in (("nothing",), (), ("pocket", "wan")):
        with pytest.raises(Impossible):
            place.alice.choose(message, "Model", *values)


async def test_only_its_reader_sees_an_ephemeral_message(place: Place) -> None:
    bob = place.running.scene.user("bob")
    place.running.scene.join(place.guild, bob)
    asked = place.ask()
    await place.wire.answer(
        asked, 4, {"content": "psst", "flags": 64, "components": [row(button())]}
    )
    message = await asked.message()
    place.alice.press(message, "Again")
    with pytest.raises(Impossible, match="does not see"):
        bob.press(message, "Again")
    path = f"/channels/{place.room.id}/messages/{message.id}"
    assert (await place.wire.call("GET", path)).code == 10008


async def test_modals_are_filled_in(place: Place) -> None:
    prompt = {"type": 4, "custom_id": "prompt", "style": 2, "value": "a red ball", "max_length": 20}
    camera = {
        "type": 3,
        "custom_id": "camera",
        "required": False,
        "options": [
            {"label": "Pan", "value": "pan", "default": True},
            {"label": "Tilt", "value": "t"},
        ],
    }
    picture = {"type": 19, "custom_id": "picture", "required": False}
    labelled = [
        {"type": 18, "label": label, "component": inner}
        for label, inner in (("Prompt", prompt), ("Camera", camera), ("Picture", picture))
    ]
    asked = place.ask()
    modal = {"custom_id": "edit", "title": "Edit", "components": labelled}
    assert (await place.wire.answer(asked, 9, modal)).status == 200
    told: list[Any] = []
    place.running.world.listeners.append(lambda event: told.append(event.data))
    await place.alice.submit_modal(asked, {"Picture": Upload("cat.png", b"a cat")})
    fields = [part["component"] for part in told[-1]["data"]["components"]]
    assert fields[0]["value"] == "a red ball"
    assert fields[1]["values"] == ["pan"]
    assert list(told[-1]["data"]["resolved"]["attachments"]) == fields[2]["values"]
    for filled in ({"Colour": "red"}, {"Prompt": ""}, {"Prompt": "x" * 21}, {"Camera": "roll"}):
        with pytest.raises(Impossible):
            await place.alice.submit_modal(asked, filled)


async def test_a_clip_is_seen_once_for_each_message_and_content(place: Place) -> None:
    bob = place.running.scene.user("bob")
    place.running.scene.join(place.guild, bob)
    asked = place.ask()
    await place.wire.answer(asked, 5)
    for _ in range(2):
        await place.wire.edit(asked, {"clip.mp4": b"the clip"})
    await place.wire.edit(asked, {"poster.png": b"a picture"})
    assert len(place.alice.clips()) == len(bob.clips()) == 1
    await place.wire.follow_up(asked, content="hi")
    await place.wire.say(place.room.id, {"clip.mp4": b"the clip"}, content="again")
    assert len(place.alice.clips()) == 2
    opened = await place.wire.call(
        "POST", "/users/@me/channels", {"recipient_id": str(place.alice.id)}
    )
    await place.wire.say(int(opened.body["id"]), {"clip.mp4": b"the clip"}, content="yours")
    assert (len(place.alice.clips()), len(bob.clips())) == (3, 2)
    place.running.scene.delete_channel(place.room)
    assert len(place.alice.clips()) == 3


async def test_message_commands_carry_their_message(place: Place) -> None:
    told: list[Any] = []
    place.running.world.listeners.append(lambda event: told.append(event.data))
    message = place.alice.post(place.room, "look", [Upload("cat.png", b"a cat")])
    place.alice.message_command(ANIMATE["name"], message)
    carried = told[-1]["data"]["resolved"]["messages"][str(message.id)]
    assert carried["attachments"][0]["filename"] == "cat.png"


async def test_the_first_followup_takes_the_place_of_thinking(place: Place) -> None:
    asked = place.ask()
    await place.wire.answer(asked, 5)
    await place.wire.follow_up(asked, content="done")
    assert (await asked.message()).content == "done"
    assert asked.followups() == []
    await place.wire.follow_up(asked, content="more")
    assert [m.content for m in asked.followups()] == ["more"]
