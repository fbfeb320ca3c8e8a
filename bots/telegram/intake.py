"""What people write: words, pictures and videos, albums, and answers to our clips.

In somebody's own chat everything is meant for us. In a group a command is, a mention, or an answer
to one of our messages; a command there may stand in a picture's caption, or answer any picture.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from telegram import Message, Update, User
from telegram.constants import ChatType
from telegram.ext import MessageHandler, filters

from bots.hearing import costless
from bots.talk import NO_LINE, newest
from bots.telegram import appealing, consenting, reviewing, verifying
from bots.telegram.asking import Add, Room, check_allowed, is_ours
from bots.telegram.consenting import ask
from bots.telegram.desk import PLATFORM
from bots.telegram.files import Attached, attached
from bots.telegram.hearing import as_far_as_telegram_lets, guarded, key_of, say
from bots.telegram.places import answer_to, server_of, spot_of
from bots.telegram.reading import (
    NOBODY,
    Question,
    Said,
    What,
    answered,
    author,
    our_job,
    question_in,
    read,
    seconds_of,
    user_of,
)
from core.counter import Consent
from core.errors import BadPicture, BadPrompt, UserError, WrongState
from core.inspection import Said as Beside
from core.job import Account, Identity, Job
from core.prompt import edited, parse
from core.request import Draft, Picture

ALBUM_MOST = 2
HOW = "Send me words, a picture or a video, as in: a red ball bouncing, blue background."
NOTHING_TO_READ = "I can't make a clip of that. " + HOW
NO_PICTURE = "Send a picture with /animate as its caption, or answer one with /animate."
WHO = "Say whom the picture shows by their name here, as in --subject @anna."
TOO_MANY = "Two pictures are the first frame and the last; these are {}. Send one or two at a time."


def register(add: Add, room: Room) -> None:
    """Hear all that no other handler does: add it last."""

    async def heard(update: Update, context: object) -> None:
        await hear(room, update)

    add(MessageHandler(filters.UpdateType.MESSAGE, heard))


async def hear(room: Room, update: Update) -> None:
    """Raises nothing."""
    message = update.message
    if message is None or message.via_bot is not None:
        return
    if author(message) is None:
        if message.sender_chat is not None and read(message, room.bot.username).named:
            await say(room.messages, answer_to(message), NOBODY)
        return
    if message.media_group_id is None:
        await _heard(room, [message], key_of(message))
        return
    name = f"{message.chat.id}/album-{message.media_group_id}"
    async with room.albums.gathered(update, name) as updates:
        album = [one.message for one in updates if one.message is not None]
        if album:
            await _heard(room, album, f"telegram:{name}")
            await room.heard.done(updates)


def asks(room: Room, message: Message) -> bool:
    """Whether a message may become a clip, as far as can be told without looking anything up."""
    if message.via_bot or message.successful_payment or author(message) is None:
        return False
    said = read(message, room.bot.username)
    carries = bool(message.text or message.caption or message.effective_attachment)
    return carries and said.command in (None, *_MAKING) and _is_meant(room, message, said)


def _is_meant(room: Room, message: Message, said: Said) -> bool:
    """Whether we are spoken to."""
    if said.others:
        return False
    if message.chat.type == ChatType.PRIVATE or said.named or said.command in _COMMANDS:
        return True
    replied = answered(message)
    return replied is not None and is_ours(room, replied)


async def _heard(room: Room, album: Sequence[Message], key: str) -> None:
    """One message, or all of an album, of which one has the words."""
    message = next((one for one in album if one.caption), album[0])
    said = read(message, room.bot.username)
    if not _is_meant(room, message, said):
        return

    async def work() -> None:
        replied = answered(message)
        question = question_in(room, replied) if replied and said.command is None else None
        if question is not None and question.what in _ANSWERS:
            await _ANSWERS[question.what](room, message, _author_of(message), question, said.words)
            return
        act = _COMMANDS.get(said.command or "create")
        if act is None:
            raise UserError(f"There is no /{said.command} here: /help says what there is.")
        await act(room, album, message, said, key)

    await guarded(room.messages, message, work)


async def _order(
    room: Room, album: Sequence[Message], message: Message, said: Said, key: str
) -> None:
    """A new clip, or one of ours changed. Raises UserError or Transient."""
    replied = answered(message)
    found = [(one, attached(one)) for one in album]
    if any(one.effective_attachment and file is None for one, file in found):
        raise BadPrompt(NOTHING_TO_READ)
    files = [file for _, file in found if file is not None]
    before = await our_job(room, replied) if replied and said.command is None else None
    question = question_in(room, replied) if replied else None
    if replied and not files and before is None and (picture := attached(replied)):
        files = [picture]
    if len(album) > ALBUM_MOST:
        raise BadPicture(TOO_MANY.format(len(album)))
    if not files and not said.words:
        if said.command is None:
            return
        if said.command == "animate":
            raise BadPrompt(NO_PICTURE)
    with costless():
        shows = await _subject(room, message, said)
        draft = parse(said.words)
        if question is not None:
            before = question.job_id
        elif before is not None:
            draft = await _changed(room, before, draft)
        else:
            _check(room, message, draft, files)

    async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
        pictures = [await room.files.fetch(file) for file in files]
        first, last = (*pictures, None, None)[:2]
        job = await room.desk.studio.submit(
            account,
            place,
            draft,
            picture=first,
            last_picture=last,
            variant_of=before,
            remix=True,
            consent=Consent.NEEDED,
            key=key,
            said=Beside(tuple(file.name for file in files if file.name), shows),
        )
        return [job]

    user, turn = _author_of(message), room.files.turn() if files else None
    await ask(room, user, answer_to(message), key, queue, turn=turn)
    if question is not None and replied is not None:
        with as_far_as_telegram_lets():
            await room.messages.delete(spot_of(replied))


async def _extend(
    room: Room, album: Sequence[Message], message: Message, said: Said, key: str
) -> None:
    seconds = seconds_of(said.words)
    job_id = await _meant(room, message)

    async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
        clip = job_id or (await newest(room.desk.studio, account, HOW)).job.id
        studio, asks = room.desk.studio, Consent.NEEDED
        return [await studio.extend(account, place, clip, seconds, consent=asks, key=key)]

    await ask(room, _author_of(message), answer_to(message), key, queue)


async def _again(
    room: Room, album: Sequence[Message], message: Message, said: Said, key: str
) -> None:
    job_id = await _meant(room, message)

    async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
        clip = job_id or (await newest(room.desk.studio, account, HOW)).job.id
        studio, asks = room.desk.studio, Consent.NEEDED
        return [await studio.again(account, place, clip, consent=asks, key=key)]

    await ask(room, _author_of(message), answer_to(message), key, queue)


async def _verify(
    room: Room, album: Sequence[Message], message: Message, said: Said, key: str
) -> None:
    await verifying.verify(room, message, _author_of(message))


Act = Callable[[Room, Sequence[Message], Message, Said, str], Coroutine[Any, Any, None]]
_MAKING: dict[str | None, Act] = {
    "create": _order,
    "animate": _order,
    "extend": _extend,
    "again": _again,
}
_COMMANDS = _MAKING | {"verify": _verify}

Answering = Callable[[Room, Message, User, Question, str], Coroutine[Any, Any, None]]
_ANSWERS: dict[What, Answering] = {What.APPEAL: appealing.explain, What.DENY: reviewing.deny}


async def _meant(room: Room, message: Message) -> str | None:
    """The clip that a command answers; None where it answers none."""
    replied = answered(message)
    return await our_job(room, replied) if replied else None


async def _changed(room: Room, job_id: str, said: Draft) -> Draft:
    """Raises NotFound, or WrongState where no line makes the clip."""
    job = (await room.desk.lobby.shown(room.desk.studio, job_id)).view.job
    line = room.desk.studio.recipe(job)
    if not line:
        raise WrongState(NO_LINE)
    return edited(parse(line), said)


async def _subject(room: Room, message: Message, said: Said) -> Account | None:
    """Whom the picture is said to show. Raises BadPrompt, NotFound, or Refused for who can't be
    asked."""
    if said.subject is None:
        if "--subject" in said.words.split():
            raise BadPrompt(WHO)
        return None
    user = await user_of(room, message, said.subject)
    shown = await room.desk.moderators.person(Identity(PLATFORM, str(user)))
    await consenting.check(room, user, shown.name)
    return shown


def _check(room: Room, message: Message, draft: Draft, files: Sequence[Attached]) -> None:
    """Before anything is fetched. Raises BadPrompt, or UserError where it is not allowed."""
    check_allowed(room, answer_to(message))
    given = [Picture("", file.width or 1280, file.height or 720) for file in files]
    first, last = (*given, None, None)[:2]
    room.desk.studio.quote(draft, first, last, server_of(message.chat.id))


def _author_of(message: Message) -> User:
    user = author(message)
    assert user is not None, "whoever has no author was not heard"
    return user
