"""The world's values in Discord's JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.discord import components, permissions
from tests.discord.cdn import Attachment
from tests.discord.world import (
    COMPONENTS_V2,
    DM,
    GROUP_DM,
    PUBLIC_THREAD,
    Channel,
    Guild,
    Message,
    Role,
    User,
    World,
)

Json = dict[str, Any]

BEGINNING = "2026-01-01T00:00:00+00:00"


def when(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def user(somebody: User) -> Json:
    told: Json = {
        "id": str(somebody.id),
        "username": somebody.name,
        "global_name": somebody.name.title() if not somebody.bot else None,
        "discriminator": "0001" if somebody.bot else "0",
        "avatar": None,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }
    return told | {"bot": True} if somebody.bot else told


def me(world: World) -> Json:
    return user(world.app) | {"mfa_enabled": False, "locale": "en-US", "verified": True}


def application(world: World) -> Json:
    """The app as its owner sees it."""
    owner = next((u for u in world.users.values() if not u.bot), world.app)
    how = {"scopes": ["applications.commands", "bot"], "permissions": "0"}
    return {
        "id": str(world.app.id),
        "name": world.app.name,
        "icon": None,
        "description": "",
        "type": None,
        "bot": user(world.app),
        "bot_public": True,
        "bot_require_code_grant": False,
        "integration_types_config": {
            "0": {"oauth2_install_params": how},
            "1": {
                "oauth2_install_params": {"scopes": ["applications.commands"], "permissions": "0"}
            },
        },
        "verify_key": "0" * 64,
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": user(owner),
        "approximate_guild_count": len(world.guilds),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": ["bot", "applications.commands"],
    } | world.portal


def role(value: Role) -> Json:
    return {
        "id": str(value.id),
        "name": value.name,
        "permissions": str(int(value.permissions)),
        "position": value.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": value.managed,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def member(world: World, guild: Guild, user_id: int, *, with_user: bool = True) -> Json:
    told: Json = {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "joined_at": BEGINNING,
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": [str(role_id) for role_id in guild.members[user_id]],
        "mute": False,
        "deaf": False,
    }
    return told | {"user": user(world.users[user_id])} if with_user else told


def guild(world: World, value: Guild) -> Json:
    return {
        "id": str(value.id),
        "name": value.name,
        "icon": None,
        "description": None,
        "home_header": None,
        "splash": None,
        "discovery_splash": None,
        "features": [],
        "banner": None,
        "owner_id": str(value.owner_id),
        "application_id": None,
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 0,
        "roles": [role(r) for r in value.roles.values()],
        "default_message_notifications": 0,
        "mfa_level": 0,
        "explicit_content_filter": 0,
        "max_presences": None,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "vanity_url_code": None,
        "premium_tier": value.tier,
        "premium_subscription_count": 0,
        "preferred_locale": value.locale,
        "rules_channel_id": None,
        "safety_alerts_channel_id": None,
        "public_updates_channel_id": None,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [],
        "incidents_data": None,
    }


def guild_create(world: World, value: Guild) -> Json:
    """What the gateway tells of a server that is there: its channels and the app's own member."""
    mine = [c for c in world.channels.values() if c.guild_id == value.id]
    return guild(world, value) | {
        "joined_at": BEGINNING,
        "large": False,
        "unavailable": False,
        "member_count": len(value.members),
        "voice_states": [],
        "members": [member(world, value, world.app.id)],
        "channels": [channel(world, c) for c in mine if c.kind != PUBLIC_THREAD],
        "threads": [channel(world, c) for c in mine if c.kind == PUBLIC_THREAD],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def channel(world: World, value: Channel) -> Json:
    last = max((m.id for m in world.messages.values() if m.channel_id == value.id), default=None)
    told: Json = {
        "id": str(value.id),
        "type": value.kind,
        "flags": 0,
        "last_message_id": str(last) if last else None,
    }
    if value.kind in (DM, GROUP_DM):
        others = [user(world.users[p]) for p in value.people if p != world.app.id]
        told |= {"recipients": others}
        if value.kind == GROUP_DM:
            told |= {"name": value.name, "icon": None, "owner_id": str(value.people[0])}
        return told
    told |= {
        "guild_id": str(value.guild_id),
        "name": value.name,
        "parent_id": str(value.parent_id) if value.parent_id else None,
        "rate_limit_per_user": 0,
    }
    if value.kind == PUBLIC_THREAD:
        return told | {
            "owner_id": str(value.owner_id),
            "message_count": 0,
            "member_count": 1,
            "total_message_sent": 0,
            "thread_metadata": {
                "archived": value.archived,
                "archive_timestamp": BEGINNING,
                "auto_archive_duration": 1440,
                "locked": False,
                "create_timestamp": BEGINNING,
            },
        }
    return told | {
        "topic": None,
        "position": 0,
        "nsfw": value.nsfw,
        "permission_overwrites": [
            {"id": str(o.id), "type": o.kind, "allow": str(int(o.allow)), "deny": str(int(o.deny))}
            for o in value.overwrites
        ],
    }


def attachment(world: World, value: Attachment) -> Json:
    link = world.cdn.link(value)
    told: Json = {
        "id": str(value.id),
        "filename": value.filename,
        "size": value.size,
        "url": link,
        "proxy_url": link,
    }
    for key in ("content_type", "width", "height", "description"):
        if getattr(value, key) is not None:
            told[key] = getattr(value, key)
    return told | {"ephemeral": True} if value.place.startswith("ephemeral") else told


def message(world: World, value: Message, *, with_reply: bool = True) -> Json:
    """A message. As Discord means it, `attachments` leaves out those that components or embeds
    show: https://github.com/discord/discord-api-docs/pull/8279"""
    by_name = {a.filename: a for a in value.attachments}
    used = components.used(value.components) | {_image(embed) for embed in value.embeds}
    told: Json = {
        "type": value.kind,
        "content": value.content,
        "mentions": [user(world.users[u]) for u in value.mentioned],
        "mention_roles": [],
        "attachments": [attachment(world, a) for a in value.attachments if a.filename not in used],
        "embeds": [_embed(world, embed, by_name) for embed in value.embeds],
        "timestamp": when(value.created),
        "edited_timestamp": when(value.edited),
        "flags": value.flags,
        "components": components.shown(value.components, value.attachments, world.cdn.link),
        "id": str(value.id),
        "channel_id": str(value.channel_id),
        "author": user(world.users[value.author_id]),
        "pinned": False,
        "mention_everyone": False,
        "tts": False,
    }
    if value.nonce is not None:
        told["nonce"] = value.nonce
    if value.application:
        told |= {"webhook_id": str(world.app.id), "application_id": str(world.app.id)}
    if value.origin is not None:
        told["interaction_metadata"] = value.origin
    if value.reply_to is not None:
        told |= _reply(world, value, with_reply)
    return told


def _image(embed: Json) -> str:
    return str((embed.get("image") or {}).get("url", "")).removeprefix("attachment://")


def _embed(world: World, embed: Json, by_name: dict[str, Attachment]) -> Json:
    found = by_name.get(_image(embed))
    if found is None:
        return embed
    link = world.cdn.link(found)
    return embed | {"image": {"url": link, "proxy_url": link}}


def _reply(world: World, value: Message, with_reply: bool) -> Json:
    where = world.channels[value.channel_id]
    reference = {"type": 0, "channel_id": str(where.id), "message_id": str(value.reply_to)}
    if where.guild_id:
        reference["guild_id"] = str(where.guild_id)
    told: Json = {"message_reference": reference}
    if with_reply:
        answered = world.messages.get(value.reply_to or 0)
        told["referenced_message"] = (
            message(world, answered, with_reply=False) if answered else None
        )
    return told


def message_event(world: World, value: Message) -> Json:
    """A message as the gateway tells it: with its server and its author's membership."""
    told = message(world, value)
    where = world.channels[value.channel_id]
    told["channel_type"] = where.kind
    found = world.guilds.get(where.guild_id or 0)
    if found:
        told["guild_id"] = str(found.id)
        if value.author_id in found.members and not value.application:
            told["member"] = member(world, found, value.author_id, with_user=False)
    return told


def without_content(told: Json) -> Json:
    """What an app sees of somebody else's message without the message_content intent."""
    hidden: Json = {"content": "", "embeds": [], "attachments": [], "components": []}
    return told | hidden | {"flags": told["flags"] & ~COMPONENTS_V2}


def entitlements(world: World, user_id: int, guild_id: int | None) -> list[Json]:
    held = world.entitlements.values()
    return [
        e
        for e in held
        if not e["deleted"]
        and (e.get("user_id") == str(user_id) or (guild_id and e.get("guild_id") == str(guild_id)))
    ]


def interacting_member(world: World, found: Guild, where: Channel, user_id: int) -> Json:
    """The member that an interaction carries: with what they may do in that channel."""
    allowed = permissions.of(world, user_id, where)
    return member(world, found, user_id) | {"permissions": str(int(allowed))}
