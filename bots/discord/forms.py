"""The form behind Edit and Remix: filled in, sent back, and heard even after a restart.

A form carries its job in its id, and what is sent back is read as it comes: nothing waits in
memory.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord import ui

from bots.discord.asking import Room, ask, heed
from bots.discord.hearing import ACKNOWLEDGE_SECONDS
from bots.hearing import costless
from bots.talk import NO_LINE
from core.catalog import Takes, named
from core.counter import Consent
from core.errors import BadPrompt, WrongState
from core.inspection import Said
from core.job import Account, Job
from core.prompt import PROMPT_MAX_CHARS, parse, recipe
from core.replay import draft_again

EDIT, REMIX = "edit", "remix"
FORM_ID = re.compile(r"kn-form:(?P<what>edit|remix):(?P<job_id>[0-9a-z]{12})")
KEPT_SECONDS = 900.0
WORDS, FLAGS, PICTURE = "words", "flags", "picture"
_TITLES = {EDIT: "Edit", REMIX: "Remix"}


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it came back. line: words and flags; picture: in place of the one that the job
    has."""

    what: str
    job_id: str
    line: str
    picture: discord.Attachment | None


async def open_form(room: Room, interaction: discord.Interaction[Any], job: Job, what: str) -> None:
    """Show the job's recipe, to be changed. This is the acknowledgement.

    Raises WrongState where no line makes the clip again.
    """
    if not room.desk.studio.recipe(job):
        raise WrongState(NO_LINE)
    model = named(room.desk.studio.catalogue, job.request.model)
    draft = draft_again(job, model)
    form = ui.Modal(title=_TITLES[what], custom_id=f"kn-form:{what}:{job.id}", timeout=KEPT_SECONDS)
    form.add_item(
        ui.Label(
            text="Prompt",
            component=ui.TextInput(
                custom_id=WORDS,
                style=discord.TextStyle.paragraph,
                default=draft.prompt,
                required=False,
                max_length=PROMPT_MAX_CHARS,
            ),
        )
    )
    form.add_item(
        ui.Label(
            text="Flags",
            description="Take --seed out for another one",
            component=ui.TextInput(
                custom_id=FLAGS,
                default=recipe(replace(draft, prompt=""))[:PROMPT_MAX_CHARS],
                required=False,
                max_length=PROMPT_MAX_CHARS,
            ),
        )
    )
    if model.picture is not Takes.NOTHING:
        form.add_item(
            ui.Label(
                text="Another picture",
                component=ui.FileUpload(custom_id=PICTURE, required=False, max_values=1),
            )
        )
    async with asyncio.timeout(ACKNOWLEDGE_SECONDS * 2):
        await interaction.response.send_modal(form)


def sent(interaction: discord.Interaction[Any]) -> Sent | None:
    """The form that an interaction brings; None where it brings none of ours."""
    data: Mapping[str, Any] = interaction.data or {}
    found = FORM_ID.fullmatch(str(data.get("custom_id", "")))
    if interaction.type is not discord.InteractionType.modal_submit or found is None:
        return None
    values = {part.get("custom_id"): part for part in parts_of(data.get("components", ()))}
    words = str(values.get(WORDS, {}).get("value") or "")
    flags = str(values.get(FLAGS, {}).get("value") or "")
    ids = values.get(PICTURE, {}).get("values") or ()
    return Sent(
        found["what"],
        found["job_id"],
        f"{words} {flags}".strip(),
        _attachment(interaction, data, ids),
    )


async def submit_form(room: Room, interaction: discord.Interaction[Any], form: Sent) -> None:
    """Queue what a form asks for. Raises NotHeard, UserError or Transient."""
    with costless():
        if (over := len(form.line) - PROMPT_MAX_CHARS) > 0:
            raise BadPrompt(
                f"Prompt and flags together can have up to {PROMPT_MAX_CHARS} characters; these "
                f"have {len(form.line)}. Take {over} out."
            )
        draft = parse(form.line)
    hidden = interaction.message is not None and interaction.message.flags.ephemeral

    async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
        await heed(room, place, form.job_id, open_said=True)
        picture = await room.cdn.fetch(form.picture) if form.picture else None
        return [
            await room.desk.studio.submit(
                account,
                place,
                draft,
                picture=picture,
                variant_of=form.job_id,
                remix=form.what == REMIX,
                consent=Consent.NEEDED,
                key=key,
                said=Said((form.picture.filename,) if form.picture else ()),
            )
        ]

    await ask(room, interaction, queue, hidden=hidden or None)


def parts_of(components: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """What was filled in, inside of labels and rows."""
    for component in components:
        if "component" in component:
            yield component["component"]
        elif "components" in component:
            yield from parts_of(component["components"])
        else:
            yield component


def _attachment(
    interaction: discord.Interaction[Any], data: Mapping[str, Any], ids: Sequence[str]
) -> discord.Attachment | None:
    known = data.get("resolved", {}).get("attachments", {})
    for attachment_id in ids:
        if attachment_id in known:
            state = interaction.client._connection
            return discord.Attachment(data=known[attachment_id], state=state)
    return None
