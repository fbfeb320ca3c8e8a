"""Methods that post: words, media, albums; and the sign that one is about to."""

from __future__ import annotations

from typing import Any

from tests.telegram import payloads
from tests.telegram.call import MEDIA, Call
from tests.telegram.posts import post
from tests.telegram.refusals import Refused
from tests.telegram.world import Action, Message

Json = dict[str, Any]

ALBUM = range(2, 11)
ACTIONS = (
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note",
    "upload_video_note",
)  # fmt: skip


def send_message(call: Call) -> Json:
    chat = call.open_chat()
    text, entities = call.words()
    if not text:
        raise Refused("message text is empty")
    return _posted(call, call.blank(
        chat, text=text, entities=entities, markup=call.keyboard(), asks=call.asks(),
        reply_to=call.reply(chat),
    ))  # fmt: skip


def send_media(call: Call) -> Json:
    """sendPhoto, sendVideo, sendAnimation, sendDocument, sendSticker."""
    kind = call.method.removeprefix("send").lower()
    assert kind in MEDIA
    chat = call.open_chat()
    text, entities = call.caption()
    keyboard, answers = call.keyboard(), call.reply(chat)
    return _posted(call, call.blank(
        chat, text=text, entities=entities, media=call.media(kind), markup=keyboard,
        asks=call.asks(), reply_to=answers,
    ))  # fmt: skip


def send_media_group(call: Call) -> list[Json]:
    given = call.form.json("media") or []
    if len(given) not in ALBUM:
        raise Refused("wrong number of items to send as an album; it must be 2 to 10")
    chat = call.open_chat(len(given))
    answers, album = call.reply(chat), str(call.world.count("album", 10**15))
    made = []
    for item in given:
        text, entities = call.caption(item)
        media = call.media(item["type"], item)
        made.append(call.blank(
            chat, text=text, entities=entities, media=media, album=album, reply_to=answers
        ))  # fmt: skip
    return [_posted(call, message) for message in made]


def send_chat_action(call: Call) -> bool:
    chat = call.chat()
    if not chat.has(call.world.bot.id):
        call.open_chat()
    action = call.form.text("action")
    if action not in ACTIONS:
        raise Refused("wrong parameter action in request")
    topic = call.topic(chat)
    call.world.actions.append(Action(call.world.clock.now(), chat.id, topic, action))
    call.world.touch()
    return True


def _posted(call: Call, message: Message) -> Json:
    return payloads.message(call.world, post(call.world, message))
