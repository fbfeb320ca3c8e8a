"""A form of one text: why somebody appeals, why a moderator says no. Heard even after a restart: it
carries its job in its id, and what is sent back is read as it comes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bots.discord.forms import parts_of
from bots.discord.hearing import ACKNOWLEDGE_SECONDS

REASON_ID = re.compile(r"kn-why:(?P<what>appeal|deny):(?P<job_id>[0-9a-z]{12})")
APPEAL, DENY = "appeal", "deny"
KEPT_SECONDS = 900.0
WHY = "why"


@dataclass(frozen=True, slots=True)
class Form:
    """What a form asks. chars: at most so many."""

    title: str
    label: str
    description: str
    chars: int
    required: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """A form as it came back."""

    what: str
    job_id: str
    words: str


async def ask_why(
    interaction: discord.Interaction[Any], what: str, job_id: str, form: Form
) -> None:
    """Show the form. This is the acknowledgement."""
    modal = ui.Modal(title=form.title, custom_id=f"kn-why:{what}:{job_id}", timeout=KEPT_SECONDS)
    modal.add_item(
        ui.Label(
            text=form.label,
            description=form.description,
            component=ui.TextInput(
                custom_id=WHY,
                style=discord.TextStyle.paragraph,
                required=form.required,
                max_length=form.chars,
            ),
        )
    )
    async with asyncio.timeout(ACKNOWLEDGE_SECONDS * 2):
        await interaction.response.send_modal(modal)


def given(interaction: discord.Interaction[Any]) -> Reason | None:
    """The reason that an interaction brings; None where it brings none of ours."""
    data: Mapping[str, Any] = interaction.data or {}
    found = REASON_ID.fullmatch(str(data.get("custom_id", "")))
    if interaction.type is not discord.InteractionType.modal_submit or found is None:
        return None
    values = {part.get("custom_id"): part for part in parts_of(data.get("components", ()))}
    words = str(values.get(WHY, {}).get("value") or "").strip()
    return Reason(found["what"], found["job_id"], words)
