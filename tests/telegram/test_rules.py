"""Each rule of the stand-in, and what breaks it."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from tests.telegram import markup
from tests.telegram.files import DOWNLOAD_BYTES, PHOTO_BYTES, Upload
from tests.telegram.people import Impossible, Person
from tests.telegram.refusals import Refused
from tests.telegram.server import standin
from tests.telegram.wire import Wire, wired
from tests.telegram.world import GROUP

MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(100)


def picture(width: int = 64, height: int = 36, kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind)
    return out.getvalue()


def keys(**button: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "Again", **button}]]}


@pytest.fixture
def anna(wire: Wire) -> Person:
    return wire.running.scene.user("anna", stars=5)


async def test_texts_have_limits_and_buttons_too(wire: Wire, anna: Person) -> None:
    wire.running.limits.on = False
    for words, fields in {
        "message text is empty": {"text": " "},
        "message is too long": {"text": "a" * 4097},
        "BUTTON_DATA_INVALID": {"text": "a", "reply_markup": keys(callback_data="é" * 33)},
        "Text buttons are unallowed": {"text": "a", "reply_markup": keys()},
        "message to be replied not found": {"text": "a", "reply_parameters": {"message_id": 99}},
        "message thread not found": {"text": "a", "message_thread_id": 99},
        "Unsupported start tag": {"text": "a <prompt>", "parse_mode": "HTML"},
    }.items():
        heard = await wire.call("sendMessage", chat_id=anna.id, **fields)
        assert (heard.status, words in heard.description) == (400, True), heard
    wide = await wire.call("sendMessage", chat_id=anna.id, text="a" * 4096)
    assert wide.status == 200
    media = await wire.call("sendVideo", chat_id=anna.id, video=MP4, caption="a" * 1025)
    assert "message caption is too long" in media.description


@pytest.mark.parametrize(
    ("html", "why"),
    [
        ("<b>a", "Can't find end tag"),
        ("<b>a</i>", "Unmatched end tag"),
        ("a</b>", "Unexpected end tag"),
        ("1 < 2", "Unsupported start tag"),
        ('<span class="x">a</span>', "tg-spoiler"),
    ],
)
def test_html_that_cannot_be_parsed(html: str, why: str) -> None:
    with pytest.raises(Refused, match="can't parse entities") as refused:
        markup.parsed(html)
    assert why in str(refused.value)


def test_html_becomes_entities_in_utf16() -> None:
    text, entities = markup.parsed(' 🎬 <b>a &lt; <a href="https://a.b">c</a></b>&amp;')
    assert text == "🎬 a < c&"
    assert [(e["type"], e["offset"], e["length"]) for e in entities] == [
        ("bold", 3, 5), ("text_link", 7, 1),
    ]  # fmt: skip
    assert [markup.entity(text, e) for e in entities] == ["a < c", "c"]


async def test_an_edit_must_change_something_that_is_there(wire: Wire, anna: Person) -> None:
    wire.running.limits.on = False
    said = (await wire.call("sendMessage", chat_id=anna.id, text="a")).result
    where = {"chat_id": anna.id, "message_id": said["message_id"]}
    for words, method, fields in (
        ("message is not modified", "editMessageText", where | {"text": "a"}),
        ("there is no caption", "editMessageCaption", where | {"caption": "b"}),
        ("message to edit not found", "editMessageText", where | {"message_id": 99, "text": "b"}),
        ("message can't be edited", "editMessageText",
         where | {"message_id": anna.say("mine").id, "text": "b"}),
    ):  # fmt: skip
        heard = await wire.call(method, **fields)
        assert words in heard.description, heard
    clip = json.dumps({"type": "video", "media": "attach://clip"})
    assert (await wire.call("editMessageMedia", **where, media=clip, clip=MP4)).status == 200
    again = await wire.call("editMessageMedia", **where, media=clip, clip=MP4)
    assert "message is not modified" in again.description
    assert "no text" in (await wire.call("editMessageText", **where, text="b")).description
    assert len(anna.clips()) == 1
    assert (await wire.call("deleteMessage", **where)).result is True
    assert "to delete not found" in (await wire.call("deleteMessage", **where)).description
    assert len(anna.clips()) == 1
    await wire.call("sendVideo", chat_id=anna.id, video=MP4)
    assert len(anna.clips()) == 2, "a second message shows it twice"


async def test_a_message_that_asks_for_an_answer_is_not_edited(wire: Wire, anna: Person) -> None:
    wire.running.limits.on = False
    force = {"force_reply": True, "input_field_placeholder": "a red ball"}
    asked = await wire.call("sendMessage", chat_id=anna.id, text="What?", reply_markup=force)
    where = {"chat_id": anna.id, "message_id": asked.result["message_id"]}
    card = wire.running.world.messages[anna.id, asked.result["message_id"]]
    assert card.asks == force
    told = await wire.call("editMessageText", **where, text="Who?")
    assert "message can't be edited" in told.description
    long = force | {"input_field_placeholder": "a" * 65}
    told = await wire.call("sendMessage", chat_id=anna.id, text="What?", reply_markup=long)
    assert "placeholder" in told.description
    said = await wire.call("sendMessage", chat_id=anna.id, text="a")
    where["message_id"] = said.result["message_id"]
    told = await wire.call("editMessageText", **where, text="b", reply_markup=force)
    assert "inline keyboard expected" in told.description


async def test_an_inline_message_takes_no_upload(wire: Wire, anna: Person) -> None:
    wire.running.limits.on = False
    asked = anna.inline("a ball")
    article = {
        "type": "article", "id": "1", "title": "Create", "reply_markup": keys(callback_data="a"),
        "input_message_content": {"message_text": "a ball"},
    }  # fmt: skip
    await wire.call("answerInlineQuery", inline_query_id=asked.id, results=[article])
    chosen = await anna.choose(asked)
    assert chosen.inline_id
    where = {"inline_message_id": chosen.inline_id}
    clip = json.dumps({"type": "video", "media": "attach://clip"})
    told = await wire.call("editMessageMedia", **where, media=clip, clip=MP4)
    assert "can't be edited by uploading" in told.description
    sent = await wire.call("sendVideo", chat_id=anna.id, video=MP4)
    known = json.dumps({"type": "video", "media": sent.result["video"]["file_id"]})
    assert (await wire.call("editMessageMedia", **where, media=known)).result is True
    by_chat = {"chat_id": anna.id, "message_id": chosen.id}
    told = await wire.call("editMessageReplyMarkup", **by_chat)
    assert "message can't be edited" in told.description, "it is known by its inline id alone"
    wire.running.world.inline = False
    with pytest.raises(Impossible, match="not inline"):
        anna.inline("a ball")


async def test_where_the_bot_may_not_write(wire: Wire, anna: Person) -> None:
    scene = wire.running.scene
    stranger = scene.user("stranger", started=False)
    group = scene.group("Cinema", anna, kind=GROUP)
    forum = scene.forum("Forum", anna)
    topic = scene.topic(forum, "clips", anna)

    async def refused(chat_id: int, **fields: Any) -> Any:
        return await wire.call("sendMessage", chat_id=chat_id, text="hi", **fields)

    assert (await refused(stranger.id)).description == "Bad Request: chat not found"
    scene.close(forum, topic)
    assert "TOPIC_CLOSED" in (await refused(forum.id, message_thread_id=topic.id)).description
    scene.promote(forum, wire.running.world.bot)
    assert (await refused(forum.id, message_thread_id=topic.id)).status == 200
    moved = scene.migrate(group)
    assert (await refused(group.id)).parameters == {"migrate_to_chat_id": moved.id}
    assert (await refused(moved.id)).status == 200
    scene.kick(moved)
    kicked = await refused(moved.id)
    assert (kicked.status, "was kicked from the supergroup" in kicked.description) == (403, True)
    anna.block()
    blocked = await refused(anna.id)
    assert (blocked.status, "blocked by the user" in blocked.description) == (403, True)
    with pytest.raises(Impossible):
        anna.say("hi")


async def test_files_have_limits(wire: Wire, anna: Person) -> None:
    wire.running.limits.on = False
    files = wire.running.world.files

    async def photo(data: bytes) -> str:
        return (await wire.call("sendPhoto", chat_id=anna.id, photo=data)).description

    assert "PHOTO_INVALID_DIMENSIONS" in await photo(picture(2100, 100))
    assert "IMAGE_PROCESS_FAILED" in await photo(b"no picture")
    assert "too big for a photo" in await photo(bytes(PHOTO_BYTES + 1))
    large = files.keep("video", Upload("a.mp4", bytes(DOWNLOAD_BYTES + 1)))
    assert "file is too big" in (await wire.call("getFile", file_id=large.id)).description
    small = files.keep("video", Upload("a.mp4", MP4))
    path = (await wire.call("getFile", file_id=small.id)).result["file_path"]
    url = f"{wire.running.base_file_url}{wire.running.token}/{path}"
    async with wire.session.get(url) as answer:
        assert await answer.read() == MP4
    wire.running.scene.lose_file(small.id)
    assert (await wire.call("getFile", file_id=small.id)).status == 400
    async with wire.session.get(url) as answer:
        assert answer.status == 404
    wrong = await wire.call("sendVideo", chat_id=anna.id, video="https://a.b/c.mp4")
    assert "failed to get HTTP URL content" in wrong.description
    wire.running.violations.clear()
    await wire.call("sendVideo", chat_id=anna.id, video=MP4, thumbnail=picture(400, 400))
    assert wire.noticed("no side may exceed 320")
    await wire.call("sendVideo", chat_id=anna.id, video=MP4, thumbnail=picture(kind="PNG"))
    assert wire.noticed("it must be JPEG")


async def test_an_upload_of_more_than_50_mb(wire: Wire, anna: Person) -> None:
    heard = await wire.call("sendVideo", chat_id=anna.id, video=bytes(50 * 1024 * 1024 + 1))
    assert heard.status == 413
    assert anna.messages() == []


async def test_a_local_server_reads_and_gives_paths(tmp_path: Path) -> None:
    async with standin(judged=False, local=tmp_path) as running, wired(running) as wire:
        anna = running.scene.user("anna")
        clip = tmp_path / "clip.mp4"
        clip.write_bytes(MP4)
        sent = await wire.call("sendVideo", chat_id=anna.id, video=clip.as_uri())
        told = await wire.call("getFile", file_id=sent.result["video"]["file_id"])
        assert Path(told.result["file_path"]).read_bytes() == MP4


async def test_rates(wire: Wire, anna: Person) -> None:
    running = wire.running
    group = running.scene.group("Cinema", anna)

    async def say(chat_id: int) -> Any:
        return await wire.call("sendMessage", chat_id=chat_id, text="hi")

    assert [(await say(anna.id)).status for _ in range(4)] == [200, 200, 200, 429]
    assert (await say(group.id)).status == 200
    running.clock.jump(1)
    for _ in range(19):
        running.clock.jump(0.5)
        assert (await say(group.id)).status == 200
    running.clock.jump(1)
    full = await say(group.id)
    assert (full.status, full.parameters) == (429, {"retry_after": 49})
    people = [running.scene.user(f"p{n}") for n in range(31)]
    running.clock.jump(60)
    assert [(await say(p.id)).status for p in people] == [200] * 30 + [429]
    assert len(running.limits.exceeded) == 3


async def test_privacy(wire: Wire, anna: Person) -> None:
    running, scene = wire.running, wire.running.scene
    group = scene.group("Cinema", anna)
    other = scene.user("other_bot", is_bot=True)
    scene.join(group, other)
    told: list[str] = []
    running.world.listeners.append(lambda kind, body: told.append(kind))

    def reaches(text: str, **where: Any) -> bool:
        told.clear()
        anna.say(text, group, **where)
        return "message" in told

    assert not reaches("hello")
    assert not reaches("@kinora_bot hello")
    assert reaches("/create@kinora_bot a ball")
    assert not reaches("/create@other_bot a ball")
    assert reaches("/create a ball")
    other.say("hi", group)
    assert not reaches("/create a ball")
    sent = await wire.call("sendMessage", chat_id=group.id, text="hi")
    mine = running.world.messages[group.id, sent.result["message_id"]]
    assert reaches("thanks", reply_to=mine)
    scene.promote(group, running.world.bot)
    assert reaches("hello")
    scene.demote(group, running.world.bot)
    assert not reaches("hello")


async def test_presses_and_inline_queries_are_answered_once_and_in_time(
    wire: Wire, anna: Person
) -> None:
    sent = await wire.call(
        "sendMessage", chat_id=anna.id, text="hi", reply_markup=keys(callback_data="again 1")
    )
    card = wire.running.world.messages[anna.id, sent.result["message_id"]]
    with pytest.raises(Impossible, match="there is Again"):
        anna.press(card, "Delete")
    pressed = anna.press(card, "Again")
    query = {"callback_query_id": pressed.id}
    assert "LONG" in (await wire.call("answerCallbackQuery", **query, text="a" * 201)).description
    assert (await wire.call("answerCallbackQuery", **query)).status == 200
    assert "too old" in (await wire.call("answerCallbackQuery", **query)).description
    late = anna.inline("a ball")
    same = [{"type": "article", "id": "1", "title": "a",
             "input_message_content": {"message_text": "a"}}] * 2  # fmt: skip
    inline = {"inline_query_id": late.id}
    assert "DUPL" in (await wire.call("answerInlineQuery", **inline, results=same)).description
    many = await wire.call("answerInlineQuery", **inline, results=same * 26)
    assert "TOO_MUCH" in many.description
    wire.running.clock.jump(61)
    assert (
        "too old" in (await wire.call("answerInlineQuery", **inline, results=same[:1])).description
    )
    assert wire.running.unanswered() == 1


async def test_updates_are_confirmed_by_a_higher_offset(wire: Wire, anna: Person) -> None:
    anna.say("one")
    anna.say("two")
    first = (await wire.call("getUpdates")).result
    assert (await wire.call("getUpdates")).result == first
    second = first[1]["update_id"]
    assert [u["update_id"] for u in (await wire.call("getUpdates", offset=second)).result] == [
        second
    ]
    assert (await wire.call("getUpdates", offset=second + 1)).result == []
    only = ["callback_query"]
    await wire.call("getUpdates", offset=second + 1, allowed_updates=only)
    anna.say("unheard")
    assert (await wire.call("getUpdates")).result == []
    older = asyncio.create_task(wire.call("getUpdates", timeout=50))
    await wire.running.polling()
    await wire.call("getUpdates", timeout=0)
    assert (await older).status == 409


async def test_webhooks_as_telegram_wants_them(wire: Wire) -> None:
    for words, fields in (
        ("HTTPS", {"url": "http://a.example/"}),
        ("ports", {"url": "https://a.example:8080/"}),
        ("secret token", {"url": "https://a.example/", "secret_token": "a b"}),
    ):
        assert words in (await wire.call("setWebhook", **fields)).description


async def test_menus_by_scope_and_language(wire: Wire, anna: Person) -> None:
    group = wire.running.scene.group("Cinema", anna)

    async def commands(name: str, **scope: Any) -> Any:
        listed = [{"command": name, "description": "a"}]
        return await wire.call("setMyCommands", commands=listed, **scope)

    await commands("default")
    await commands("private", scope={"type": "all_private_chats"})
    await commands("privat", scope={"type": "all_private_chats"}, language_code="de")
    await commands("admin", scope={"type": "all_chat_administrators"})
    german = wire.running.scene.user("gerd", language_code="de")
    wire.running.scene.join(group, german)
    assert (anna.menu(), german.menu()) == (["private"], ["privat"])
    assert (anna.menu(group), german.menu(group)) == (["admin"], ["default"])
    assert "BOT_COMMAND_INVALID" in (await commands("Upper")).description


async def test_faults(wire: Wire, anna: Person) -> None:
    faults = wire.running.faults
    faults.broken("send*", status=503)
    assert (await wire.call("sendMessage", chat_id=anna.id, text="a")).status == 503
    faults.lose("sendMessage")
    with pytest.raises(aiohttp.ClientConnectionError):
        await wire.call("sendMessage", chat_id=anna.id, text="lost")
    faults.slow("sendVideo", 1_000_000)
    sent = await wire.call("sendVideo", chat_id=anna.id, video=bytes(range(256)) * 400)
    assert sent.status == 200
    assert [m.text for m in anna.messages()] == ["lost", ""]
    assert faults.waiting == []
    assert (await wire.call("getMe", token="wrong")).status == 401
    assert (await wire.call("noSuchMethod")).status == 404
    assert wire.noticed("has no noSuchMethod")


async def test_the_description_notices(judged: Wire) -> None:
    anna = judged.running.scene.user("anna")
    judged.running.limits.on = False
    for words, method, fields in (
        ("chat_id: is required", "sendMessage", {"text": "a"}),
        ("colour: unknown", "sendMessage", {"chat_id": anna.id, "text": "a", "colour": "red"}),
        ("message_thread_id: 'x'", "sendMessage",
         {"chat_id": anna.id, "text": "a", "message_thread_id": "x"}),
        ("callback_data: 65 bytes", "sendMessage",
         {"chat_id": anna.id, "text": "a", "reply_markup": keys(callback_data="a" * 65)}),
        ("unknown to InlineKeyboardButton", "sendMessage",
         {"chat_id": anna.id, "text": "a", "reply_markup": keys(data="a")}),
        ("attach://clip: no such file", "sendVideo", {"chat_id": 1, "video": "attach://clip"}),
        ("astray: no field leads", "sendMessage", {"chat_id": 1, "text": "a", "astray": b""}),
        ("fits no", "setMyCommands", {"commands": [], "scope": {"type": "nobody"}}),
    ):  # fmt: skip
        await judged.call(method, **fields)
        assert judged.noticed(words), (words, judged.running.violations)
    judged.running.world.tell("message", {"message_id": "one"})
    assert judged.noticed("stand-in: update.message.message_id")


async def test_whatever_people_send_reaches_the_bot(judged: Wire) -> None:
    anna = judged.running.scene.user("anna")
    anna.start("from_a_friend")
    anna.sticker(picture(kind="WEBP"))
    anna.document(picture(kind="PNG"), "as a file")
    anna.video(MP4, "its frame")
    album = anna.album(picture(), picture(72, 72), caption="first and last")
    anna.edit(anna.say("a bal"), "a ball")
    updates = (await judged.call("getUpdates")).result
    said = [u.get("message") or u["edited_message"] for u in updates]
    assert said[0]["text"] == "/start from_a_friend"
    assert said[0]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert [kind for m in said for kind in ("sticker", "document", "video") if kind in m] == [
        "sticker", "document", "video",
    ]  # fmt: skip
    assert [m.get("caption") for m in said[4:6]] == ["first and last", None]
    assert {m["media_group_id"] for m in said[4:6]} == {album[0].album}
    assert "edit_date" in said[-1]
    assert judged.running.violations == []


async def test_an_update_may_come_again_though_confirmed(wire: Wire, anna: Person) -> None:
    kept = wire.running.updates
    anna.say("once")
    (update,) = kept.pending.values()
    await wire.call("getUpdates", offset=update.id + 1)
    assert kept.pending == {}
    kept.repeat(update, 101)
    told = (await wire.call("getUpdates", offset=update.id + 1)).result
    assert told == [update.json()] * 100
    assert len((await wire.call("getUpdates")).result) == 1
    assert (await wire.call("getUpdates")).result == []


async def test_a_poll_that_was_lost_loses_nothing(wire: Wire, anna: Person) -> None:
    anna.say("hi")
    wire.running.faults.lose("getUpdates")
    with pytest.raises(aiohttp.ClientConnectionError):
        await wire.call("getUpdates")
    assert len((await wire.call("getUpdates")).result) == 1
