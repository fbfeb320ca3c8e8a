"""From what somebody asked to jobs with a card.

The job is written down first, under a key that a repeat has too, at a place that is not sent yet;
then its card is sent, and the job moves there. If the program dies in between, the card is sent at
the next start, or when the clip is done.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from telegram import Message, Update, User
from telegram.ext import BaseHandler, ExtBot

from bots import talk
from bots.card import NOTHING_CHARGED
from bots.cards import Cards, TooLarge
from bots.hearing import costless
from bots.moderation import Confirmations
from bots.telegram.albums import Albums
from bots.telegram.card_view import Shown
from bots.telegram.delivery import Delivery
from bots.telegram.desk import TelegramDesk
from bots.telegram.files import Files
from bots.telegram.hearing import account_of, say
from bots.telegram.inbox import Heard
from bots.telegram.limiter import Turn
from bots.telegram.markup import plain
from bots.telegram.messages import Messages
from bots.telegram.painter import TelegramPainter
from bots.telegram.places import NO_TOPIC, UNSENT_TIME, Spot, server_of, spot
from bots.telegram.started import Started
from bots.telegram.till import Till
from core.errors import Transient, Unreachable, UserError, WrongState
from core.job import Account, Job
from core.places import Post, platform

log = logging.getLogger("kinora.telegram")

KEPT = "I could not bring this here. /show {} does."

Order = Callable[[Account, str, str], Awaitable[Sequence[Job]]]
"""Queue what was asked for: account, place, key → jobs. Raises UserError or Transient."""

Add = Callable[[BaseHandler[Update, Any, Any]], None]
"""Let the bot hear something more."""

Soon = Callable[[Coroutine[Any, Any, None]], object]
"""Do something beside; it is waited for when the bot stops."""


@dataclass(frozen=True, slots=True)
class Room:
    """The parts of the Telegram room, for those who hear people. waiting: what a moderator asked
    for and has to confirm, by a key."""

    desk: TelegramDesk
    bot: ExtBot[Turn]
    heard: Heard
    messages: Messages
    painter: TelegramPainter
    cards: Cards
    delivery: Delivery
    files: Files
    albums: Albums
    till: Till
    started: Started
    soon: Soon
    waiting: Confirmations = field(default_factory=Confirmations)


async def ask(
    room: Room,
    user: User,
    answer: Spot,
    key: str,
    order: Order,
    *,
    turn: AbstractAsyncContextManager[None] | None = None,
) -> Sequence[Job]:
    """Order, and send the card as an answer. key: a repeat's is the same. turn: what has to be
    waited for before any work.

    Raises UserError or Transient.
    """
    lobby, studio = room.desk.lobby, room.desk.studio
    check_allowed(room, answer)
    post = Post(
        place=answer.place,
        author=str(user.id),
        upload_limit=room.desk.settings.upload_bytes,
        member=True,
        token_until=room.desk.clock() + UNSENT_TIME,
    )
    async with turn or nullcontext():
        account = await account_of(studio, user)
        await lobby.keep(post)
        with costless():
            jobs = await order(account, post.place, key)
    if all(job.place != post.place for job in jobs):  # a repeat, whose cards are there
        return jobs
    await _send_cards(room, account, post, jobs)
    await tell_kept(room, answer, account)
    return jobs


def check_allowed(room: Room, here: Spot) -> None:
    """Raises UserError where the chat's admins want it elsewhere."""
    if not is_allowed(room, here):
        raise UserError(
            "Here I am used in other topics: the chat's admins set that. " + NOTHING_CHARGED
        )


def is_allowed(room: Room, here: Spot) -> bool:
    """Whether the chat's admins let it be used there."""
    topics = room.desk.lobby.rules(server_of(here.chat)).channels
    return not topics or bool(here.inline) or str(here.topic or NO_TOPIC) in topics


async def tell_kept(room: Room, here: Spot, account: Account) -> None:
    """Tell somebody who came by what could not be brought to them; their cards say so, too."""
    if here.inline:
        return  # nothing can be said there
    if kept := await room.desk.lobby.kept(account):
        await say(room.messages, Spot(here.chat, here.topic), talk.kept(kept, plain))
    for job in kept[: talk.LISTED]:
        await retire(room, job, Shown(KEPT.format(job.id), None))


async def retire(room: Room, job: Job, words: Shown) -> None:
    """Say on the card of a job that it goes on elsewhere. Raises nothing."""
    if platform(job.place) != "telegram":
        return
    at = spot(job.place)
    if not at.sent or at.inline:
        return
    try:
        async with room.cards.lock(job.place):
            await room.messages.reword(at, words)
    except (Unreachable, Transient, TimeoutError) as error:
        log.info("the old card of job %s stays as it is: %s", job.id, error)


async def _send_cards(room: Room, account: Account, post: Post, jobs: Sequence[Job]) -> None:
    """What can't be sent now is sent later; where nothing can be sent, nothing is made."""
    async with room.cards.lock(post.place):
        views = await room.desk.lobby.at(room.desk.studio, post.place)
        try:
            for moved in await room.painter.paint(post, views):
                room.cards.watch(moved, drawn=True)
            return
        except Unreachable as error:
            log.info("nothing can be sent to chat %s: %s", post.place, error)
            await _call_off(room, account, jobs)
            return
        except (Transient, TimeoutError, TooLarge) as error:
            log.info("the card at %s is sent later: %s", post.place, error)
    for job in jobs:
        room.cards.watch(job)


async def _call_off(room: Room, account: Account, jobs: Sequence[Job]) -> None:
    for job in jobs:
        try:
            await room.desk.studio.cancel(account, job.id)
        except WrongState:  # it is made already, and is kept
            continue


def is_ours(room: Room, message: Message) -> bool:
    """Whether we wrote it, or somebody did through us."""
    return any(
        by is not None and by.id == room.bot.id for by in (message.from_user, message.via_bot)
    )
