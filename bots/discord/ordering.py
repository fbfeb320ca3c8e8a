"""A new clip, as /create and /animate ask for it. What is wrong with the words is said before
anything is acknowledged or fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord

from bots.discord import consenting
from bots.discord.asking import Room, ask, is_hidden, refused
from bots.discord.hearing import account_of, say
from bots.discord.permissions import server_of
from bots.hearing import costless
from core.counter import Consent
from core.inspection import Said
from core.job import Account, Job
from core.prompt import parse, with_fields
from core.request import Draft, Picture

Fields = Mapping[str, object]
"""Values by the names of flags or of settings; None where nothing was said."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody filled in. private: None as the server has it. subject: whom the picture
    shows."""

    words: str = ""
    fields: Fields = field(default_factory=dict)
    image: discord.Attachment | None = None
    last_image: discord.Attachment | None = None
    private: bool | None = None
    subject: discord.User | discord.Member | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of files and people: words of theirs, too."""
        files = tuple(one.filename for one in (self.image, self.last_image) if one)
        return files + ((self.subject.display_name,) if self.subject else ())


async def order(room: Room, interaction: discord.Interaction[Any], wanted: Wanted) -> None:
    """Raises NotHeard, UserError or Transient."""
    hidden = is_hidden(room, interaction, wanted.private)
    if (why_not := refused(room, interaction, hidden=hidden)) != "":
        await say(interaction, why_not)
        return
    subject = wanted.subject
    with costless():
        draft = with_fields(parse(wanted.words), wanted.fields)
        _check(room, interaction, draft, wanted)

    async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
        image, last_image = wanted.image, wanted.last_image
        shown = await account_of(room.desk, subject) if subject else None
        job = await room.desk.studio.submit(
            account,
            place,
            draft,
            picture=await room.cdn.fetch(image) if image else None,
            last_picture=await room.cdn.fetch(last_image) if last_image else None,
            consent=Consent.NEEDED,
            key=key,
            said=Said(wanted.names, shown),
        )
        return [job]

    await ask(room, interaction, queue, hidden=hidden)


def _check(room: Room, interaction: discord.Interaction[Any], draft: Draft, wanted: Wanted) -> None:
    """Raises BadPrompt or Refused."""
    given = [
        Picture("", one.width or 1280, one.height or 720) if one else None
        for one in (wanted.image, wanted.last_image)
    ]
    room.desk.studio.quote(draft, given[0], given[1], server_of(interaction))
    if wanted.subject is not None:
        consenting.check(wanted.subject, wanted.image or wanted.last_image)
