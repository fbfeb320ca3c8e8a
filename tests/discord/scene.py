"""Setting a scene: people, servers, channels; and changing them midway, as their owners do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.discord import messages, payloads
from tests.discord.permissions import EVERYONE, Permission
from tests.discord.users import Person
from tests.discord.world import (
    DM,
    GROUP_DM,
    PUBLIC_THREAD,
    TEXT,
    Channel,
    Event,
    Guild,
    Message,
    Overwrite,
    Role,
    User,
    World,
)

GUILDS = 1 << 0  # the intent


class Scene:
    """What there is around the app. Every change is told to its gateway, as Discord does."""

    def __init__(self, world: World) -> None:
        self.world = world

    def user(self, name: str, **traits: Any) -> Person:
        """Somebody new. traits: more of the `User`: locale, limit, dms_open, installed."""
        user = User(self.world.new_id(), name, **traits)
        self.world.users[user.id] = user
        return Person(self.world, user.id)

    def guild(
        self,
        name: str,
        owner: Person,
        *members: Person,
        tier: int = 0,
        installed: bool = True,
        granted: int = 0,
        guild_id: int | None = None,
    ) -> Guild:
        """A server. tier: of its boosts; installed: whether the app is there; granted: what its
        installer let the app's own role do beyond @everyone."""
        guild_id = guild_id or self.world.new_id()
        everyone = Role(guild_id, "@everyone", int(EVERYONE), 0)
        people: dict[int, tuple[int, ...]] = {p.id: () for p in (owner, *members)}
        guild = Guild(guild_id, name, owner.id, {guild_id: everyone}, people, tier)
        self.world.guilds[guild.id] = guild
        if installed:
            self.install(guild, granted)
        return self.world.guilds[guild.id]

    def install(self, guild: Guild, granted: int = 0) -> Guild:
        """Invite the app to a server."""
        role = Role(self.world.new_id(), self.world.app.name, granted, managed=True)
        guild = self.world.guilds[guild.id]
        guild = replace(
            guild,
            roles=guild.roles | {role.id: role},
            members=guild.members | {self.world.app.id: (role.id,)},
        )
        self.world.guilds[guild.id] = guild
        told = payloads.guild_create(self.world, guild)
        self.world.tell(Event("GUILD_CREATE", told, guild.id, GUILDS))
        return guild

    def kick(self, guild: Guild) -> None:
        """Remove the app from a server."""
        guild = self.world.guilds[guild.id]
        members = {k: v for k, v in guild.members.items() if k != self.world.app.id}
        self.world.guilds[guild.id] = replace(guild, members=members)
        told = {"id": str(guild.id)}
        self.world.tell(Event("GUILD_DELETE", told, guild.id, GUILDS))

    def outage(self, guild: Guild) -> None:
        """Let a server be unavailable, until it recovers."""
        told = {"id": str(guild.id), "unavailable": True}
        self.world.tell(Event("GUILD_DELETE", told, guild.id, GUILDS))

    def recover(self, guild: Guild) -> None:
        told = payloads.guild_create(self.world, self.world.guilds[guild.id])
        self.world.tell(Event("GUILD_CREATE", told, guild.id, GUILDS))

    def join(self, guild: Guild, person: Person, *roles: Role) -> None:
        guild = self.world.guilds[guild.id]
        members = guild.members | {person.id: tuple(r.id for r in roles)}
        self.world.guilds[guild.id] = replace(guild, members=members)

    def role(self, guild: Guild, name: str, permissions: int, *holders: Person) -> Role:
        """A role, given to its holders."""
        role = Role(self.world.new_id(), name, int(permissions))
        guild = self.world.guilds[guild.id]
        given = {p.id: (*guild.members.get(p.id, ()), role.id) for p in holders}
        guild = replace(guild, roles=guild.roles | {role.id: role}, members=guild.members | given)
        self.world.guilds[guild.id] = guild
        told = {"guild_id": str(guild.id), "role": payloads.role(role)}
        self.world.tell(Event("GUILD_ROLE_CREATE", told, guild.id, GUILDS))
        return role

    def grant(self, guild: Guild, role: Role, permissions: int) -> None:
        """Change what a role may do."""
        guild = self.world.guilds[guild.id]
        role = replace(role, permissions=int(permissions))
        self.world.guilds[guild.id] = replace(guild, roles=guild.roles | {role.id: role})
        told = {"guild_id": str(guild.id), "role": payloads.role(role)}
        self.world.tell(Event("GUILD_ROLE_UPDATE", told, guild.id, GUILDS))

    def boost(self, guild: Guild, tier: int) -> None:
        """Change a server's premium tier, and so its upload limit."""
        guild = replace(self.world.guilds[guild.id], tier=tier)
        self.world.guilds[guild.id] = guild
        told = payloads.guild(self.world, guild)
        self.world.tell(Event("GUILD_UPDATE", told, guild.id, GUILDS))

    def channel(self, guild: Guild, name: str, *, nsfw: bool = False) -> Channel:
        where = Channel(self.world.new_id(), TEXT, name, guild.id, nsfw=nsfw)
        return self._opened(where, "CHANNEL_CREATE")

    def thread(self, channel: Channel, name: str, owner: Person) -> Channel:
        where = Channel(
            self.world.new_id(), PUBLIC_THREAD, name, channel.guild_id, channel.id,
            nsfw=channel.nsfw, owner_id=owner.id,
        )  # fmt: skip
        return self._opened(where, "THREAD_CREATE")

    def dm(self, person: Person) -> Channel:
        """The person's direct channel with the app."""
        return self.world.direct(person.id)

    def group(self, *people: Person) -> Channel:
        """Direct messages among people, without the app: user-installed apps can be used there."""
        kind = GROUP_DM if len(people) > 2 else DM
        where = Channel(self.world.new_id(), kind, people=tuple(p.id for p in people))
        self.world.channels[where.id] = where
        return where

    def _opened(self, where: Channel, event: str) -> Channel:
        self.world.channels[where.id] = where
        told = payloads.channel(self.world, where)
        self.world.tell(Event(event, told, where.guild_id, GUILDS))
        return where

    def overwrite(
        self, channel: Channel, whom: Role | Person | Guild | User, *, allow: int = 0, deny: int = 0
    ) -> Channel:
        """Allow and deny in one channel. whom: a guild stands for its @everyone."""
        kind = 1 if isinstance(whom, Person | User) else 0
        channel = self.world.channels[channel.id]
        others = tuple(o for o in channel.overwrites if o.id != whom.id)
        overwrite = Overwrite(whom.id, kind, int(allow), int(deny))
        return self._changed(replace(channel, overwrites=(*others, overwrite)))

    def deny_app(self, channel: Channel, *denied: Permission) -> Channel:
        """Take permissions from the app in one channel."""
        deny = 0
        for permission in denied:
            deny |= int(permission)
        return self.overwrite(channel, self.world.app, deny=deny)

    def archive(self, thread: Channel) -> Channel:
        return self._changed(replace(self.world.channels[thread.id], archived=True))

    def _changed(self, where: Channel) -> Channel:
        self.world.channels[where.id] = where
        event = "THREAD_UPDATE" if where.kind == PUBLIC_THREAD else "CHANNEL_UPDATE"
        told = payloads.channel(self.world, where)
        self.world.tell(Event(event, told, where.guild_id, GUILDS))
        return where

    def delete_channel(self, channel: Channel) -> None:
        told = payloads.channel(self.world, channel)
        self.world.gone[channel.id] = self.world.channels.pop(channel.id)
        for message in list(self.world.messages.values()):
            if message.channel_id == channel.id:
                self.world.keep(message, "deleted")
        event = "THREAD_DELETE" if channel.kind == PUBLIC_THREAD else "CHANNEL_DELETE"
        self.world.tell(Event(event, told, channel.guild_id, GUILDS))

    def delete_message(self, message: Message) -> None:
        """As its author or a moderator does."""
        messages.delete(self.world, self.world.messages[message.id])
