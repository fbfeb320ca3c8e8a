"""Our values in the form of the Bot API."""

from __future__ import annotations

from typing import Any

from tests.telegram.files import File
from tests.telegram.world import (
    ADMINISTRATOR,
    CREATOR,
    KICKED,
    PRIVATE,
    Chat,
    Media,
    Message,
    Query,
    User,
    World,
)

Json = dict[str, Any]

_RIGHTS = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members",
    "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories",
    "can_edit_stories", "can_delete_stories",
)  # fmt: skip


def user(someone: User) -> Json:
    told = {
        "id": someone.id,
        "is_bot": someone.is_bot,
        "first_name": someone.first_name,
        "username": someone.username,
    }
    return told if someone.is_bot else told | {"language_code": someone.language_code}


def me(world: World) -> Json:
    return user(world.bot) | {
        "can_join_groups": True,
        "can_read_all_group_messages": not world.privacy,
        "supports_inline_queries": world.inline,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
    }


def chat(world: World, where: Chat) -> Json:
    told: Json = {"id": where.id, "type": where.kind}
    if where.kind == PRIVATE:
        person = world.users[where.id]
        return told | {"first_name": person.first_name, "username": person.username}
    told["title"] = where.title
    return told | {"is_forum": True} if where.forum else told


def whole_chat(world: World, where: Chat) -> Json:
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription",
             "gifts_from_channels")  # fmt: skip
    return chat(world, where) | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, True),
    }


def member(world: World, where: Chat, user_id: int) -> Json:
    status = where.members.get(user_id, "left")
    told: Json = {"status": status, "user": user(world.users[user_id])}
    if status == CREATOR:
        return told | {"is_anonymous": False}
    if status == ADMINISTRATOR:
        return told | {"can_be_edited": False, "is_anonymous": False} | dict.fromkeys(_RIGHTS, True)
    return told | {"until_date": 0} if status == KICKED else told


def member_updated(world: World, before: Chat, after: Chat, user_id: int, by: int) -> Json:
    return {
        "chat": chat(world, after),
        "from": user(world.users[by]),
        "date": int(world.clock.now()),
        "old_chat_member": member(world, before, user_id),
        "new_chat_member": member(world, after, user_id),
    }


def file(kept: File) -> Json:
    return {"file_id": kept.id, "file_unique_id": kept.unique_id, "file_size": len(kept.data)}


def size(kept: File) -> Json:
    return file(kept) | {"width": kept.width, "height": kept.height}


def _media(media: Media) -> Json:
    kept = media.file
    if media.kind == "photo":
        return {"photo": [size(each) for each in kept.sizes or (kept,)]}
    told = file(kept)
    if media.thumbnail:
        told["thumbnail"] = size(media.thumbnail)
    if media.kind == "sticker":
        told = size(kept) | {"type": "regular", "is_animated": False, "is_video": False}
        return {"sticker": told | {"emoji": "🎬"}}
    told |= {"file_name": kept.name or "file", "mime_type": kept.mime}
    if media.kind == "document":
        return {"document": told}
    told |= {"width": kept.width, "height": kept.height, "duration": kept.duration}
    if media.kind == "animation":
        return {"animation": told, "document": told}
    return {media.kind: told}


def message(world: World, said: Message, *, deep: bool = True) -> Json:
    """deep: with the message that it answers; that one comes without its own."""
    where = world.chats[said.chat_id]
    told: Json = {
        "message_id": said.id,
        "date": int(said.date),
        "chat": chat(world, where),
        "from": user(world.users[said.author_id]),
    }
    if said.media:
        told |= _media(said.media)
    if said.text:
        words, entities = ("caption", "caption_entities") if said.media else ("text", "entities")
        told[words] = said.text
        if said.entities:
            told[entities] = list(said.entities)
    if said.markup:
        told["reply_markup"] = said.markup
    if said.album:
        told["media_group_id"] = said.album
    if said.via_bot:
        told["via_bot"] = user(world.bot)
    if said.edited:
        told["edit_date"] = int(said.edited)
    told |= said.special
    if where.forum and said.topic:
        told |= {"message_thread_id": said.topic, "is_topic_message": True}
    elif where.kind == "supergroup" and said.reply_to:
        told["message_thread_id"] = said.reply_to
    # In a topic, what answers nothing comes as an answer to the topic's own first message.
    answers = said.reply_to or (said.topic if said.topic != said.id else None)
    answered = world.messages.get((said.chat_id, answers)) if answers else None
    if deep and answered:
        told["reply_to_message"] = message(world, answered, deep=False)
    return told


def callback(world: World, query: Query, inline_id: str | None) -> Json:
    told: Json = {
        "id": query.id,
        "from": user(world.users[query.user_id]),
        "chat_instance": str(query.source[0]) if query.source else "0",
        "data": query.asked,
    }
    if inline_id:
        return told | {"inline_message_id": inline_id}
    assert query.source is not None
    source = world.messages.get(query.source)
    if source is None:
        where = world.chats[query.source[0]]
        gone = {"chat": chat(world, where), "message_id": query.source[1], "date": 0}
        return told | {"message": gone}
    return told | {"message": message(world, source)}
