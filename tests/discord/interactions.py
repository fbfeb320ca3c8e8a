"""An interaction's life: sent, acknowledged within 3 s, answered through its token for 15 min.

https://docs.discord.com/developers/interactions/receiving-and-responding
"""

from __future__ import annotations

import secrets
from typing import Any

from tests.discord import components, messages, payloads, permissions
from tests.discord.messages import Body
from tests.discord.permissions import Permission
from tests.discord.refusals import Malformed, Refused
from tests.discord.world import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    DM,
    EPHEMERAL,
    LOADING,
    MODAL,
    Channel,
    Event,
    Interaction,
    Message,
    User,
    World,
)

Json = dict[str, Any]

TOKEN_SECONDS, FOLLOWUPS = 15 * 60.0, 5
PONG, SAY, SAY_LATER, UPDATE_LATER, UPDATE, CHOICES, SHOW_MODAL = 1, 4, 5, 6, 7, 8, 9
_ANSWERS = {
    COMMAND: {SAY, SAY_LATER, SHOW_MODAL},
    COMPONENT: {SAY, SAY_LATER, UPDATE_LATER, UPDATE, SHOW_MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL: {SAY, SAY_LATER, UPDATE_LATER, UPDATE},
}
SLASH_REPLY, MENU_REPLY = 20, 23  # types of message


def send(
    world: World,
    kind: int,
    user: User,
    where: Channel,
    data: Json,
    origin: Json,
    source: Message | None = None,
) -> Interaction:
    """Let the app know what somebody asks of it. origin: what its answers' metadata will say."""
    where = world.channels[where.id]
    guild = world.guilds.get(where.guild_id or 0)
    here = guild is not None and world.app.id in guild.members
    own_dm = where.kind == DM and world.app.id in where.people
    owners: Json = {}
    if here and guild is not None:
        owners["0"] = str(guild.id)
    elif own_dm:
        owners["0"] = "0"
    if user.installed:
        owners["1"] = str(user.id)
    interaction_id = world.new_id()
    origin = {
        "id": str(interaction_id),
        "user": payloads.user(user),
        "authorizing_integration_owners": owners,
    } | origin
    abroad = not here and not own_dm
    may_speak = permissions.of(world, user.id, where) & Permission.USE_EXTERNAL_APPS
    interaction = Interaction(
        id=interaction_id,
        token=secrets.token_urlsafe(48),
        kind=kind,
        user_id=user.id,
        channel_id=where.id,
        guild_id=where.guild_id,
        sent=world.clock.now(),
        origin=origin,
        limit=max(user.limit, permissions.upload_limit(world, where.guild_id)),
        followups_left=FOLLOWUPS if abroad else None,
        source_id=source.id if source else None,
        forced_private=guild is not None and not here and not may_speak,
    )
    world.interactions[interaction.id] = interaction
    told = _payload(world, interaction, user, where, data, owners)
    if source is not None:
        told["message"] = payloads.message(world, source)
    world.tell(Event("INTERACTION_CREATE", told, where.guild_id))
    return interaction


def _payload(
    world: World, interaction: Interaction, user: User, where: Channel, data: Json, owners: Json
) -> Json:
    guild = world.guilds.get(where.guild_id or 0)
    may = permissions.of(world, world.app.id, where)
    if where.guild_id is None:
        may = permissions.AT_HOME
    elif guild is None or world.app.id not in guild.members:
        may = permissions.ABROAD
    context = 0 if guild else 1 if where.kind == DM and world.app.id in where.people else 2
    told: Json = {
        "id": str(interaction.id),
        "application_id": str(world.app.id),
        "type": interaction.kind,
        "token": interaction.token,
        "version": 1,
        "data": data,
        "channel": payloads.channel(world, where),
        "channel_id": str(where.id),
        "app_permissions": str(int(may)),
        "locale": user.locale,
        "entitlements": payloads.entitlements(world, user.id, where.guild_id),
        "entitlement_sku_ids": [],
        "authorizing_integration_owners": owners,
        "context": context,
        "attachment_size_limit": interaction.limit,
    }
    if guild is None:
        return told | {"user": payloads.user(user)}
    permitted = permissions.of(world, user.id, where)
    told["channel"]["permissions"] = str(int(permitted))
    return told | {
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
        "guild_locale": guild.locale,
        "member": payloads.interacting_member(world, guild, where, user.id),
    }


def acknowledge(world: World, interaction_id: int, token: str, body: Body) -> Json:
    """Take the app's callback, and give what `with_response` asks for.

    Raises:
        Malformed, Refused: 10062 after 3 s, 40060 the second time, and what a message may raise.
    """
    interaction = world.interactions.get(interaction_id)
    if interaction is None or interaction.token != token:
        raise Refused(10062)
    if interaction.acknowledged is not None:
        raise Refused(40060)
    now = world.clock.now()
    if now - interaction.sent > world.acknowledge_seconds:
        raise Refused(10062)
    answer = body.fields.get("type")
    if answer not in _ANSWERS[interaction.kind]:
        raise Malformed("type", f"{answer} does not answer an interaction of {interaction.kind}")
    if answer in (UPDATE, UPDATE_LATER) and interaction.source_id is None:
        raise Malformed("type", "there is no message to update")
    said = Body(body.fields.get("data") or {}, body.files)
    changes: Json = {}
    if answer == SHOW_MODAL:
        components.check_modal(said.fields)
        settled = components.settled(said.fields["components"])
        changes["modal"] = said.fields | {"components": list(settled)}
    elif answer == CHOICES:
        changes["choices"] = _choices(said.fields)
    else:
        changes["original_id"] = _answered(world, interaction, answer, said).id
    # The clock stops when the request came, which is before its files were kept.
    changed = world.update(interaction, acknowledged=now, answer=answer, **changes)
    return _told(world, changed)


def _answered(world: World, interaction: Interaction, answer: int, said: Body) -> Message:
    """The message that @original will mean."""
    where = _where(world, interaction)
    if answer in (UPDATE, UPDATE_LATER):
        source = world.messages.get(interaction.source_id or 0)
        if source is None:
            raise Refused(10008)
        if answer == UPDATE:
            return messages.edit(world, source, said, interaction.limit)
        return source
    traits: Json = {"origin": interaction.origin, "kind": _kind(interaction)}
    private = int(said.fields.get("flags") or 0) & EPHEMERAL or interaction.forced_private
    audience = interaction.user_id if private else None
    if answer == SAY_LATER:
        return messages.loading(world, where, audience, **traits)
    return messages.create(
        world,
        where,
        world.app.id,
        said,
        interaction.limit,
        application=True,
        audience=audience,
        flags=EPHEMERAL if private else 0,
        **traits,
    )


def _kind(interaction: Interaction) -> int:
    if interaction.kind != COMMAND:
        return 0
    return MENU_REPLY if "target_message_id" in interaction.origin else SLASH_REPLY


def _choices(said: Json) -> tuple[Json, ...]:
    choices = tuple(said.get("choices") or ())
    if len(choices) > 25:
        raise Malformed("data.choices", "Must be 25 or fewer in length.")
    if any(not 1 <= len(choice["name"]) <= 100 for choice in choices):
        raise Malformed("data.choices", "a name is 1 to 100 characters long")
    return choices


def _told(world: World, interaction: Interaction) -> Json:
    told: Json = {
        "id": str(interaction.id),
        "type": interaction.kind,
        "channel_id": str(interaction.channel_id),
    }
    if interaction.guild_id:
        told["guild_id"] = str(interaction.guild_id)
    message = world.messages.get(interaction.original_id or 0)
    response: Json = {"interaction": told}
    if message is not None:
        told["response_message_id"] = str(message.id)
        told["response_message_loading"] = message.loading
        told["response_message_ephemeral"] = message.ephemeral
        if interaction.answer in (SAY, UPDATE):
            shown = payloads.message(world, message)
            response["resource"] = {"type": interaction.answer, "message": shown}
    return response


def by_token(world: World, app_id: int, token: str) -> Interaction:
    """The interaction whose webhook this is.

    Raises:
        Refused: 10015 before its acknowledgement or when unknown, 50027 after 15 min.
    """
    found = next((i for i in world.interactions.values() if i.token == token), None)
    if found is None or app_id != world.app.id:
        raise Refused(10015)
    if world.clock.now() - found.sent > TOKEN_SECONDS:
        raise Refused(50027)
    if found.acknowledged is None:
        raise Refused(10015)
    return found


def original(world: World, interaction: Interaction) -> Message:
    """What @original means.

    Raises:
        Refused: 10008, where there is none or it was deleted.
    """
    message = world.messages.get(interaction.original_id or 0)
    if message is None:
        raise Refused(10008)
    return message


def follow_up(world: World, interaction: Interaction, body: Body) -> Message:
    """Say more. The first after "thinking…" takes its place, as Discord does it.

    Raises:
        Malformed, Refused: 40094 after 5 where the app is a guest.
    """
    waiting = world.messages.get(interaction.original_id or 0)
    if interaction.answer == SAY_LATER and waiting is not None and waiting.flags & LOADING:
        return messages.edit(world, waiting, body, interaction.limit)
    if interaction.followups_left is not None:
        if interaction.followups_left == 0:
            raise Refused(40094)
        left = interaction.followups_left - 1
        interaction = world.update(interaction, followups_left=left)
    private = int(body.fields.get("flags") or 0) & EPHEMERAL or interaction.forced_private
    return messages.create(
        world,
        _where(world, interaction),
        world.app.id,
        body,
        interaction.limit,
        application=True,
        audience=interaction.user_id if private else None,
        flags=EPHEMERAL if private else 0,
        origin=interaction.origin,
    )


def said_through(world: World, interaction: Interaction, message_id: int) -> Message:
    """A message of this interaction's webhook.

    Raises:
        Refused: 10008.
    """
    message = world.messages.get(message_id)
    mine = message is not None and message.author_id == world.app.id and message.application
    if message is None or not mine or message.channel_id != interaction.channel_id:
        raise Refused(10008)
    return message


def _where(world: World, interaction: Interaction) -> Channel:
    where = world.channels.get(interaction.channel_id)
    if where is None:
        raise Refused(10003)
    return where
