"""What the stand-in says is what Discord's description says it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.discord import payloads, schema
from tests.discord.cdn import Upload
from tests.discord.conftest import Place
from tests.discord.wire import CREATE, button, container, gallery, row, text

V2 = 1 << 15


async def test_every_answer_fits(judged: Place) -> None:
    scene, wire = judged.running.scene, judged.wire
    thread = scene.thread(judged.room, "clips", judged.alice)
    app = judged.running.world.app.id
    shop = judged.running.shop
    plan = shop.sku("plan")
    held = shop.entitle(judged.alice, plan)
    for_tests = {"sku_id": plan["id"], "owner_id": str(judged.alice.id), "owner_type": 2}
    given = await wire.call("POST", f"/applications/{app}/entitlements", for_tests)
    opened = await wire.call("POST", "/users/@me/channels", {"recipient_id": judged.alice.id})
    for path in (
        "/users/@me",
        "/users/@me/guilds",
        f"/users/{judged.alice.id}",
        "/oauth2/applications/@me",
        "/applications/@me",
        "/gateway",
        "/gateway/bot",
        f"/guilds/{judged.guild.id}?with_counts=true",
        f"/guilds/{judged.guild.id}/channels",
        f"/guilds/{judged.guild.id}/roles",
        f"/guilds/{judged.guild.id}/members/{judged.alice.id}",
        f"/channels/{judged.room.id}",
        f"/channels/{thread.id}",
        f"/channels/{opened.body['id']}",
        f"/channels/{judged.room.id}/messages",
        f"/applications/{app}/commands",
        f"/applications/{app}/skus",
        f"/applications/{app}/entitlements?limit=1&exclude_ended=true",
        f"/applications/{app}/entitlements/{held['id']}",
        f"/skus/{plan['id']}/subscriptions?user_id={judged.alice.id}",
    ):
        assert (await wire.call("GET", path)).status == 200
    for path in ("/users/1", "/channels/1", "/guilds/1"):
        assert (await wire.call("GET", path)).status == 404
    entitlements = f"/applications/{app}/entitlements"
    consumed = await wire.call("POST", f"{entitlements}/{held['id']}/consume")
    assert consumed.status == 204
    assert (await wire.call("DELETE", f"{entitlements}/{given.body['id']}")).status == 204
    assert (await wire.call("GET", f"{entitlements}/{given.body['id']}")).status == 404
    assert judged.running.violations == []


async def test_a_command_of_every_option_fits(judged: Place) -> None:
    options = [
        {"name": f"option{kind}", "description": "What", "type": kind} for kind in range(3, 12)
    ]
    options[7 - 3]["channel_types"] = [0, 2, 4, 5, 10, 11, 12, 13, 15, 16]
    heard = await judged.wire.register(CREATE | {"options": options, "nsfw": False})
    assert heard.status == 200
    assert judged.running.violations == []


async def test_every_kind_of_message_fits(judged: Place) -> None:
    wire = judged.wire
    options = [{"label": "a", "value": "a", "description": None, "emoji": {"name": "🎬"}}]
    section = {
        "type": 9,
        "components": [text("hi")],
        "accessory": {"type": 11, "media": {"url": "attachment://a.png"}},
    }
    card = container(
        text("a clip"),
        gallery("a.png"),
        section,
        {"type": 13, "file": {"url": "attachment://a.txt"}},
        {"type": 14},
        row(button(emoji={"name": "🔁", "id": None}), {"type": 2, "style": 5, "label": "Page",
                                                       "url": "https://kinora.example/"}),
        row({"type": 3, "custom_id": "model", "options": options}),
        *(row({"type": kind, "custom_id": f"select {kind}"}) for kind in (5, 6, 7, 8)),
    )  # fmt: skip
    files = {"a.png": b"a picture", "a.txt": b"words"}
    listed = [{"id": n, "filename": name} for n, name in enumerate(files)]
    said = await wire.say(judged.room.id, files, flags=V2, components=[card], attachments=listed)
    assert said.status == 200
    reply = {"message_id": int(said.body["id"])}
    embed = {"title": "a", "image": {"url": "attachment://a.png"}}
    await wire.say(judged.room.id, files, content=judged.alice.mention, nonce="n",
                   embeds=[embed], message_reference=reply)  # fmt: skip
    asked = judged.ask()
    await wire.answer(asked, 5, {"flags": 64})
    await wire.edit(asked, content="done")
    await wire.follow_up(asked, content="more", flags=64)
    message = judged.alice.post(judged.room, "look", [Upload("cat.png", b"a cat")])
    animated = judged.alice.message_command("Animate this", message)
    await wire.answer(animated, 4, {"components": [row(button())]})
    pressed = judged.alice.press(await animated.message(), "Again")
    await wire.answer(pressed, 7, {"content": "pressed"})
    again = judged.alice.press(await animated.message(), "Again")
    field = {"type": 4, "custom_id": "prompt", "style": 1, "label": "Prompt"}
    modal = {"custom_id": "edit", "title": "Edit", "components": [row(field)]}
    await wire.answer(again, 9, modal)
    submitted = await judged.alice.submit_modal(again, {"Prompt": "a"})
    await wire.answer(submitted, 4, {"content": "done"})
    assert judged.running.violations == []


async def test_events_fit_where_the_description_has_their_parts(judged: Place) -> None:
    """The gateway has no description of its own; its objects are those of REST."""
    path = schema.description()
    assert path is not None
    judge = schema.judge(path)
    told: list[Any] = []
    judged.running.world.listeners.append(lambda event: told.append(event.data))
    message = judged.alice.post(judged.room, "look", [Upload("cat.png", b"a cat")])
    judged.alice.message_command("Animate this", message)
    event = told[-1]
    carried = event["data"]["resolved"]["messages"][str(message.id)]
    get = "/channels/{channel_id}/messages/{message_id}"
    assert judge.response("GET", get, 200, carried) == []
    get = "/guilds/{guild_id}/members/{user_id}"
    assert judge.response("GET", get, 200, event["member"]) == []
    assert judge.response("GET", "/channels/{channel_id}", 200, event["channel"]) == []
    whole = payloads.guild_create(judged.running.world, judged.guild)
    assert judge.response("GET", "/guilds/{guild_id}", 200, whole) == []


async def test_a_wrong_answer_of_the_stand_ins_own_is_noticed(
    judged: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payloads, "me", lambda world: {"id": 5})
    await judged.wire.call("GET", "/users/@me")
    assert judged.noticed("stand-in: GET /users/@me → 200: id: 5 is not")
