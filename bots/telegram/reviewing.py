"""/mod queue and /mod reports: what waits for who leads a chat, covered, in their own chat with us.

Each is a message with buttons that decide. They carry the job's id, so that they work after a
restart; whoever presses has to lead the chat of its card still. Why somebody says no is the answer
to a question.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from telegram import (
    CallbackQuery,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    User,
)

from bots import reviewing as words
from bots.desk import fitted
from bots.telegram import ranks, talk
from bots.telegram.asking import Room
from bots.telegram.card_view import Shown
from bots.telegram.clips import video_of
from bots.telegram.desk import PLATFORM
from bots.telegram.hearing import (
    OPEN_FIRST,
    SENT,
    as_far_as_telegram_lets,
    is_theirs,
    key_of,
    say,
)
from bots.telegram.markup import plain
from bots.telegram.places import Spot, answer_to, server_of, spot, spot_of
from bots.telegram.reading import Question, What
from bots.thumb import LOOKED_AT, thumbnail
from core import moderation as acts
from core.errors import Refused, Unreachable, WrongState
from core.job import Account, Job
from core.moderation import EVERYWHERE, Actor, OnJob, Rank
from core.places import platform
from core.reviews import Held, Reported

BUTTON = re.compile(r"kn-rev:(?P<what>[a-z]{2,8}):(?P<job_id>[0-9a-z]{12}):(?P<seen>\d{1,20})")
"""seen: the message above, with the picture or the clip; 0 for none."""

LISTED = 5
MORE = "There is more: decide these, then ask again."
NOT_LEADING = "Only who leads the chat of that clip, or runs this Kinora, can decide that."
NO_NAME = "I can't tell who you are: ask as yourself."

_HELD = (("Approve", "approve"), ("Deny", "deny"))
_REPORTED = (("Take down", "down"), ("Dismiss", "dismiss"))
_SURE = (("Delete it, and all that was made from it", "sure"), ("Back", "back"))
_ACTS = {"approve": acts.Approve, "sure": acts.TakeDown, "dismiss": acts.DismissReports}

Showing = Callable[[Room, Spot], Awaitable[None]]


async def queue(room: Room, message: Message, actor: Actor) -> None:
    """Raises UserError or Transient."""
    held = await room.desk.reviews.pending(_server(message, actor), LISTED + 1)
    await _tell(room, message, [partial(_show_held, one) for one in held], words.NOTHING_HELD)


async def reports(room: Room, message: Message, actor: Actor) -> None:
    """Raises UserError or Transient."""
    those = await room.desk.reviews.reports(_server(message, actor), LISTED + 1)
    showing = [partial(_show_report, one) for one in those]
    await _tell(room, message, showing, words.NOTHING_REPORTED)


async def press(room: Room, query: CallbackQuery) -> str:
    """Do what a button says. Raises UserError or Transient."""
    found, message = BUTTON.fullmatch(query.data or ""), query.message
    if found is None or not isinstance(message, Message) or not is_theirs(query):
        raise WrongState("This message is too old: ask for /mod queue or /mod reports again.")
    what, job_id, seen = found["what"], found["job_id"], int(found["seen"])
    job, owner = await room.desk.moderators.owner(job_id)
    actor = await _leader(room, query.from_user, job)
    here = spot_of(message)
    match what:
        case "deny":
            await room.desk.reviews.held(None, job_id)  # else why is not worth a word
            await _ask_why(room, here, job_id)
        case "down" | "back":
            buttons = _SURE if what == "down" else _REPORTED
            with as_far_as_telegram_lets():
                await room.messages.edit_buttons(here, _keyboard(buttons, job_id, seen))
        case _ if what in _ACTS:
            key = f"{PLATFORM}:review/{here.chat}/{here.message}/{what}"
            said = await _do(room, actor, _ACTS[what], job, owner, key)
            await _settle(room, here, said, seen)
            return said
    return ""


async def deny(room: Room, message: Message, user: User, question: Question, reason: str) -> None:
    """A question was answered with why not. Raises UserError or Transient."""
    job, owner = await room.desk.moderators.owner(question.job_id)
    actor = await _leader(room, user, job)
    said = await _do(room, actor, acts.Deny, job, owner, key_of(message), reason)
    here = spot_of(message)
    await _settle(room, here.at(question.about), said)
    if message.reply_to_message is not None:
        with as_far_as_telegram_lets():
            await room.messages.delete(spot_of(message.reply_to_message))


async def _do(
    room: Room,
    actor: Actor,
    kind: type[OnJob],
    job: Job,
    owner: Account,
    key: str,
    reason: str = "",
) -> str:
    act = kind(server=actor.server, account_id=owner.id, job_id=job.id, reason=reason)
    at = spot(job.place) if platform(job.place) == PLATFORM else None
    theirs = await ranks.of_account(room, at.chat, owner.id) if at else Rank.MEMBER
    return (await room.desk.moderators.do(actor, act, key, theirs)).words


async def _leader(room: Room, user: User, job: Job) -> Actor:
    """Raises Refused for who does not lead where the job's card is."""
    at = spot(job.place) if platform(job.place) == PLATFORM else None
    actor = await ranks.of(room, at.chat if at and not at.inline else user.id, user)
    if actor.rank < Rank.MODERATOR:
        raise Refused(NOT_LEADING)
    return actor


async def _tell(room: Room, message: Message, showing: Sequence[Showing], nothing: str) -> None:
    """It goes to their own chat, and where they asked they are told so."""
    here, user = answer_to(message), message.from_user
    if user is None or ranks.hides(message):
        raise Refused(NO_NAME)
    if not showing:
        await say(room.messages, here, nothing)
        return
    try:
        for show in showing[:LISTED]:
            await show(room, Spot(user.id))
        if len(showing) > LISTED:
            await room.messages.send(Spot(user.id), Shown(MORE, None))
    except Unreachable:
        await say(room.messages, here, OPEN_FIRST.text)
        return
    if not here.private:
        await say(room.messages, here, SENT.text)


async def _show_held(one: Held, room: Room, to: Spot) -> None:
    pictures = one.job.request.pictures[:1]
    path = await room.desk.pictures(pictures[0]) if pictures else None
    seen = 0
    if path is not None:
        drawn = await asyncio.to_thread(thumbnail, path, LOOKED_AT)
        seen, _ = await room.messages.send_photo(to, Shown("", None), drawn, covered=True)
        await room.desk.lobby.copied(one.job.id, to.at(seen).place)
    told = Shown(talk.drawn(words.held(one)), _keyboard(_HELD, one.job.id, seen))
    await room.messages.send(Spot(to.chat, answers=seen), told)


async def _show_report(one: Reported, room: Room, to: Spot) -> None:
    seen = 0
    if (clip := one.job.clip) is not None:
        async with fitted(room.desk, clip, room.desk.settings.upload_bytes) as file:
            bare = Shown("", None)
            if file.is_clip:
                video = await video_of(one.job.id, clip, file)
                seen, _ = await room.messages.send_video(to, bare, video, covered=True)
            else:
                still = await asyncio.to_thread(file.path.read_bytes)
                seen, _ = await room.messages.send_photo(to, bare, still, covered=True)
        await room.desk.lobby.copied(one.job.id, to.at(seen).place)
    told = Shown(talk.drawn(words.reported(one)), _keyboard(_REPORTED, one.job.id, seen))
    await room.messages.send(Spot(to.chat, answers=seen), told)


async def _ask_why(room: Room, here: Spot, job_id: str) -> None:
    mark = Question(What.DENY, job_id, here.message or 0).mark
    asking = f"{words.WHY_DENY} {words.TOLD} Answer this.\n{mark}"
    form = ForceReply(input_field_placeholder="Why not")
    await say(room.messages, Spot(here.chat, answers=here.message or 0), asking, reply=form)


async def _settle(room: Room, at: Spot, said: str, seen: int = 0) -> None:
    """What was decided about is not to be looked at any longer."""
    with as_far_as_telegram_lets():
        await room.messages.edit_text(at, Shown(plain(said), None), last=True)
    if seen:
        with as_far_as_telegram_lets():
            await room.messages.delete(at.at(seen))


def _keyboard(buttons: Sequence[tuple[str, str]], job_id: str, seen: int) -> InlineKeyboardMarkup:
    made = (
        InlineKeyboardButton(label, callback_data=f"kn-rev:{what}:{job_id}:{seen}")
        for label, what in buttons
    )
    return InlineKeyboardMarkup([[button] for button in made] if buttons is _SURE else [list(made)])


def _server(message: Message, actor: Actor) -> str | None:
    """Whose they see: those of the chat where they ask; an operator in their own chat, all."""
    if actor.server == EVERYWHERE and message.chat.id > 0:
        return None
    return server_of(message.chat.id)
