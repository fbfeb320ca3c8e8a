"""Posting: what people say reaches the bot, as far as privacy mode lets it.
https://core.telegram.org/bots/features#privacy-mode"""

from __future__ import annotations

from dataclasses import replace

from tests.telegram import markup, payloads
from tests.telegram.world import PRESENT, PRIVATE, Message, World


def post(world: World, message: Message) -> Message:
    """Put a new message into its chat, and tell the bot if it may know of it."""
    world.keep(message, "created")
    if message.author_id != world.bot.id and reaches_bot(world, message):
        world.tell("message", payloads.message(world, message))
    return message


def edit(world: World, message: Message) -> Message:
    """Put a new version of a message in its place."""
    message = replace(message, edited=world.clock.now())
    world.keep(message, "edited")
    if message.author_id != world.bot.id and reaches_bot(world, message):
        world.tell("edited_message", payloads.message(world, message))
    return message


def reaches_bot(world: World, message: Message) -> bool:
    """Whether the bot is told of what a person posted."""
    chat = world.chats[message.chat_id]
    if not chat.has(world.bot.id):
        return False
    if chat.kind == PRIVATE or not world.privacy or chat.led_by(world.bot.id):
        return True
    answered = world.messages.get((message.chat_id, message.reply_to or 0))
    return (
        message.via_bot
        or bool(message.special)
        or (answered is not None and answered.author_id == world.bot.id)
        or any(_commands_bot(world, message, found) for found in message.entities)
    )


def _commands_bot(world: World, message: Message, found: dict[str, object]) -> bool:
    """A command without a name is meant for the bot where no other spoke since it did."""
    if found["type"] != "bot_command":
        return False
    _, _, name = markup.entity(message.text, found).partition("@")
    if name:
        return name.lower() == world.bot.username.lower()
    others = [
        v.message.author_id
        for v in world.history
        if v.what == "created"
        and v.message.chat_id == message.chat_id
        and world.users[v.message.author_id].is_bot
    ]
    return not others or others[-1] == world.bot.id


def set_member(world: World, chat_id: int, user_id: int, status: str, by: int) -> None:
    """Change what somebody is in a chat, and tell the bot of it."""
    before = world.chats[chat_id]
    after = replace(before, members=before.members | {user_id: status})
    world.chats[chat_id] = after
    kind = "my_chat_member" if user_id == world.bot.id else "chat_member"
    if kind == "my_chat_member" or after.members.get(world.bot.id) in PRESENT:
        world.tell(kind, payloads.member_updated(world, before, after, user_id, by))
