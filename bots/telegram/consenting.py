"""Whoever a picture shows is asked in their own chat, with the picture covered, before anything is
made of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from telegram import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message, User

from bots import reviewing as words
from bots.telegram import asking, talk
from bots.telegram.asking import Order, Room
from bots.telegram.card_view import Shown
from bots.telegram.desk import PLATFORM
from bots.telegram.hearing import account_of, as_far_as_telegram_lets, is_theirs
from bots.telegram.markup import plain
from bots.telegram.places import Spot, spot_of
from bots.thumb import LOOKED_AT, thumbnail
from core.errors import Refused, Transient, Unreachable, WrongState
from core.job import Account, Asks, Identity, Job, State

BUTTON = re.compile(r"kn-con:(?P<what>yes|no):(?P<job_id>[0-9a-z]{12})")
NOT_STARTED = "I can't write to {} yet: they have to open our own chat and press Start."
NOT_NOW = "I can't ask them just now, so the clip is not made. Try again in a minute."


async def check(room: Room, user: int, name: str) -> None:
    """Raises Refused for who can't be asked."""
    if not await room.started.has(user):
        raise Refused(NOT_STARTED.format(name))


async def ask(
    room: Room,
    user: User,
    answer: Spot,
    key: str,
    order: Order,
    *,
    turn: AbstractAsyncContextManager[None] | None = None,
) -> Sequence[Job]:
    """As `asking.ask`; whoever a job of it waits for is asked, too."""
    jobs = await asking.ask(room, user, answer, key, order, turn=turn)
    for job in jobs:
        await _ask(room, await account_of(room.desk.studio, user), job)
    return jobs


async def _ask(room: Room, author: Account, job: Job) -> None:
    """Where a job waits for who it shows, and they are on Telegram. Raises Refused where they can't
    be asked; then it is called off. A repeat asks again."""
    if job.state is not State.HELD or job.asks is not Asks.SUBJECT or job.subject is None:
        return
    for identity in await room.desk.moderators.identities(job.subject):
        if identity.platform == PLATFORM:
            try:
                await _send(room, Spot(int(identity.subject)), author, job)
            except (Unreachable, Transient, TimeoutError) as error:
                await room.desk.studio.cancel(author, job.id)
                shut = isinstance(error, Unreachable)
                raise Refused(NOT_STARTED.format("them") if shut else NOT_NOW) from error
            return


async def press(room: Room, query: CallbackQuery) -> str:
    """They decided. Raises UserError or Transient."""
    found, message = BUTTON.fullmatch(query.data or ""), query.message
    if found is None or not isinstance(message, Message) or not is_theirs(query):
        raise WrongState("This message is too old.")
    agreed = found["what"] == "yes"
    subject = Identity(PLATFORM, str(query.from_user.id))
    job = await room.desk.reviews.consent(subject, found["job_id"], agreed)
    said = words.consented(job, agreed)
    with as_far_as_telegram_lets():
        await room.messages.edit_text(spot_of(message), Shown(plain(said), None), last=True)
    return said


async def _send(room: Room, to: Spot, author: Account, job: Job) -> None:
    above = 0
    for picture in job.request.pictures[:1]:
        path = await room.desk.pictures(picture)
        if path is not None:
            drawn = await asyncio.to_thread(thumbnail, path, LOOKED_AT)
            above, _ = await room.messages.send_photo(to, Shown("", None), drawn, covered=True)
            await room.desk.lobby.copied(job.id, to.at(above).place)
    buttons = [
        InlineKeyboardButton(label, callback_data=f"kn-con:{what}:{job.id}")
        for label, what in ((words.AGREE, "yes"), (words.DECLINE, "no"))
    ]
    told = talk.drawn(words.consent(author.name, job))
    await room.messages.send(
        replace(to, answers=above), Shown(told, InlineKeyboardMarkup([buttons]))
    )
