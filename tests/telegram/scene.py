"""Setting a scene: people, groups, forums; and changing them midway, as their owners do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.telegram.people import Person
from tests.telegram.posts import post, set_member
from tests.telegram.world import (
    ADMINISTRATOR,
    CREATOR,
    GROUP,
    KICKED,
    LEFT,
    MEMBER,
    PRIVATE,
    SUPERGROUP,
    Chat,
    Message,
    Topic,
    User,
    World,
)


class Scene:
    """What there is around the bot."""

    def __init__(self, world: World) -> None:
        self.world = world

    def user(self, name: str, *, started: bool = True, **traits: Any) -> Person:
        """Somebody new. started: whether they opened the bot once, so that it may write to them;
        traits: more of the `User`: language_code, stars, is_bot."""
        user = User(self.world.count("user", 1_000), name.capitalize(), name, **traits)
        self.world.users[user.id] = user
        if started:
            members = {user.id: MEMBER, self.world.bot.id: MEMBER}
            self.world.chats[user.id] = Chat(user.id, PRIVATE, members=members)
        return Person(self.world, user.id)

    def group(
        self, title: str, owner: Person, *members: Person, kind: str = SUPERGROUP,
        forum: bool = False, bot: str = MEMBER,
    ) -> Chat:  # fmt: skip
        """A group. bot: what the bot is in it."""
        number = self.world.count("group", 1_000_000)
        chat_id = -number if kind == GROUP else -1_000_000_000_000 - number
        people = {owner.id: CREATOR} | {person.id: MEMBER for person in members}
        chat = Chat(chat_id, kind, title, forum, people | {self.world.bot.id: LEFT})
        self.world.chats[chat.id] = chat
        if bot != LEFT:
            set_member(self.world, chat.id, self.world.bot.id, bot, owner.id)
        return self.world.chats[chat.id]

    def forum(self, title: str, owner: Person, *members: Person, bot: str = MEMBER) -> Chat:
        return self.group(title, owner, *members, forum=True, bot=bot)

    def topic(self, chat: Chat, name: str, by: Person) -> Topic:
        """A topic of a forum; its first message says that it was created."""
        topic = Topic(self.world.message_id(chat.id), name)
        chat = self.world.chats[chat.id]
        self.world.chats[chat.id] = replace(chat, topics=chat.topics | {topic.id: topic})
        made = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
        post(self.world, Message(
            chat.id, topic.id, by.id, self.world.clock.now(), topic=topic.id, special=made
        ))  # fmt: skip
        return topic

    def close(self, chat: Chat, topic: Topic) -> None:
        chat = self.world.chats[chat.id]
        closed = chat.topics | {topic.id: replace(topic, closed=True)}
        self.world.chats[chat.id] = replace(chat, topics=closed)

    def promote(self, chat: Chat, whom: Person | User) -> None:
        """Make somebody, or the bot, an administrator."""
        self._set(chat, whom.id, ADMINISTRATOR)

    def demote(self, chat: Chat, whom: Person | User) -> None:
        self._set(chat, whom.id, MEMBER)

    def join(self, chat: Chat, person: Person) -> None:
        self._set(chat, person.id, MEMBER)

    def kick(self, chat: Chat) -> None:
        """Remove the bot from a group."""
        self._set(chat, self.world.bot.id, KICKED)

    def invite(self, chat: Chat) -> None:
        self._set(chat, self.world.bot.id, MEMBER)

    def _set(self, chat: Chat, user_id: int, status: str) -> None:
        chat = self.world.chats[chat.id]
        owner = next(each for each, what in chat.members.items() if what == CREATOR)
        set_member(self.world, chat.id, user_id, status, owner)

    def migrate(self, group: Chat) -> Chat:
        """Let a group become a supergroup; from then on its old id leads nowhere."""
        group = self.world.chats[group.id]
        owner = next(each for each, what in group.members.items() if what == CREATOR)
        new_id = -1_000_000_000_000 + group.id
        new = replace(group, id=new_id, kind=SUPERGROUP)
        self.world.chats[new_id] = new
        for old, special in (
            (group, {"migrate_to_chat_id": new_id}),
            (new, {"migrate_from_chat_id": group.id}),
        ):
            post(self.world, Message(
                old.id, self.world.message_id(old.id), owner, self.world.clock.now(),
                special=special,
            ))  # fmt: skip
        self.world.chats[group.id] = replace(group, moved_to=new_id)
        return new

    def lose_file(self, file_id: str) -> None:
        """Let a file be there no more, as after its message was deleted for long."""
        self.world.files.gone.add(file_id)

    def chat(self, chat: Chat) -> Chat:
        """A chat as it is now."""
        return self.world.chats[chat.id]
