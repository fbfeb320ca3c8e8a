"""Each rule that a bot can break is broken here, and the stand-in notices."""

from __future__ import annotations

from typing import Any

import pytest

from tests.discord.conftest import Place
from tests.discord.wire import (
    ANIMATE,
    CREATE,
    button,
    container,
    gallery,
    row,
    text,
)

Json = dict[str, Any]

V2 = 1 << 15


BAD_MESSAGES: dict[str, Json] = {
    "fewer in length": {"content": "x" * 2001},
    "6001 characters": {"embeds": [{"description": "x" * 3001}, {"description": "x" * 3000}]},
    "cannot be used with the flag": {"content": "hi", "flags": V2, "components": [text("hi")]},
    "needs the flag": {"components": [text("hi")]},
    "42 components": {"flags": V2, "components": [text("hi") for _ in range(42)]},
    "4001 characters of text": {"flags": V2, "components": [text("x" * 2001), text("x" * 2000)]},
    "6 rows": {"components": [row(button(custom_id=str(n))) for n in range(6)]},
    "up to 5 buttons": {"components": [row(*(button(custom_id=str(n)) for n in range(6)))]},
    "cannot be duplicated": {"components": [row(button(), button())]},
    "a custom_id and no url": {"components": [row({"type": 2, "style": 1, "label": "x"})]},
    "a link button has a url": {"components": [row({"type": 2, "style": 5, "label": "x"})]},
    "needs a label": {"components": [row({"type": 2, "style": 1, "custom_id": "x"})]},
    "an action row is empty": {"components": [row()]},
    "attachment was not found": {"flags": V2, "components": [gallery("clip.mp4")]},
    "no file for the ids": {"content": "hi", "attachments": [{"id": 3, "filename": "x.png"}]},
    "message_reference": {"content": "hi", "message_reference": {"message_id": "5"}},
}


@pytest.mark.parametrize("words", BAD_MESSAGES)
async def test_bad_messages_are_refused(place: Place, words: str) -> None:
    heard = await place.wire.say(place.room.id, **BAD_MESSAGES[words])
    assert (heard.status, heard.code) == (400, 50035)
    assert place.noticed(words)
    assert place.running.messages(place.room) == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"components": [row(button(custom_id="x" * 101))]}, "components"),
        ({"components": [row(button(label="x" * 81))]}, "components"),
        ({"flags": V2, "components": [container()]}, "components"),
        ({"content": 5}, "content"),
        ({"content": "hi", "nonce": "x" * 26}, "nonce"),
        ({"content": "hi", "embeds": [{}] * 11}, "embeds"),
    ],
)
async def test_the_description_refuses_too(judged: Place, said: Json, words: str) -> None:
    heard = await judged.wire.say(judged.room.id, **said)
    assert (heard.status, heard.code) == (400, 50035)
    assert judged.noticed(words)


async def test_unknown_keys_are_noticed_and_passed_over(judged: Place) -> None:
    assert (await judged.wire.say(judged.room.id, content="hi", colour="red")).status == 200
    assert judged.noticed("'colour' was unexpected")
    path = f"/channels/{judged.room.id}/messages?colour=red"
    assert (await judged.wire.call("POST", path, {"content": "hi"})).status == 200
    assert judged.noticed("unknown query parameter colour")


async def test_an_empty_message_is_refused(place: Place) -> None:
    assert (await place.wire.say(place.room.id, content="")).code == 50006


BAD_COMMANDS: dict[str, list[Json]] = {
    "must be lower-case": [CREATE | {"name": "Create"}],
    "is no name": [CREATE | {"name": "make a clip"}],
    "names must be unique": [CREATE, CREATE],
    "a description is 1 to 100": [CREATE | {"description": ""}],
    "required options come first": [CREATE | {"options": CREATE["options"][::-1]}],
    "names of options": [CREATE | {"options": CREATE["options"][:1] * 2}],
    "only slash commands": [ANIMATE | {"description": "Make it move"}],
    "PRIVATE_CHANNEL needs": [CREATE | {"integration_types": [0]}],
    "at most 15": [ANIMATE | {"name": f"Animate {n}"} for n in range(16)],
    "either choices or autocomplete": [
        CREATE | {"options": [CREATE["options"][3] | {"autocomplete": True}]}
    ],
    "choices must be unique": [
        CREATE
        | {"options": [CREATE["options"][3] | {"choices": [{"name": "a", "value": "b"}] * 2}]}
    ],
    "is above": [CREATE | {"options": [CREATE["options"][2] | {"min_value": 61}]}],
    "more than 8000 characters": [
        CREATE
        | {
            "options": [
                {
                    "name": f"n{n}",
                    "description": "x" * 100,
                    "type": 3,
                    "choices": [{"name": f"{i}" * 50, "value": f"{i}" * 50} for i in range(10)],
                }
                for n in range(9)
            ]
        }
    ],
}


@pytest.mark.parametrize("words", BAD_COMMANDS)
async def test_bad_commands_are_refused(place: Place, words: str) -> None:
    before = dict(place.running.world.commands)
    heard = await place.wire.register(*BAD_COMMANDS[words])
    assert (heard.status, heard.code) == (400, 50035)
    assert place.noticed(words)
    assert place.running.world.commands == before


async def test_commands_keep_their_ids(place: Place) -> None:
    before = {c["name"]: c["id"] for c in place.running.world.commands.values()}
    await place.wire.register(CREATE | {"description": "Make something move"})
    after = {c["name"]: c["id"] for c in place.running.world.commands.values()}
    assert after == {"create": before["create"]}


async def test_who_does_not_say_who_they_are_is_turned_away(place: Place) -> None:
    for token in (None, "somebody else"):
        heard = await place.wire.call("GET", "/users/@me", token=token)
        assert (heard.status, heard.code) == (401, 0)


async def test_answers_are_exactly_json(place: Place) -> None:
    heard = await place.wire.call("GET", "/users/@me")
    assert heard.headers["Content-Type"] == "application/json"


async def test_a_route_that_is_not_there_is_noticed(place: Place) -> None:
    assert (await place.wire.call("GET", "/nowhere")).status == 404
    assert place.noticed("has no GET /nowhere")


async def test_files_need_their_json(place: Place) -> None:
    path = f"/channels/{place.room.id}/messages"
    assert (await place.wire.call("POST", path, None, {"a.png": b"x"})).status == 200
    assert place.noticed("files without payload_json")


async def test_an_answer_is_given_back_where_asked_for(place: Place) -> None:
    asked = place.ask()
    told = (await place.wire.answer(asked, 4, {"content": "hi"})).body
    assert told["resource"]["message"]["content"] == "hi"
    later = (await place.wire.answer(place.ask(), 5)).body
    assert later["interaction"]["response_message_loading"]
    assert "resource" not in later
    quiet = place.ask()
    path = f"/interactions/{quiet.id}/{quiet.now.token}/callback"
    assert (await place.wire.call("POST", path, {"type": 5}, token=None)).status == 204


async def test_double_acknowledgement(place: Place) -> None:
    asked = place.ask()
    assert (await place.wire.answer(asked, 5)).status == 200
    assert (await place.wire.answer(asked, 5)).code == 40060


@pytest.mark.parametrize("kind", [1, 6, 7, 8])
async def test_answers_that_do_not_fit_a_command(place: Place, kind: int) -> None:
    data: Json | None = {"choices": []} if kind == 8 else None
    assert (await place.wire.answer(place.ask(), kind, data)).code == 50035
    assert place.noticed("type")


def field(custom_id: str = "a", **more: Any) -> Json:
    return row({"type": 4, "custom_id": custom_id, "style": 1, "label": "Prompt"} | more)


BAD_MODALS: dict[str, Json] = {
    "title": {"title": "x" * 46},
    "between 1 and 5": {"components": [field(str(n)) for n in range(6)]},
    "something to fill in": {"components": [text("hi")]},
    "longer than may be typed": {"components": [field(max_length=3, value="long")]},
    "cannot be duplicated": {"components": [field()] * 2},
    "does not belong in a modal": {"components": [row(button())]},
}


@pytest.mark.parametrize("words", BAD_MODALS)
async def test_bad_modals_are_refused(place: Place, words: str) -> None:
    modal = {"custom_id": "edit", "title": "Edit", "components": [field()]} | BAD_MODALS[words]
    heard = await place.wire.answer(place.ask(), 9, modal)
    assert (heard.status, heard.code) == (400, 50035)
    assert place.noticed(words)


async def test_too_many_choices_are_refused(place: Place) -> None:
    option = CREATE["options"][0] | {"autocomplete": True}
    await place.wire.register(CREATE | {"options": [option]})
    asked = place.alice.autocomplete("create", place.room, "prompt", prompt="a c")
    many = [{"name": str(n), "value": str(n)} for n in range(26)]
    assert (await place.wire.answer(asked, 8, {"choices": many})).code == 50035
    assert (await place.wire.answer(asked, 8, {"choices": many[:25]})).status == 200
    assert len(await asked.choices()) == 25


async def test_a_card_stays_v2_and_takes_no_content(place: Place) -> None:
    said = await place.wire.say(place.room.id, flags=V2, components=[text("hi")])
    path = f"/channels/{place.room.id}/messages/{said.body['id']}"
    assert (await place.wire.call("PATCH", path, {"content": "hi"})).code == 50035
    edited = await place.wire.call("PATCH", path, {"flags": 0, "components": [text("you")]})
    assert edited.body["flags"] & V2


async def test_the_same_nonce_says_it_once(place: Place) -> None:
    first = await place.wire.say(place.room.id, content="a", nonce="job-1", enforce_nonce=True)
    again = await place.wire.say(place.room.id, content="b", nonce="job-1", enforce_nonce=True)
    assert again.body["id"] == first.body["id"]
    assert [m.content for m in place.running.messages(place.room)] == ["a"]
    place.running.clock.jump(600)
    await place.wire.say(place.room.id, content="c", nonce="job-1", enforce_nonce=True)
    assert [m.content for m in place.running.messages(place.room)] == ["a", "c"]


async def test_files_that_components_show_are_not_listed_again(place: Place) -> None:
    card = [container(gallery("clip.mp4"))]
    files = {"clip.mp4": b"a clip"}
    listed = [{"id": 0, "filename": "clip.mp4"}]
    said = await place.wire.say(place.room.id, files, flags=V2, components=card, attachments=listed)
    assert said.body["attachments"] == []
    medium = said.body["components"][0]["components"][0]["items"][0]["media"]
    assert medium["attachment_id"]
    assert medium["url"].startswith(place.running.cdn_url)


async def test_new_files_replace_those_that_are_not_listed(place: Place) -> None:
    said = await place.wire.say(place.room.id, {"a.txt": b"a"}, content="")
    path = f"/channels/{place.room.id}/messages/{said.body['id']}"
    kept = await place.wire.call("PATCH", path, {"content": "still"})
    assert [a["filename"] for a in kept.body["attachments"]] == ["a.txt"]
    both = [{"id": said.body["attachments"][0]["id"]}, {"id": 0, "filename": "b.txt"}]
    added = await place.wire.call("PATCH", path, {"attachments": both}, {"b.txt": b"b"})
    assert [a["filename"] for a in added.body["attachments"]] == ["a.txt", "b.txt"]
    alone = await place.wire.call("PATCH", path, {}, {"c.txt": b"c"})
    assert [a["filename"] for a in alone.body["attachments"]] == ["c.txt"]


async def test_what_is_gone_is_unknown(place: Place) -> None:
    said = await place.wire.say(place.room.id, content="hi")
    path = f"/channels/{place.room.id}/messages/{said.body['id']}"
    assert (await place.wire.call("DELETE", path)).status == 204
    assert (await place.wire.call("PATCH", path, {"content": "you"})).code == 10008
    asked = place.ask()
    await place.wire.answer(asked, 5)
    place.running.scene.delete_channel(place.room)
    assert (await place.wire.say(place.room.id, content="hi")).code == 10003
    assert (await place.wire.edit(asked, content="done")).code == 10008


async def test_a_deleted_card(place: Place) -> None:
    asked = place.ask()
    await place.wire.answer(asked, 4, {"content": "working"})
    place.running.scene.delete_message(await asked.message())
    assert (await place.wire.edit(asked, content="done")).code == 10008


async def test_only_named_and_allowed_people_are_pinged(place: Place) -> None:
    bob = place.running.scene.user("bob")
    both = f"{place.alice.mention} {bob.mention}"
    only = {"parse": [], "users": [str(place.alice.id)]}
    await place.wire.say(place.room.id, content=both, allowed_mentions=only)
    await place.wire.say(place.room.id, content=both, allowed_mentions={"parse": []})
    assert [len(p.pings()) for p in (place.alice, bob)] == [1, 0]
    said = await place.wire.say(place.room.id, content="done")
    path = f"/channels/{place.room.id}/messages/{said.body['id']}"
    await place.wire.call("PATCH", path, {"content": both})
    assert len(place.alice.pings()) == 1, "an edit does not notify"
