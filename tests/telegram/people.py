"""People: what they type, send, press, pay and see. They can do no more than Telegram's apps let
them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.telegram import markup, paying, payloads
from tests.telegram.asking import scope_key
from tests.telegram.files import File, Upload
from tests.telegram.posts import edit, post, set_member
from tests.telegram.world import (
    KICKED,
    MEMBER,
    PRIVATE,
    Chat,
    Media,
    Message,
    Query,
    Topic,
    User,
    World,
)

Json = dict[str, Any]


class Impossible(Exception):
    """What Telegram's app would not have let a person do; with the reason."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A clip that somebody could see, in one message."""

    at: float
    chat_id: int
    message_id: int
    file: File


@dataclass(frozen=True)
class Asked:
    """Something a person asked by a press or inline, and what came of it."""

    world: World
    id: str

    @property
    def now(self) -> Query:
        return self.world.queries[self.id]

    async def answer(self) -> Json:
        """What the bot answered."""
        answer = await self.world.until(lambda: self.now.answer, f"an answer to {self.now.asked}")
        assert answer is not None
        return answer


@dataclass(frozen=True)
class Person:
    world: World
    id: int

    @property
    def user(self) -> User:
        return self.world.users[self.id]

    # What they write.

    def start(self, payload: str = "") -> Message:
        """Open the bot, by a deep link where there is a payload."""
        return self.say(f"/start {payload}".strip())

    def say(
        self,
        text: str,
        chat: Chat | None = None,
        *,
        topic: Topic | None = None,
        reply_to: Message | None = None,
        about: Person | None = None,
    ) -> Message:
        """about: who is mentioned where their first name first stands, by a link to them: so apps
        mention who has no username."""
        if about is None:
            return self._post(chat, topic, reply_to, text)
        name = about.user.first_name
        return self._post(chat, topic, reply_to, text, mentions=({
            "type": "text_mention",
            "offset": markup.length(text[: text.index(name)]),
            "length": markup.length(name),
            "user": payloads.user(about.user),
        },))  # fmt: skip

    def photo(
        self, data: bytes, caption: str = "", chat: Chat | None = None, **where: Any
    ) -> Message:
        """where: topic, reply_to, as in `say`; so below."""
        return self._send("photo", Upload("photo.jpg", data), caption, chat, **where)

    def document(
        self, data: bytes, caption: str = "", chat: Chat | None = None, *,
        name: str = "picture.png", mime: str = "image/png", **where: Any,
    ) -> Message:  # fmt: skip
        return self._send("document", Upload(name, data, mime), caption, chat, **where)

    def video(
        self, data: bytes, caption: str = "", chat: Chat | None = None, *, width: int = 640,
        height: int = 360, duration: int = 5, **where: Any,
    ) -> Message:  # fmt: skip
        measures = {"width": width, "height": height, "duration": duration}
        file = self.world.files.keep("video", Upload("video.mp4", data, "video/mp4"), **measures)
        return self._post(chat, where.get("topic"), where.get("reply_to"), caption,
                          media=Media("video", file))  # fmt: skip

    def sticker(self, data: bytes, chat: Chat | None = None, **where: Any) -> Message:
        return self._send("sticker", Upload("sticker.webp", data, "image/webp"), "", chat, **where)

    def album(
        self, *pictures: bytes, caption: str = "", chat: Chat | None = None, **where: Any
    ) -> list[Message]:
        """The caption is on the first alone, and each comes as an update of its own."""
        if not 2 <= len(pictures) <= 10:
            raise Impossible("an album has 2 to 10 pictures")
        group = str(self.world.count("album", 10**15))
        return [
            self._send("photo", Upload("photo.jpg", data), caption if n == 0 else "", chat,
                       album=group, **where)
            for n, data in enumerate(pictures)
        ]  # fmt: skip

    def edit(self, message: Message, text: str) -> Message:
        message = self.world.messages[message.key]
        if message.author_id != self.id:
            raise Impossible("that is somebody else's message")
        return edit(self.world, replace(message, text=text, entities=markup.found(text)))

    def delete(self, message: Message) -> None:
        """The bot is not told."""
        self.world.keep(self.world.messages[message.key], "deleted")

    def _send(
        self, kind: str, upload: Upload, caption: str, chat: Chat | None, *,
        topic: Topic | None = None, reply_to: Message | None = None, album: str | None = None,
    ) -> Message:  # fmt: skip
        media = Media(kind, self.world.files.keep(kind, upload))
        return self._post(chat, topic, reply_to, caption, media=media, album=album)

    def _post(
        self, chat: Chat | None, topic: Topic | None, reply_to: Message | None, text: str,
        mentions: tuple[Json, ...] = (), **what: Any,
    ) -> Message:  # fmt: skip
        where = self._in(chat)
        if reply_to and (where.id, reply_to.id) not in self.world.messages:
            raise Impossible("the message to answer is gone")
        if topic and where.topics[topic.id].closed:
            raise Impossible("the topic is closed")
        return post(self.world, Message(
            where.id, self.world.message_id(where.id), self.id, self.world.clock.now(), text,
            (*markup.found(text), *mentions), reply_to=reply_to.id if reply_to else None,
            topic=topic.id if topic else 0, **what,
        ))  # fmt: skip

    def _in(self, chat: Chat | None) -> Chat:
        """The chat as it is now; the private one, begun if need be."""
        if chat is None:
            bot = self.world.bot.id
            made = Chat(self.id, PRIVATE, members={self.id: MEMBER, bot: MEMBER})
            chat = self.world.chats.setdefault(self.id, made)
            if not chat.has(bot):
                raise Impossible("they blocked the bot")
        where = self.world.chats[chat.id]
        if where.moved_to:
            where = self.world.chats[where.moved_to]
        if not where.has(self.id):
            raise Impossible(f"{self.user.first_name} is not in {where.title}")
        return where

    # What they press, choose and pay.

    def press(self, message: Message, label: str) -> Asked:
        """Press a button by its words."""
        button = self._button(message, label)
        if "callback_data" not in button:
            raise Impossible(f"the button {label!r} asks nothing of the bot")
        return self.press_data(message, button["callback_data"])

    def press_data(self, message: Message, data: str) -> Asked:
        """Press a button as an old app shows it: one that the message may not have any more."""
        if not self.sees(message):
            raise Impossible("they don't see the message")
        query = self._query("callback", data, message.key)
        self.world.tell("callback_query", payloads.callback(self.world, query, message.inline_id))
        return Asked(self.world, query.id)

    def follow(self, message: Message, label: str) -> Message:
        """Press a button that leads to the bot's chat, and there Start."""
        url = self._button(message, label).get("url", "")
        link, _, payload = url.partition("?start=")
        if link != f"https://t.me/{self.world.bot.username}":
            raise Impossible(f"the button {label!r} leads elsewhere: {url}")
        return self.start(payload)

    def back(self, message: Message, label: str, chat: Chat) -> Asked:
        """Press a button that leads back to inline mode, in a chat of their choice."""
        return self.inline(self._button(message, label)["switch_inline_query"], chat)

    def _button(self, message: Message, label: str) -> Json:
        message = self.world.messages[message.key]
        button = next((b for b in message.buttons if b["text"] == label), None)
        if button is None:
            found = ", ".join(b["text"] for b in message.buttons)
            raise Impossible(f"no button {label!r}; there is {found or 'none'}")
        return button

    def inline(self, words: str, chat: Chat | None = None) -> Asked:
        """Type `@bot words` in a chat; without one, in the chat with the bot."""
        if not self.world.inline:
            raise Impossible("the bot is not inline")
        where = self._in(chat)
        query = self._query("inline", words, (where.id, 0))
        kind = "sender" if where.id == self.id else where.kind
        told = {"id": query.id, "from": payloads.user(self.user), "query": words, "offset": ""}
        self.world.tell("inline_query", told | {"chat_type": kind})
        return Asked(self.world, query.id)

    async def above(self, asked: Asked) -> Message:
        """Press the button above the results of an inline query, and then Start."""
        return self.start((await asked.answer())["button"]["start_parameter"])

    async def choose(self, asked: Asked, number: int = 0) -> Message:
        """Send one of the inline results: the bot's words, in the person's name."""
        result = (await asked.answer())["results"][number]
        chat_id = (asked.now.source or (self.id, 0))[0]
        content = result.get("input_message_content", {})
        words, entities = _shown(result, content)
        keyboard = result.get("reply_markup")
        inline_id = f"inline-{self.world.count('inline')}" if keyboard else None
        message = post(self.world, Message(
            chat_id, self.world.message_id(chat_id), self.id, self.world.clock.now(), words,
            entities, media=self._cached(result), markup=keyboard, via_bot=True,
            inline_id=inline_id,
        ))  # fmt: skip
        if self.world.feedback:
            told = {"result_id": result["id"], "from": payloads.user(self.user)}
            told |= {"query": asked.now.asked}
            told |= {"inline_message_id": inline_id} if inline_id else {}
            self.world.tell("chosen_inline_result", told)
        return message

    def _cached(self, result: Json) -> Media | None:
        for kind in ("photo", "video", "document", "sticker"):
            if f"{kind}_file_id" in result:
                return Media(kind, self.world.files.find(result[f"{kind}_file_id"], kind))
        return None

    async def pay(self, what: Message | str, *, told: bool = True) -> Message:
        """Pay an invoice, or a link to one; the message of the payment. told: whether the bot hears
        of it.

        Raises:
            Impossible: too few Stars, or the bot refused or did not answer in time.
        """
        world = self.world
        invoice = world.links[what if isinstance(what, str) else f"{what.chat_id}/{what.id}"]
        if not isinstance(what, str) and not self.sees(what) and invoice["start_parameter"]:
            raise Impossible("what was forwarded to them leads to the bot")
        link = what if isinstance(what, str) and invoice.get("period") else ""
        if link and any(p.subscription == (self.id, link) for p in world.payments.values()):
            raise Impossible("they have this subscription")
        if self.user.stars < invoice["total_amount"]:
            raise Impossible(
                f"{invoice['total_amount']} Stars are due; they have {self.user.stars}"
            )
        self._in(None)
        try:
            query = self._query("checkout", invoice["payload"], None)
            await paying.checked_out(world, self.id, invoice, query)
            paid = paying.charged(world, self.id, invoice, link=link, first=True)
        except paying.Unpaid as unpaid:
            raise Impossible(str(unpaid)) from unpaid
        if told:
            paying.tell(world, paid)
        return paid

    def renew(self, link: str, *, told: bool = True) -> Message:
        """What a subscription's next month brings: paid without a question. Raises: Impossible."""
        if (self.id, link) in self.world.cancelled:
            raise Impossible("the subscription was cancelled")
        try:
            paid = paying.charged(
                self.world, self.id, self.world.links[link], link=link, first=False
            )
        except paying.Unpaid as unpaid:
            raise Impossible(str(unpaid)) from unpaid
        if told:
            paying.tell(self.world, paid)
        return paid

    def unsubscribe(self, link: str) -> None:
        """The bot is not told."""
        self.world.cancelled.add((self.id, link))

    def _query(self, kind: str, asked: str, source: tuple[int, int] | None) -> Query:
        number = str(self.world.count("query", 10**9))
        query = Query(number, kind, self.id, self.world.clock.now(), asked, source)
        self.world.queries[number] = query
        return query

    def block(self) -> None:
        """Block the bot."""
        set_member(self.world, self.id, self.world.bot.id, KICKED, self.id)

    def unblock(self) -> None:
        set_member(self.world, self.id, self.world.bot.id, MEMBER, self.id)

    # What they see.

    def sees(self, message: Message) -> bool:
        return self.world.chats[message.chat_id].has(self.id)

    def messages(self, chat: Chat | None = None) -> list[Message]:
        """What stands in a chat now, oldest first; without one, in the chat with the bot."""
        where = chat.id if chat else self.id
        here = [m for m in self.world.messages.values() if m.chat_id == where and self.sees(m)]
        return sorted(here, key=lambda m: m.id)

    async def answer(
        self, to: Message, fits: Callable[[Message], bool] = lambda message: True
    ) -> Message:
        """The bot's first message after one, in its chat, that fits."""

        def found() -> Message | None:
            said = self.messages(self.world.chats[to.chat_id])
            mine = (m for m in said if m.id > to.id and m.author_id == self.world.bot.id)
            return next((m for m in mine if fits(m)), None)

        message = await self.world.until(found, f"an answer to {to.text!r}")
        assert message is not None
        return message

    def clips(self) -> list[Sighting]:
        """Every video of the bot's that came before their eyes: once for each message and content,
        however often it was edited in, and whether or not it is still there."""
        seen: dict[tuple[int, int, str], Sighting] = {}
        for version in self.world.history:
            said = version.message
            ours = said.author_id == self.world.bot.id or said.via_bot
            if version.what == "deleted" or not said.media or not ours or not self.sees(said):
                continue
            if said.media.kind in ("video", "animation"):
                sight = Sighting(version.at, said.chat_id, said.id, said.media.file)
                seen.setdefault((*said.key, said.media.file.unique_id), sight)
        return list(seen.values())

    def pings(self) -> list[Message]:
        """Messages of the bot's that notified them: new ones, not sent silently."""
        return [
            v.message for v in self.world.history
            if v.what == "created" and v.message.author_id == self.world.bot.id
            and not v.message.silent and self.sees(v.message)
        ]  # fmt: skip

    def menu(self, chat: Chat | None = None) -> list[str]:
        """The names of the commands that their app lists in a chat.
        https://core.telegram.org/bots/api#determining-list-of-commands"""
        where = self._in(chat)
        scopes: list[Json] = [{"type": "chat", "chat_id": where.id}, {"type": "default"}]
        if where.kind == PRIVATE:
            scopes.insert(1, {"type": "all_private_chats"})
        else:
            scopes.insert(1, {"type": "all_group_chats"})
            scopes.insert(0, {"type": "chat_member", "chat_id": where.id, "user_id": self.id})
            if where.led_by(self.id):
                scopes.insert(1, {"type": "chat_administrators", "chat_id": where.id})
                scopes.insert(3, {"type": "all_chat_administrators"})
        for scope in scopes:
            for language in (self.user.language_code, ""):
                if listed := self.world.commands.get((scope_key(scope), language)):
                    return [command["command"] for command in listed]
        return []


def _shown(result: Json, content: Json) -> tuple[str, tuple[Json, ...]]:
    source = content if "message_text" in content else result
    words = source.get("message_text") or source.get("caption") or ""
    if str(source.get("parse_mode", "")).lower() == "html":
        return markup.parsed(words)
    return words, markup.found(words)
