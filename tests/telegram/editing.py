"""Methods that change or delete what was posted, by chat and id or by inline_message_id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.telegram import payloads, posts
from tests.telegram.call import Call
from tests.telegram.refusals import Refused
from tests.telegram.world import PRIVATE, Message

Json = dict[str, Any]

DELETE_SECONDS = 48 * 3600


def edit_text(call: Call) -> Json | bool:
    before = _edited(call)
    text, entities = call.words()
    if before.media or before.special:
        raise Refused("there is no text in the message to edit")
    if not text:
        raise Refused("message text is empty")
    return _put(call, before, replace(before, text=text, entities=entities))


def edit_caption(call: Call) -> Json | bool:
    before = _edited(call)
    text, entities = call.caption()
    if not before.media:
        raise Refused("there is no caption in the message to edit")
    return _put(call, before, replace(before, text=text, entities=entities))


def edit_media(call: Call) -> Json | bool:
    before = _edited(call)
    given = call.form.json("media") or {}
    text, entities = call.caption(given)
    if before.inline_id and call.form.uploads:
        raise Refused("inline message can't be edited by uploading a file")
    if before.album and given.get("type") not in ("photo", "video"):
        raise Refused("can't use the media type in the album")
    media = call.media(given.get("type", ""), given)
    return _put(call, before, replace(before, text=text, entities=entities, media=media))


def edit_markup(call: Call) -> Json | bool:
    before = _edited(call)
    return _put(call, before, before)


def delete(call: Call) -> bool:
    chat = call.chat()
    message = call.world.messages.get((chat.id, call.form.number("message_id")))
    if message is None:
        raise Refused("message to delete not found")
    world = call.world
    mine = message.author_id == world.bot.id or chat.kind == PRIVATE
    old = world.clock.now() - message.date > DELETE_SECONDS
    if not (chat.led_by(world.bot.id) or (mine and not old)):
        raise Refused("message can't be deleted")
    world.keep(message, "deleted")
    return True


def delete_many(call: Call) -> bool:
    chat = call.chat()
    for message_id in call.form.json("message_ids") or ():
        message = call.world.messages.get((chat.id, int(message_id)))
        if message:
            call.world.keep(message, "deleted")
    return True


def _edited(call: Call) -> Message:
    """The message to edit. Raises: Refused: it is not there, or not the bot's."""
    if inline_id := call.form.text("inline_message_id"):
        fits = (m for m in call.world.messages.values() if m.inline_id == inline_id)
        message = next(fits, None)
        if message is None:
            raise Refused("MESSAGE_ID_INVALID")
        call.limits.take(call.method, -int(inline_id.rpartition("-")[2]), False)  # as its own chat
        return message
    chat = call.open_chat()
    message = call.world.messages.get((chat.id, call.form.number("message_id")))
    if message is None:
        raise Refused("message to edit not found")
    if message.author_id != call.world.bot.id or message.via_bot or message.asks:
        raise Refused("message can't be edited")
    return message


def _put(call: Call, before: Message, after: Message) -> Json | bool:
    """Without a keyboard in the request the message has none any more."""
    if call.asks():
        raise Refused("inline keyboard expected")
    after = replace(after, markup=call.keyboard())
    if _looks(before) == _looks(after):
        raise Refused(
            "message is not modified: specified new message content and reply markup are exactly "
            "the same as a current content and reply markup of the message"
        )
    after = posts.edit(call.world, after)
    return True if after.inline_id else payloads.message(call.world, after)


def _looks(message: Message) -> tuple[Any, ...]:
    media = message.media and (message.media.kind, message.media.file.unique_id)
    return message.text, message.entities, media, message.markup
