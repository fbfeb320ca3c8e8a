"""The buttons of a card. Each carries its job's id, so that it works after a restart, for months.

Who may press which: the author all of them; who leads a group may cancel and delete there; anybody
may report.
"""

from __future__ import annotations

from collections.abc import Sequence

from telegram import CallbackQuery, ForceReply, Message, Update
from telegram.ext import CallbackQueryHandler

from bots.card import BUTTON_ID, REPORTED, REPORTED_BEFORE, Button, veiled
from bots.talk import NO_LINE, NO_PAGE, not_yours
from bots.telegram import appealing, moderation
from bots.telegram.asking import Add, Room, tell_kept
from bots.telegram.card_view import LESS, MORE, Shown
from bots.telegram.chats import leads
from bots.telegram.clips import take_off
from bots.telegram.consenting import ask
from bots.telegram.hearing import account_of, answered, as_far_as_telegram_lets, say
from bots.telegram.markup import code, plain, spoiler
from bots.telegram.places import Spot, inline_spot, server_of, spot_of
from bots.telegram.reading import Question, What
from bots.telegram.showing import MOVED
from bots.variation import vary
from core import moderation as acts
from core.errors import Unreachable, UserError, WrongState
from core.job import Account, Job
from core.lobby import Shown as ShownJob
from core.places import server


def register(add: Add, room: Room) -> None:
    async def heard(update: Update, context: object) -> None:
        query = update.callback_query
        found = BUTTON_ID.fullmatch(str(query.data or "")) if query else None
        if query is not None and found is not None:
            action, job_id = found["action"], found["job_id"]
            await answered(room.messages, query, lambda: pressed(room, query, action, job_id))

    add(CallbackQueryHandler(heard, BUTTON_ID))


async def pressed(room: Room, query: CallbackQuery, action: str, job_id: str) -> str:
    """A few words to say. Raises UserError or Transient."""
    match action:
        case Button.AGAIN | Button.RETRY | Button.EXTEND | Button.FOUR | Button.UPSCALE:
            return await _vary(room, query, action, job_id)
        case Button.RENDER | Button.RELAX | Button.ATTEST:
            return await _accept(room, query, job_id, action)
        case Button.APPEAL:
            shown = await _own(room, query, job_id)
            return await appealing.appeal(room, query, _here(query), shown.owner, shown.view.job)
        case Button.EDIT | Button.CHANGE:
            return await _edit(room, query, job_id)
        case Button.CANCEL:
            return await _cancel(room, query, job_id)
        case Button.DELETE:
            return await _delete(room, query, job_id)
        case Button.REPORT:
            return await _report(room, query, job_id)
        case Button.PAGE:
            return await _page(room, query, job_id)
        case _ if action in (MORE, LESS):
            shown = await room.desk.lobby.shown(room.desk.studio, job_id)
            here = _here(query)
            buttons = room.painter.keyboard(shown.view, here, more=action == MORE)
            with as_far_as_telegram_lets():
                await room.messages.edit_buttons(here, buttons)
            return ""
    raise WrongState("This button is of another version of Kinora: try /show.")


async def _vary(room: Room, query: CallbackQuery, action: str, job_id: str) -> str:
    studio = room.desk.studio
    await _own(room, query, job_id)

    async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
        return await vary(studio, account, place, job_id, action, key)

    here = _here(query)
    answer = Spot(here.chat, here.topic, answers=here.message or 0)
    room.soon(room.messages.act(answer))
    await ask(room, query.from_user, answer, f"telegram:callback/{query.id}", queue)
    return ""


async def _accept(room: Room, query: CallbackQuery, job_id: str, action: str) -> str:
    shown, studio = await _own(room, query, job_id), room.desk.studio
    relaxed, attest = action == Button.RELAX, action == Button.ATTEST
    room.cards.watch(await studio.accept(shown.owner, job_id, relaxed=relaxed, attest=attest))
    return ""


async def _edit(room: Room, query: CallbackQuery, job_id: str) -> str:
    shown = await _own(room, query, job_id)
    line = room.desk.studio.recipe(shown.view.job)
    if not line:
        raise WrongState(NO_LINE)
    here, drawn = _here(query), spoiler if veiled(shown.view.job) else code
    answer = "Answer" if here.private else f"{query.from_user.mention_html()}, answer"
    asking = (
        f"{answer} with the line as you want it; without --seed it becomes another clip.\n"
        f"{drawn(line)}\n{Question(What.CLIP, job_id).mark}"
    )
    form = ForceReply(selective=True, input_field_placeholder="The line, changed")
    beside = Spot(here.chat, here.topic, answers=here.message or 0)
    await say(room.messages, beside, asking, reply=form)
    return ""


async def _cancel(room: Room, query: CallbackQuery, job_id: str) -> str:
    shown, account = await _steered(room, query, job_id)
    here = _here(query)
    try:
        if shown.owner.id == account.id:
            await room.desk.studio.cancel(account, job_id)
        else:
            await moderation.stopped(room, query, acts.Cancel, here.chat, job_id)
    finally:
        if here.place != shown.view.job.place:
            with as_far_as_telegram_lets():
                if _is_choice(query):
                    await room.messages.edit_buttons(here, None)
                else:  # a card that nobody knew of
                    await room.messages.reword(here, MOVED)
    await tell_kept(room, here, account)
    return "Cancelled."


async def _delete(room: Room, query: CallbackQuery, job_id: str) -> str:
    """The card itself goes by the outbox; another message that shows the clip goes now."""
    shown, account = await _steered(room, query, job_id)
    here = _here(query)
    if shown.owner.id == account.id:
        await room.desk.studio.delete(shown.owner, job_id)
    else:
        await moderation.stopped(room, query, acts.Delete, here.chat, job_id)
    if here.place != shown.view.job.place and not here.inline:
        with as_far_as_telegram_lets():
            await take_off(room.messages, here)
    await tell_kept(room, here, account)
    return "Deleted."


async def _report(room: Room, query: CallbackQuery, job_id: str) -> str:
    account = await account_of(room.desk.studio, query.from_user)
    shown = await room.desk.lobby.shown(room.desk.studio, job_id)
    new = await room.desk.lobby.report(account, shown.view.job)
    return REPORTED if new else REPORTED_BEFORE


async def _page(room: Room, query: CallbackQuery, job_id: str) -> str:
    """The link is for their eyes: it goes to their own chat."""
    shown = await _own(room, query, job_id)
    if room.desk.page_link is None:
        raise WrongState(NO_PAGE)
    link = plain(await room.desk.page_link(shown.owner))
    words = f"This opens your page, once, and is for you alone: {link}"
    try:
        await room.messages.send(Spot(query.from_user.id), Shown(words, None))
    except Unreachable as error:
        raise WrongState("Open our own chat first, and press Start there.") from error
    return "" if _here(query).private else "I sent you the link in our own chat."


async def _own(room: Room, query: CallbackQuery, job_id: str) -> ShownJob:
    """Raises UserError for somebody else's."""
    account = await account_of(room.desk.studio, query.from_user)
    shown = await room.desk.lobby.shown(room.desk.studio, job_id)
    if shown.owner.id != account.id:
        raise _not_yours(shown)
    return shown


async def _steered(room: Room, query: CallbackQuery, job_id: str) -> tuple[ShownJob, Account]:
    """The job, for its author and for who leads the chat of its card. Raises UserError."""
    account = await account_of(room.desk.studio, query.from_user)
    shown = await room.desk.lobby.shown(room.desk.studio, job_id)
    if shown.owner.id != account.id:
        here = _here(query)
        theirs = server(shown.view.job.place) == server_of(here.chat) and not here.inline
        if not theirs or not await leads(room.bot, here.chat, query.from_user.id):
            raise _not_yours(shown)
    return shown, account


def _is_choice(query: CallbackQuery) -> bool:
    """Whether the buttons beside it are of other jobs."""
    markup = query.message.reply_markup if isinstance(query.message, Message) else None
    rows = markup.inline_keyboard if markup else ()
    return len({button.callback_data for row in rows for button in row}) > 1


def _not_yours(shown: ShownJob) -> UserError:
    instead = "Answer it with words to make one of your own from it."
    return UserError(not_yours(shown.owner.name, instead))


def _here(query: CallbackQuery) -> Spot:
    """Where the button is. Raises WrongState for a message that Telegram no longer shows."""
    if query.inline_message_id is not None:
        return inline_spot(query.from_user.id, query.inline_message_id)
    if isinstance(query.message, Message):
        return spot_of(query.message)
    if query.message is not None:
        return Spot(query.message.chat.id, message=query.message.message_id)
    raise WrongState("This button is too old: try /show.")
