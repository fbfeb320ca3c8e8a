"""Appeals: a press is enough; why it may be made is the answer to a question, for who likes."""

from __future__ import annotations

from dataclasses import replace

from telegram import CallbackQuery, ForceReply, Message, User

from bots.telegram.asking import Room
from bots.telegram.hearing import account_of, as_far_as_telegram_lets, say
from bots.telegram.markup import plain
from bots.telegram.places import Spot, answer_to, spot_of
from bots.telegram.reading import Question, What
from core.job import Account, Job, State
from core.moderation import moment

NOTED = "Noted, for the moderator."


async def appeal(room: Room, query: CallbackQuery, here: Spot, owner: Account, job: Job) -> str:
    """Raises UserError or Transient."""
    lobby = room.desk.lobby
    async with room.cards.lock(job.place):  # of two presses at once the first asks
        new = (await lobby.shown(room.desk.studio, job.id)).view.job.state is State.REFUSED
        held = await room.desk.reviews.appeal(owner, job.id)
        post = await lobby.post(held.place)
        if post is not None and post.pinged:
            await lobby.keep(replace(post, pinged=False))  # how it ends is news again
    room.cards.watch(held)
    if new and not here.inline:
        name = "" if here.private else f"{query.from_user.mention_html()}: "
        asking = (
            f"{name}Why may it be made? Answer this for the moderator, if you like.\n"
            f"{Question(What.APPEAL, job.id).mark}"
        )
        form = ForceReply(selective=True, input_field_placeholder="Why it may be made")
        await say(room.messages, Spot(here.chat, here.topic, answers=here.message or 0), asking,
                  reply=form)  # fmt: skip
    return f"A moderator decides by {moment(held.decide_by)}." if held.decide_by else ""


async def explain(room: Room, message: Message, user: User, question: Question, why: str) -> None:
    """The question was answered. Raises UserError or Transient."""
    account = await account_of(room.desk.studio, user)
    await room.desk.reviews.explain(account, question.job_id, why)
    await say(room.messages, answer_to(message), plain(NOTED))
    if message.reply_to_message is not None:
        with as_far_as_telegram_lets():
            await room.messages.delete(spot_of(message.reply_to_message))
