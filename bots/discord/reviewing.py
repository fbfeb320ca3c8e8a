"""/mod queue and /mod reports: what waits for who leads a server, seen once it is tapped, and
decided by a button. For their eyes alone.

The buttons carry the job's id, so that they work after a restart.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any, Self

import discord
from discord import ui

from bots import reviewing as words
from bots.desk import fitted
from bots.discord import reasons
from bots.discord.asking import Room
from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.confirming import confirm
from bots.discord.hearing import (
    acknowledge,
    acknowledge_update,
    answer,
    guarded,
    key_of,
)
from bots.discord.paragraphs import COVERED, COVERED_CLIP, layout, text, to_cover
from bots.discord.ranks import actor_of, check_leads, rank_here
from bots.discord.reasons import DENY, Form, Reason
from bots.moderation import DRY
from bots.talk import Line
from core import moderation as acts
from core.errors import NotFound
from core.moderation import EVERYWHERE, REASON_CHARS, Actor, OnJob
from core.reviews import Reported

Interaction = discord.Interaction[Any]

REVIEW_ID = re.compile(r"kn-review:(?P<what>[a-z]{2,8}):(?P<job_id>[0-9a-z]{12}|-)")
QUEUE, HELD, APPROVE, REFUSE = "queue", "held", "approve", "deny"
REPORTS, REPORTED, TAKE_DOWN, DISMISS = "reports", "reported", "down", "dismiss"
_DENYING = Form("Not this one", words.WHY_DENY, words.TOLD, REASON_CHARS, required=True)


class ReviewButton(ui.DynamicItem[ui.Button[Any]], template=REVIEW_ID):
    """Any button of what moderators look at."""

    def __init__(self, item: ui.Button[Any], what: str, job_id: str, room: Room) -> None:
        super().__init__(item)
        self._what = what
        self._job_id = job_id
        self._room = room

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, match["what"], match["job_id"], interaction.client.room)

    async def callback(self, interaction: Interaction) -> None:
        await guarded(
            interaction, lambda: _pressed(self._room, interaction, self._what, self._job_id)
        )


async def queue(room: Room, interaction: Interaction) -> None:
    """What waits here. Raises NotHeard, UserError or Transient."""
    actor = _leader(room, interaction)
    await acknowledge(interaction, hidden=True)
    await _show_queue(room, interaction, actor)


async def reports(room: Room, interaction: Interaction) -> None:
    """What was reported here. Raises as `queue`."""
    actor = _leader(room, interaction)
    await acknowledge(interaction, hidden=True)
    await _show_reports(room, interaction, actor)


async def deny(room: Room, interaction: Interaction, reason: Reason) -> None:
    """The form of the button came back. Raises as `queue`."""
    actor = _leader(room, interaction)
    await acknowledge_update(interaction)
    await _do(room, interaction, actor, acts.Deny, reason.job_id, reason.words)


async def _pressed(room: Room, interaction: Interaction, what: str, job_id: str) -> None:
    """Whoever presses has to lead still."""
    actor = _leader(room, interaction)
    if what == REFUSE:
        await reasons.ask_why(interaction, DENY, job_id, _DENYING)
        return
    await acknowledge_update(interaction)
    match what:
        case "queue":
            await _show_queue(room, interaction, actor)
        case "reports":
            await _show_reports(room, interaction, actor)
        case "held":
            await _show_held(room, interaction, actor, job_id)
        case "reported":
            await _show_reported(room, interaction, actor, job_id)
        case "approve":
            await _do(room, interaction, actor, acts.Approve, job_id)
        case "dismiss":
            await _do(room, interaction, actor, acts.DismissReports, job_id)
        case "down":
            await _take_down(room, interaction, actor, job_id)


async def _show_queue(room: Room, interaction: Interaction, actor: Actor) -> None:
    waiting = await room.desk.reviews.pending(_server(actor), words.LISTED + 1)
    if not waiting:
        await _note(interaction, words.NOTHING_HELD)
        return
    rows = [(words.listed(one), one.job.id) for one in waiting[: words.LISTED]]
    await _list(interaction, words.queue(len(waiting)), rows, HELD)


async def _show_reports(room: Room, interaction: Interaction, actor: Actor) -> None:
    those = await room.desk.reviews.reports(_server(actor), words.LISTED + 1)
    if not those:
        await _note(interaction, words.NOTHING_REPORTED)
        return
    rows = [(words.listed_report(one), one.job.id) for one in those[: words.LISTED]]
    await _list(interaction, words.reports(len(those)), rows, REPORTED)


async def _list(
    interaction: Interaction, title: Line, rows: Sequence[tuple[Line, str]], what: str
) -> None:
    view = ui.LayoutView(timeout=None)
    listed: ui.Container[ui.LayoutView] = ui.Container(accent_colour=ACCENT)
    listed.add_item(ui.TextDisplay(text(title)))
    for said, job_id in rows:
        look = _button("Look", what, job_id)
        listed.add_item(ui.Section(text(said), accessory=look))
    await answer(interaction, view=view.add_item(listed), attachments=[])


async def _show_held(room: Room, interaction: Interaction, actor: Actor, job_id: str) -> None:
    """One of them, with its picture covered."""
    one = await room.desk.reviews.held(_server(actor), job_id)
    pictures = one.job.request.pictures
    drawn = await to_cover(await room.desk.pictures(pictures[0])) if pictures else None
    row, told = _row(job_id, APPROVE, REFUSE, QUEUE), words.held(one)
    if drawn is None:
        await answer(interaction, view=layout(told, row), attachments=[])
        return
    file = discord.File(io.BytesIO(drawn), COVERED)
    await answer(interaction, view=layout(told, row, covered=COVERED), attachments=[file])


async def _show_reported(room: Room, interaction: Interaction, actor: Actor, job_id: str) -> None:
    """One of them, covered: the clip, or its still where that is too large."""
    one = await _report(room, actor, job_id)
    assert one.job.clip is not None, "it is reported"
    row = _row(job_id, TAKE_DOWN, DISMISS, REPORTS)
    async with fitted(room.desk, one.job.clip, interaction.filesize_limit) as file:
        name = COVERED_CLIP if file.is_clip else COVERED
        view = layout(words.reported(one), row, covered=name)
        await answer(interaction, view=view, attachments=[discord.File(file.path, name)])


async def _do(
    room: Room,
    interaction: Interaction,
    actor: Actor,
    kind: Callable[..., OnJob],
    job_id: str,
    reason: str = "",
) -> None:
    """Do it and say so, with the way back to the others."""
    job, owner = await room.desk.moderators.owner(job_id)
    act = kind(server=actor.server, account_id=owner.id, job_id=job.id, reason=reason)
    theirs = await rank_here(room, interaction, owner)
    done = await room.desk.moderators.do(actor, act, key_of(interaction), theirs)
    back = REPORTS if isinstance(act, acts.DismissReports) else QUEUE
    await _note(interaction, done.words, _button(_LABELS[back], back))


async def _take_down(room: Room, interaction: Interaction, actor: Actor, job_id: str) -> None:
    """Say what it would be, with a button that does it."""
    job, owner = await room.desk.moderators.owner(job_id)
    act = acts.TakeDown(server=actor.server, account_id=owner.id, job_id=job.id)
    theirs = await rank_here(room, interaction, owner)
    done = await room.desk.moderators.do(actor, act, key_of(interaction), theirs, dry=True)
    await confirm(room, interaction, act, f"{DRY}{done.words}", theirs)


async def _report(room: Room, actor: Actor, job_id: str) -> Reported:
    """Raises NotFound."""
    for one in await room.desk.reviews.reports(_server(actor), 100):
        if one.job.id == job_id:
            return one
    raise NotFound(words.NOTHING_REPORTED)


async def _note(
    interaction: Interaction, said: str, button: ui.Button[ui.LayoutView] | None = None
) -> None:
    view = note_view(plain(said), ACCENT)
    if button is not None:
        view.add_item(ui.ActionRow(button))
    await answer(interaction, view=view, attachments=[])


def _row(job_id: str, *whats: str) -> ui.ActionRow[ui.LayoutView]:
    return ui.ActionRow(*(_button(_LABELS[what], what, job_id) for what in whats))


def _button(label: str, what: str, job_id: str = "-") -> ui.Button[ui.LayoutView]:
    return ui.Button(label=label, style=_STYLES.get(what, _QUIET), custom_id=_id(what, job_id))


def _id(what: str, job_id: str) -> str:
    return f"kn-review:{what}:{job_id}"


def _leader(room: Room, interaction: Interaction) -> Actor:
    """Raises Refused."""
    actor = actor_of(room, interaction)
    check_leads(actor)
    return actor


def _server(actor: Actor) -> str | None:
    """What they see: their server's; an operator what there is anywhere."""
    return None if actor.server == EVERYWHERE else actor.server


_LABELS = {
    APPROVE: "Approve",
    REFUSE: "Deny",
    QUEUE: "All that wait",
    TAKE_DOWN: "Take down",
    DISMISS: "Dismiss",
    REPORTS: "All reports",
}
_QUIET = discord.ButtonStyle.secondary
_STYLES = {
    APPROVE: discord.ButtonStyle.success,
    REFUSE: discord.ButtonStyle.danger,
    TAKE_DOWN: discord.ButtonStyle.danger,
}
