"""Who may do what where. https://docs.discord.com/developers/topics/permissions"""

from __future__ import annotations

from enum import IntFlag

from tests.discord.world import DM, GROUP_DM, PUBLIC_THREAD, Channel, Guild, World


class Permission(IntFlag):
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    USE_APPLICATION_COMMANDS = 1 << 31
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50


EVERYTHING = (1 << 53) - 1
EVERYONE = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.USE_EXTERNAL_APPS
)
# What an app may do where only its user installed it, and in direct messages.
ABROAD = (
    Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.MENTION_EVERYONE
    | Permission.USE_EXTERNAL_EMOJIS
)
AT_HOME = ABROAD | EVERYONE


def of(world: World, user_id: int, channel: Channel) -> Permission:
    """What somebody may do in a channel as it is now; nothing where they are no member."""
    channel = world.channels.get(channel.id, channel)
    if channel.kind in (DM, GROUP_DM):
        return AT_HOME if user_id in channel.people else Permission(0)
    guild = world.guilds.get(channel.guild_id or 0)
    if guild is None or user_id not in guild.members:
        return Permission(0)
    granted = in_guild(guild, user_id)
    if granted & Permission.ADMINISTRATOR:
        return Permission(EVERYTHING)
    ruling = world.channels.get(channel.parent_id or 0) if channel.kind == PUBLIC_THREAD else None
    granted = _overwritten(granted, guild, user_id, ruling or channel)
    if not granted & Permission.VIEW_CHANNEL:
        return Permission(0)
    speak = (
        Permission.SEND_MESSAGES_IN_THREADS
        if channel.kind == PUBLIC_THREAD
        else Permission.SEND_MESSAGES
    )
    if not granted & speak:
        granted &= ~(Permission.EMBED_LINKS | Permission.ATTACH_FILES | Permission.MENTION_EVERYONE)
    return granted


def in_guild(guild: Guild, user_id: int) -> Permission:
    """What somebody's roles give; everything to the owner and to administrators."""
    if user_id == guild.owner_id:
        return Permission(EVERYTHING)
    granted = guild.roles[guild.id].permissions
    for role_id in guild.members[user_id]:
        granted |= guild.roles[role_id].permissions
    return Permission(EVERYTHING if granted & Permission.ADMINISTRATOR else granted)


def _overwritten(granted: int, guild: Guild, user_id: int, channel: Channel) -> Permission:
    """@everyone's overwrite, then all roles' together, then the member's own."""
    roles = guild.members[user_id]
    steps = (
        [o for o in channel.overwrites if o.id == guild.id],
        [o for o in channel.overwrites if o.kind == 0 and o.id in roles],
        [o for o in channel.overwrites if o.kind == 1 and o.id == user_id],
    )
    for step in steps:
        for overwrite in step:
            granted &= ~overwrite.deny
        for overwrite in step:
            granted |= overwrite.allow
    return Permission(granted)


def upload_limit(world: World, guild_id: int | None) -> int:
    """Bytes in a file that anybody may post there: more in boosted servers."""
    guild = world.guilds.get(guild_id or 0)
    tier = guild.tier if guild else 0
    mebi = 1024 * 1024
    return max(world.base_limit, {2: 50 * mebi, 3: 100 * mebi}.get(tier, 0))
