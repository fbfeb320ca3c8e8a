"""/show and /cancel: a job posted again, with its buttons; and one stopped."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message, User

from bots import talk
from bots.card import Button, button_id
from bots.cards import TooLarge
from bots.telegram.asking import Room, check_allowed, retire, tell_kept
from bots.telegram.card_view import Shown
from bots.telegram.hearing import account_of
from bots.telegram.intake import HOW
from bots.telegram.markup import cut
from bots.telegram.places import Spot, spot, spot_of
from core.errors import NotFound, Transient, Unreachable, WrongState
from core.job import Account, Clip
from core.places import Post
from core.studio import View

log = logging.getLogger("kinora.telegram")

ASKED_CHARS = 40
CHOICES = 6
MOVED = Shown("This card goes on in a newer message.", None)
NOTHING_TO_CANCEL = "Nothing of yours is under way."


async def show(room: Room, user: User, answer: Spot, job_id: str) -> None:
    """Post a job of theirs again; the newest where none is named. An unfinished job's card moves.

    Raises UserError or Transient.
    """
    check_allowed(room, answer)
    account = await account_of(room.desk.studio, user)
    view = await _own(room, account, job_id)
    post = Post(answer.place, str(user.id), room.desk.settings.upload_bytes, member=True)
    if not answer.private:
        room.desk.lobby.check_shown(view.job, post)
    try:
        if view.job.clip is None:
            await _move(room, post, view)
        else:
            await _bring(room, post, view, view.job.clip)
    except Unreachable as error:
        raise WrongState("I may not post that here.") from error
    except (TimeoutError, TooLarge) as error:
        raise Transient("no answer came", 5) from error
    await tell_kept(room, answer, account)


async def cancel(room: Room, user: User, message: Message, job_id: str) -> Shown | None:
    """Stop what is named or answered, or the only one that is under way; None where it was. Where
    there are several they are shown, to choose one. Raises UserError or Transient."""
    studio = room.desk.studio
    account = await account_of(studio, user)
    named = job_id.strip().lower()
    answered = message.reply_to_message
    if not named and answered is not None:
        views = await room.desk.lobby.at(studio, spot_of(answered).place)
        named = next((view.job.id for view in views), "")
    if not named:
        unfinished = await room.desk.lobby.unfinished()
        mine = [job for job in unfinished if job.account_id == account.id]
        if not mine:
            raise NotFound(NOTHING_TO_CANCEL)
        if len(mine) > 1:
            return _choice([studio.viewed(job) for job in mine[-CHOICES:]])
        named = mine[0].id
    await studio.cancel(account, named)
    return None


def _choice(views: Sequence[View]) -> Shown:
    rows = [
        [
            InlineKeyboardButton(
                cut(talk.summary(view), ASKED_CHARS),
                callback_data=button_id(Button.CANCEL, view.job.id),
            )
        ]
        for view in views
    ]
    return Shown("Which one?", InlineKeyboardMarkup(rows))


async def _own(room: Room, account: Account, job_id: str) -> View:
    """Raises NotFound."""
    if job_id:
        return await room.desk.studio.view(account, job_id.strip().lower())
    return await talk.newest(room.desk.studio, account, HOW)


async def _move(room: Room, post: Post, view: View) -> None:
    """The card goes on in a new message; where it was says so."""
    _, job = await room.painter.send(post, view)
    if not job.state.ended:
        room.cards.watch(job)
    await retire(room, view.job, MOVED)


async def _bring(room: Room, post: Post, view: View, clip: Clip) -> None:
    """The clip in a new message, whose number is written down: a repeat is the same edit."""
    answer, lobby = spot(post.place), room.desk.lobby
    known = await lobby.post(post.place)
    at = int(known.token) if known and known.token else None
    if at is None:
        at = await room.messages.send(answer, room.painter.drawn(view, answer))
        await lobby.keep(replace(post, token=str(at)))
    try:
        await room.painter.finish(replace(post, place=answer.at(at).place), view, clip)
        await lobby.copied(view.job.id, answer.at(at).place)
    except (Unreachable, Transient, TimeoutError, TooLarge):
        await lobby.drop(post)
        raise
    await lobby.drop(post)
