"""One request of the bot, and what most methods read from it: a chat, words, media, buttons."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from tests.telegram import markup
from tests.telegram.files import PHOTO_BYTES, File, Upload, fault_of_thumbnail
from tests.telegram.form import Form
from tests.telegram.limits import Limits
from tests.telegram.refusals import Malformed, Refused
from tests.telegram.updates import Updates
from tests.telegram.world import KICKED, PRESENT, PRIVATE, Chat, Media, Message, World

Json = dict[str, Any]

TEXT_CHARACTERS, CAPTION_CHARACTERS, DATA_BYTES, BUTTONS = 4096, 1024, 64, 100
PLACEHOLDER_CHARACTERS = 64
MEDIA = ("photo", "video", "animation", "document", "sticker")


@dataclass(frozen=True)
class Call:
    """method: its name; form: what it brought."""

    method: str
    form: Form
    world: World
    limits: Limits
    updates: Updates

    def chat(self) -> Chat:
        """The chat that is asked about.

        Raises:
            Refused: there is none, or it moved.
        """
        named = self.form.text("chat_id")
        if not named:
            raise Malformed("chat_id is empty")
        chat = self.world.chats.get(int(named)) if re.fullmatch(r"-?\d+", named) else None
        if chat is None:
            raise Refused("chat not found")
        if chat.moved_to:
            raise Refused(
                "group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.moved_to
            )
        return chat

    def open_chat(self, count: int = 1) -> Chat:
        """The chat to send to or edit in, and counted for its rate.

        Raises:
            Refused: the bot may not write there, or not now.
        """
        chat = self.chat()
        status = chat.members.get(self.world.bot.id)
        if status not in PRESENT:
            if chat.kind == PRIVATE:
                raise Refused("bot was blocked by the user", 403)
            gone = "kicked from" if status == KICKED else "is not a member of"
            was = f"bot was {gone}" if status == KICKED else f"bot {gone}"
            raise Refused(f"{was} the {chat.kind} chat", 403)
        self.limits.take(self.method, chat.id, chat.kind != PRIVATE, count)
        return chat

    def topic(self, chat: Chat) -> int:
        """Raises: Refused: no such topic, or a closed one."""
        topic_id = self.form.number("message_thread_id")
        if not topic_id:
            return 0
        if not chat.forum:
            if (chat.id, topic_id) not in self.world.messages:
                raise Refused("message thread not found")
            return 0
        topic = chat.topics.get(topic_id)
        if topic is None:
            raise Refused("message thread not found")
        if topic.closed and not chat.led_by(self.world.bot.id):
            raise Refused("TOPIC_CLOSED")
        return topic_id

    def reply(self, chat: Chat) -> int | None:
        """Raises: Refused: the message to answer is gone, and the bot insists."""
        asked = self.form.json("reply_parameters") or {}
        if not asked:
            return None
        key = int(asked.get("chat_id", chat.id)), int(asked["message_id"])
        if key not in self.world.messages:
            if asked.get("allow_sending_without_reply"):
                return None
            raise Refused("message to be replied not found")
        return key[1]

    def words(
        self, source: Json | None = None, name: str = "text", limit: int = TEXT_CHARACTERS
    ) -> tuple[str, tuple[Json, ...]]:
        """Words and their entities. source: a nested value that has them; name: text or caption.

        Raises:
            Refused: can't be parsed, or too long.
        """
        fields = self.form if source is None else Form(source)
        text = fields.text(name).strip()
        entities: tuple[Json, ...] = ()
        mode = fields.text("parse_mode")
        given = fields.json("entities" if name == "text" else f"{name}_entities")
        if mode.lower() == "html":
            text, entities = markup.parsed(fields.text(name))
        elif mode:
            raise Malformed("unsupported parse_mode: the stand-in reads HTML alone")
        if markup.length(text) > limit:
            what = "message" if name == "text" else "message caption"
            raise Refused(f"{what} is too long")
        return text, (*entities, *(given or ()), *markup.found(text))

    def caption(self, source: Json | None = None) -> tuple[str, tuple[Json, ...]]:
        return self.words(source, "caption", CAPTION_CHARACTERS)

    def asks(self) -> Json | None:
        """A ForceReply, or None.

        Raises:
            Refused: one that can't be.
        """
        given = self.form.json("reply_markup") or {}
        if not given.get("force_reply"):
            return None
        if len(given.get("input_field_placeholder", "")) > PLACEHOLDER_CHARACTERS:
            raise Refused("input field placeholder is too long")
        return dict(given)

    def keyboard(self, source: Json | None = None) -> Json | None:
        """An inline keyboard, or None; others are passed over.

        Raises:
            Refused: a button that can't be.
        """
        given = self.form.json("reply_markup") if source is None else source.get("reply_markup")
        if not given or "inline_keyboard" not in given:
            return None
        rows = [row for row in given["inline_keyboard"] if row]
        buttons = [button for row in rows for button in row]
        if len(buttons) > BUTTONS:
            raise Refused("reply markup is too long")
        for button in buttons:
            if not button.get("text"):
                raise Refused("can't parse inline keyboard button: Text buttons are unallowed")
            does = set(button) - {"text", "style", "icon_custom_emoji_id"}
            if len(does) != 1:
                raise Refused("Text buttons are unallowed in the inline keyboard")
            data = button.get("callback_data")
            if data is not None and not 1 <= len(data.encode()) <= DATA_BYTES:
                raise Refused("BUTTON_DATA_INVALID")
            login = urlsplit((button.get("login_url") or {}).get("url", ""))
            if "login_url" in button and not (
                login.scheme == "https" and login.hostname == self.world.domain
            ):
                raise Refused("BOT_DOMAIN_INVALID")
        return {"inline_keyboard": rows} if rows else None

    def media(self, kind: str, source: Json | None = None) -> Media:
        """What a field named `kind`, or a nested InputMedia, brings.

        Raises:
            Refused: no file, none that Telegram knows, or none of that kind.
        """
        told = self.form.fields if source is None else source
        value = told.get(kind) if source is None else source.get("media")
        upload = self.form.upload(kind, None if source is None else value)
        upload = upload or self.form.local(self.world.files, value)
        if upload is None:
            if not value:
                raise Refused(f"there is no {kind} in the request")
            file = self.world.files.find(str(value), kind)
            return Media(kind, file, streaming=_true(told.get("supports_streaming")))
        if kind == "photo" and len(upload.data) > PHOTO_BYTES:
            self.world.violate(f"{self.method}: a photo of {len(upload.data)} bytes")
        if not upload.data:
            raise Refused("file must be non-empty")
        numbers = {name: int(told.get(name) or 0) for name in ("width", "height", "duration")}
        file = self.world.files.keep(kind, upload, **numbers)
        thumbnail = self._thumbnail(told)
        streaming, covered = _true(told.get("supports_streaming")), _true(told.get("has_spoiler"))
        return Media(kind, file, thumbnail, streaming, covered)

    def _thumbnail(self, told: Json) -> File | None:
        """A thumbnail that Telegram would ignore is a violation."""
        value = told.get("thumbnail")
        nested = told is not self.form.fields
        if nested and value is None:
            return None
        upload: Upload | None = self.form.upload("thumbnail", value if nested else None)
        if upload is None:
            if value:
                self.world.violate(f"{self.method}: a thumbnail can't be used again: {value}")
            return None
        if why := fault_of_thumbnail(upload.data):
            self.world.violate(f"{self.method}: {why}")
            return None
        upload = replace(upload, mime="image/jpeg")
        return self.world.files.keep("photo", upload)

    def blank(self, chat: Chat, **what: Any) -> Message:
        """A new message of the bot's."""
        return Message(
            chat.id, self.world.message_id(chat.id), self.world.bot.id, self.world.clock.now(),
            topic=self.topic(chat), silent=self.form.flag("disable_notification"), **what,
        )  # fmt: skip


def _true(value: Any) -> bool:
    return str(value).lower() in ("true", "1")
