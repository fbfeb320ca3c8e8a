"""What may be said, and saying it: a message is checked, its files kept, and all are told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.discord import components, payloads
from tests.discord.cdn import Attachment, Upload
from tests.discord.refusals import Malformed, Refused
from tests.discord.world import (
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    SILENT,
    Channel,
    Event,
    Message,
    World,
)

Json = dict[str, Any]

MOST_CHARACTERS, MOST_EMBEDS, MOST_EMBED_CHARACTERS, MOST_FILES = 2000, 10, 6000, 10
NONCE_SECONDS = 300
SUPPRESS_EMBEDS = 1 << 2
GUILD_MESSAGES, DIRECT_MESSAGES = 1 << 9, 1 << 12  # intents


@dataclass(frozen=True, slots=True)
class Body:
    """What a request brought. json: None where it brought none; files: by index."""

    json: Any = None
    files: Mapping[int, Upload] = field(default_factory=dict)

    @property
    def fields(self) -> Json:
        return self.json if isinstance(self.json, dict) else {}


def create(
    world: World,
    where: Channel,
    author_id: int,
    body: Body,
    limit: int,
    **traits: Any,
) -> Message:
    """Say something new. limit: bytes in a file; traits: further fields of the `Message`.

    Raises:
        Malformed, Refused: what Discord would say.
    """
    said = body.fields
    flags = int(said.get("flags") or 0) & (SUPPRESS_EMBEDS | SILENT | COMPONENTS_V2)
    flags |= int(traits.pop("flags", 0))
    nonce = said.get("nonce")
    if nonce is not None and said.get("enforce_nonce"):
        before = _said_before(world, author_id, nonce)
        if before is not None:
            return before
    message_id = traits.pop("message_id", None) or world.new_id()
    draft = Message(
        id=message_id,
        channel_id=where.id,
        author_id=author_id,
        created=world.clock.now(),
        flags=flags,
        nonce=nonce,
        **traits,
    )
    message = _written(world, draft, body, limit)
    if not _says_something(message):
        raise Refused(50006)
    world.keep(message, "created")
    _tell(world, "MESSAGE_CREATE", message)
    return message


def loading(world: World, where: Channel, audience: int | None, **traits: Any) -> Message:
    """The app's "thinking…", which an edit will replace."""
    message = Message(
        id=world.new_id(),
        channel_id=where.id,
        author_id=world.app.id,
        created=world.clock.now(),
        flags=LOADING | (EPHEMERAL if audience else 0),
        audience=audience,
        application=True,
        **traits,
    )
    world.keep(message, "created")
    _tell(world, "MESSAGE_CREATE", message)
    return message


def edit(world: World, message: Message, body: Body, limit: int) -> Message:
    """Change what was said; what the request leaves out stays.

    Raises:
        Malformed, Refused: what Discord would say.
    """
    wanted = int(body.fields.get("flags") or 0)
    flags = message.flags & ~LOADING | wanted & (COMPONENTS_V2 | SUPPRESS_EMBEDS)
    draft = replace(message, flags=flags, edited=world.clock.now())
    if draft.v2 and not message.v2 and "components" not in body.fields:
        raise Malformed("flags", "IS_COMPONENTS_V2 needs components")
    changed = _written(world, draft, body, limit)
    if not _says_something(changed):
        raise Refused(50006)
    world.keep(changed, "edited")
    _tell(world, "MESSAGE_UPDATE", changed)
    return changed


def delete(world: World, message: Message) -> None:
    world.keep(message, "deleted")
    where = world.channels[message.channel_id]
    data: Json = {"id": str(message.id), "channel_id": str(where.id)}
    if where.guild_id:
        data["guild_id"] = str(where.guild_id)
    if message.audience is None:
        world.tell(Event("MESSAGE_DELETE", data, where.guild_id, _intent(where)))
    world.touch()


def _said_before(world: World, author_id: int, nonce: object) -> Message | None:
    since = world.clock.now() - NONCE_SECONDS
    return next(
        (
            m
            for m in world.messages.values()
            if m.author_id == author_id and m.nonce == nonce and m.created >= since
        ),
        None,
    )


def _written(world: World, draft: Message, body: Body, limit: int) -> Message:
    """The draft with the request's words, components and files."""
    said = body.fields
    content = said.get("content", draft.content) or ""
    embeds = tuple(said.get("embeds", draft.embeds) or ())
    if draft.v2 and (content or embeds or said.get("poll") or said.get("sticker_ids")):
        field = "content" if content else "embeds" if embeds else "poll"
        raise Malformed(field, "cannot be used with the flag IS_COMPONENTS_V2")
    if len(content) > MOST_CHARACTERS:
        raise Malformed("content", f"Must be {MOST_CHARACTERS} or fewer in length.")
    _check_embeds(embeds)
    built = draft.components
    if said.get("components") is not None:
        components.check_message(said["components"], draft.v2)
        built = components.settled(said["components"])
    attachments = _attached(world, draft, body, limit)
    components.check_media(built, {a.filename for a in attachments})
    mentioned = _mentioned(world, content, built, said.get("allowed_mentions"))
    return replace(
        draft,
        content=content,
        embeds=tuple({"type": "rich"} | embed for embed in embeds),
        components=built,
        attachments=attachments,
        mentioned=mentioned,
    )


def _check_embeds(embeds: Sequence[Json]) -> None:
    if len(embeds) > MOST_EMBEDS:
        raise Malformed("embeds", f"Must be {MOST_EMBEDS} or fewer in length.")
    total = 0
    for embed in embeds:
        total += len(embed.get("title") or "") + len(embed.get("description") or "")
        total += len((embed.get("footer") or {}).get("text") or "")
        total += len((embed.get("author") or {}).get("name") or "")
        total += sum(len(f["name"]) + len(f["value"]) for f in embed.get("fields") or ())
    if total > MOST_EMBED_CHARACTERS:
        raise Malformed("embeds", f"{total} characters, at most {MOST_EMBED_CHARACTERS} in all")


def _attached(world: World, draft: Message, body: Body, limit: int) -> tuple[Attachment, ...]:
    """The files that stay, and the new ones, kept on the CDN once all is known to be well."""
    if any(len(upload.data) > limit for upload in body.files.values()):
        raise Refused(40005)
    listed = body.fields.get("attachments")
    notes = {str(note.get("id")): note for note in listed or ()}
    old = {str(a.id): a for a in draft.attachments}
    strangers = set(notes) - set(old) - {str(index) for index in body.files}
    if strangers:
        raise Malformed("attachments", f"no file for the ids {sorted(strangers)}")
    # Since v10 new files replace the old ones, unless those are listed too.
    stay = listed is None and not body.files
    kept = [a for key, a in old.items() if stay or key in notes]
    if len(kept) + len(body.files) > MOST_FILES:
        raise Malformed("attachments", f"Must be {MOST_FILES} or fewer in length.")
    place = f"attachments/{draft.channel_id}"
    if draft.ephemeral:
        place = f"ephemeral-attachments/{world.app.id}"
    for index, upload in sorted(body.files.items()):
        note = notes.get(str(index), {})
        name = note.get("filename") or upload.filename
        said = note.get("description")
        kept.append(world.cdn.take(world.new_id(), place, replace(upload, filename=name), said))
    return tuple(kept)


def _mentioned(
    world: World, content: str, built: Sequence[Json], allowed: Json | None
) -> tuple[int, ...]:
    """Whom the words name, where `allowed_mentions` lets them."""
    texts = [c["content"] for c in components.walk(built) if c["type"] == components.TEXT]
    named = [int(i) for i in re.findall(r"<@!?(\d+)>", "\n".join([content, *texts]))]
    if allowed is not None and "users" not in allowed.get("parse", ()):
        may = {str(user_id) for user_id in allowed.get("users") or ()}
        named = [user_id for user_id in named if str(user_id) in may]
    return tuple(dict.fromkeys(user_id for user_id in named if user_id in world.users))


def _says_something(message: Message) -> bool:
    return bool(message.content or message.embeds or message.components or message.attachments)


def _intent(where: Channel) -> int:
    return GUILD_MESSAGES if where.guild_id else DIRECT_MESSAGES


def _tell(world: World, name: str, message: Message) -> None:
    """Ephemeral messages are told to nobody but their reader."""
    where = world.channels[message.channel_id]
    guild = world.guilds.get(where.guild_id or 0)
    stranger = guild is not None and world.app.id not in guild.members
    apart = where.guild_id is None and world.app.id not in where.people
    if message.audience is not None or stranger or apart:
        world.touch()
        return
    told = payloads.message_event(world, message)
    own = message.author_id == world.app.id or world.app.id in message.mentioned
    hidden = not own and where.guild_id is not None
    world.tell(Event(name, told, where.guild_id, _intent(where), content=hidden))
