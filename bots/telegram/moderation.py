"""/mod: what those who lead a chat, and operators, do there, in words.

    /mod grant 20 a prize       in reply to somebody's message, or to a clip of theirs

What is hard to take back is first only said; a button does it. What waits for its button is in
memory: where it is gone, the button says so.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial

from telegram import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message, User

from bots import moderation
from bots.hearing import NOT_ASKER
from bots.telegram import ranks, reviewing, talk
from bots.telegram.asking import Room
from bots.telegram.card_view import Shown
from bots.telegram.desk import PLATFORM
from bots.telegram.hearing import account_of, alone, as_far_as_telegram_lets, key_of
from bots.telegram.markup import plain
from bots.telegram.places import NO_TOPIC, Spot, answer_to, server_of, spot_of
from bots.telegram.reading import answered, mentioned, our_job, unnamed, user_mentioned
from bots.wares import refund_of
from core import moderation as acts
from core.errors import BadPrompt, NotFound, Refused, WrongState
from core.job import Account, Identity
from core.moderation import EVERYWHERE, Act, Actor, Rank

Stop = acts.Cancel | acts.Delete
CONFIRM = re.compile(r"kn-mod:(?P<key>-?\d{1,20}/\d{1,20})")
NOT_LEADING = "Only the administrators of this chat can do that."
WHOM = "Answer a message of theirs, or a clip of theirs, with it."
HELP = """In reply to somebody's message, or to a clip of theirs, or with their @name:
/mod show · /mod note they said sorry
/mod grant 20 a prize: out of this chat's treasury
/mod quota 20: credits a day here; none takes it back
/mod pause 3d a talk · /mod resume
/mod ban 3d spam · /mod unban
/mod cancel: the clip that you answer, free for its author
For this topic, or for all of this chat:
/mod pause topic 2h · /mod pause all · /mod resume all
/mod log: what was done here
/mod queue: what waits for a moderator · /mod approve, /mod deny why: the clip that you answer
/mod reports: clips that people reported
For whoever runs this Kinora:
/mod take 20 · /mod refund 7 · /mod plan pro 4w · /mod ban everywhere spam · /mod pause queue"""


@dataclass(frozen=True, slots=True)
class Whom:
    """Who a command is about, and their rank in the chat."""

    account: Account
    rank: Rank


@dataclass(frozen=True, slots=True)
class Said:
    """A command, taken apart. words: behind the verb."""

    room: Room
    message: Message
    actor: Actor
    verb: str
    words: tuple[str, ...]

    @property
    def here(self) -> str:
        return server_of(self.message.chat.id)

    async def whom(self) -> Whom:
        """Raises UserError."""
        return await _whom(self.room, self.message)

    def reach(self) -> tuple[str, tuple[str, ...]]:
        """Where it is to hold, and the words behind."""
        if self.words[:1] == ("everywhere",):
            return EVERYWHERE, self.words[1:]
        return self.here, self.words


async def mod(room: Room, message: Message, said: str) -> None:
    """Do what the words say. Raises UserError or Transient."""
    verb, *words = unnamed(message).split()[1:] or [""]
    actor = await ranks.asking(room, message)
    if actor.rank < Rank.MODERATOR:
        raise Refused(NOT_LEADING)
    asked = Said(room, message, actor, verb.lower(), tuple(words))
    if (telling := _TELLINGS.get(asked.verb)) is not None:
        await telling(asked)
        return
    read = _ACTS.get(asked.verb)
    if read is None:
        await _say(room, message, plain(HELP))
        return
    act, theirs = await read(asked)
    await _do(room, message, actor, act, theirs)


async def confirm(room: Room, query: CallbackQuery) -> str:
    """Do what waits for this button; whoever presses has to lead still."""
    found = CONFIRM.fullmatch(query.data or "")
    name = found["key"] if found else ""
    waiting = room.waiting.find(name)
    message = query.message
    if not isinstance(message, Message):
        raise WrongState(moderation.TOO_LATE)
    actor = await ranks.of(room, message.chat.id, query.from_user)
    if actor.rank < Rank.MODERATOR or waiting.by not in (None, query.from_user.id):
        raise Refused(NOT_ASKER)
    done = await room.desk.moderators.do(actor, waiting.act, waiting.key, waiting.theirs)
    room.waiting.done(name)
    room.till.look()
    with as_far_as_telegram_lets():
        await room.messages.edit_text(spot_of(message), Shown(plain(done.words), None), last=True)
    return done.words


async def stopped(
    room: Room, query: CallbackQuery, kind: type[Stop], chat: int, job_id: str
) -> None:
    """Somebody else's clip, by the button of its card. Raises UserError or Transient."""
    actor = await ranks.of(room, chat, query.from_user)
    whom = await _author(room, chat, job_id)
    act = kind(server=actor.server, account_id=whom.account.id, job_id=job_id)
    await room.desk.moderators.do(actor, act, f"telegram:callback/{query.id}", whom.rank)


async def _do(room: Room, message: Message, actor: Actor, act: Act, theirs: Rank) -> None:
    """Do it, or say what it would be and show a button that does it."""
    dry, key = isinstance(act, moderation.CONFIRMED), key_of(message)
    done = await room.desk.moderators.do(actor, act, key, theirs, dry=dry)
    if done.number:
        await _say(room, message, plain(done.words))
        return
    name = key.partition(":")[2]
    by = None if ranks.hides(message) or message.from_user is None else message.from_user.id
    room.waiting.add(name, moderation.Waiting(by, act, key, theirs))
    button = InlineKeyboardButton("Do it", callback_data=f"kn-mod:{name}")
    words = plain(f"{moderation.DRY}{done.words}")
    await _say(room, message, words, InlineKeyboardMarkup([[button]]))


# What the words mean


Reading = tuple[Act, Rank]


async def _grant(said: Said) -> Reading:
    whom, (count, reason) = await said.whom(), _counted(said.words)
    server = said.actor.server
    act = acts.Grant(server=server, account_id=whom.account.id, credits=count, reason=reason)
    return act, whom.rank


async def _take(said: Said) -> Reading:
    whom, (count, reason) = await said.whom(), _counted(said.words)
    return acts.Take(account_id=whom.account.id, credits=count, reason=reason), whom.rank


async def _refund(said: Said) -> Reading:
    """A payment by its number, as /paysupport has it, whoever paid it."""
    number, words = said.words[:1], said.words[1:]
    if not number or not number[0].isdecimal() or len(number[0]) > 12:
        raise BadPrompt("Say which payment, by its number, as in /mod refund 7.")
    found = await said.room.desk.purchases.purchase(int(number[0]))
    return refund_of(found, " ".join(words)), Rank.MEMBER


async def _quota(said: Said) -> Reading:
    whom = await said.whom()
    count = None if said.words[:1] == ("none",) else _counted(said.words)[0]
    return acts.SetQuota(server=said.here, account_id=whom.account.id, credits=count), whom.rank


async def _plan(said: Said) -> Reading:
    whom = await said.whom()
    name, *rest = said.words or ("",)
    until = moderation.until(" ".join(rest), said.room.desk.clock(), _zone(said))
    return acts.SetPlan(account_id=whom.account.id, plan=name, until=until), whom.rank


async def _pause(said: Said) -> Reading:
    server, account_id, channel, rank, words = await _held(said)
    until, reason = _ended(said, words)
    act = acts.Pause(
        server=server, account_id=account_id, channel=channel, reason=reason, until=until
    )
    return act, rank


async def _resume(said: Said) -> Reading:
    server, account_id, channel, rank, _ = await _held(said)
    return acts.Resume(server=server, account_id=account_id, channel=channel), rank


async def _ban(said: Said) -> Reading:
    whom, (server, words) = await said.whom(), said.reach()
    until, reason = _ended(said, words)
    act = acts.Ban(server=server, account_id=whom.account.id, reason=reason, until=until)
    return act, whom.rank


async def _unban(said: Said) -> Reading:
    whom, (server, _) = await said.whom(), said.reach()
    return acts.Unban(server=server, account_id=whom.account.id), whom.rank


async def _note(said: Said) -> Reading:
    whom, text = await said.whom(), " ".join(said.words)
    return acts.Note(server=said.here, account_id=whom.account.id, text=text), whom.rank


async def _on_job(said: Said, kind: type[acts.OnJob]) -> Reading:
    """On the clip that it answers, or one that is named."""
    replied = answered(said.message)
    job_id, words = await our_job(said.room, replied) if replied else None, said.words
    if job_id is None:
        if not words:
            raise NotFound(f"Answer the clip with it, or name it: /mod {said.verb} ID.")
        job_id, words = words[0].lower(), words[1:]
    whom = await _author(said.room, said.message.chat.id, job_id)
    reason, server = " ".join(words), said.actor.server
    return kind(server=server, account_id=whom.account.id, job_id=job_id, reason=reason), whom.rank


_ACTS: Mapping[str, Callable[[Said], Awaitable[Reading]]] = {
    "grant": _grant,
    "take": _take,
    "refund": _refund,
    "quota": _quota,
    "plan": _plan,
    "pause": _pause,
    "resume": _resume,
    "ban": _ban,
    "unban": _unban,
    "note": _note,
    "cancel": partial(_on_job, kind=acts.Cancel),
    "approve": partial(_on_job, kind=acts.Approve),
    "deny": partial(_on_job, kind=acts.Deny),
}


async def _show(said: Said) -> None:
    whom = await said.whom()
    shown = await said.room.desk.moderators.show(said.actor, whom.account)
    await _tell(said, Shown(talk.drawn(moderation.person(shown)), None))


async def _log(said: Said) -> None:
    moderators = said.room.desk.moderators
    rows = await moderators.log(said.actor)
    await _tell(said, Shown(talk.drawn(await moderation.log(moderators, rows)), None))


async def _held(said: Said) -> tuple[str, int | None, str | None, Rank, tuple[str, ...]]:
    """What is to be paused: server, account, channel; the rank of the person; the words behind."""
    match said.words[:1]:
        case ("queue",):
            return EVERYWHERE, None, None, Rank.MEMBER, said.words[1:]
        case ("all",):
            return said.here, None, None, Rank.MEMBER, said.words[1:]
        case ("topic",):
            topic = str(spot_of(said.message).topic or NO_TOPIC)
            return said.here, None, topic, Rank.MEMBER, said.words[1:]
    whom, (server, words) = await said.whom(), said.reach()
    return server, whom.account.id, None, whom.rank, words


def _counted(words: Sequence[str]) -> tuple[int, str]:
    """Credits, and the words behind. Raises BadPrompt."""
    if not words or not words[0].isdecimal() or len(words[0]) > 12:
        raise BadPrompt("Say how many credits, as in /mod grant 20.")
    return int(words[0]), " ".join(words[1:])


def _ended(said: Said, words: Sequence[str]) -> tuple[datetime | None, str]:
    """An end, where the first word is one, and the words behind."""
    if words and (moderation.is_end(words[0]) or words[0] == "good"):
        until = moderation.until(words[0], said.room.desk.clock(), _zone(said))
        return until, " ".join(words[1:])
    return None, " ".join(words)


def _zone(said: Said) -> tzinfo:
    return said.room.desk.studio.terms.zone


# Whom


async def _whom(room: Room, message: Message) -> Whom:
    """Of the message that it answers, or whom its words mention. Raises UserError."""
    entity = mentioned(message)
    if entity is not None and entity.user is not None:
        return await _member(room, message, entity.user)
    if (met := await user_mentioned(room, message)) is not None:
        account = await room.desk.moderators.person(Identity(PLATFORM, str(met)))
        return Whom(account, await ranks.in_chat(room, message.chat.id, met))
    replied = answered(message)
    if replied is None:
        raise NotFound(WHOM)
    job_id = await our_job(room, replied)
    if job_id is not None:
        return await _author(room, message.chat.id, job_id)
    user = replied.from_user
    if user is None or user.is_bot or replied.sender_chat is not None:
        raise NotFound(WHOM)
    return await _member(room, message, user)


async def _member(room: Room, message: Message, user: User) -> Whom:
    account = await account_of(room.desk.studio, user)
    return Whom(account, await ranks.in_chat(room, message.chat.id, user.id))


async def _author(room: Room, chat: int, job_id: str) -> Whom:
    _, owner = await room.desk.moderators.owner(job_id)
    return Whom(owner, await ranks.of_account(room, chat, owner.id))


# Answers


async def _say(
    room: Room, message: Message, html: str, markup: InlineKeyboardMarkup | None = None
) -> None:
    with as_far_as_telegram_lets():
        await room.messages.send(answer_to(message), Shown(html, markup))


async def _tell(said: Said, told: Shown) -> None:
    """What is for a moderator's eyes goes to their own chat. Raises Refused for who hides."""
    message, room = said.message, said.room
    if message.from_user is None or ranks.hides(message):
        raise Refused("I can't tell who you are: ask as yourself.")
    here = answer_to(message)
    with as_far_as_telegram_lets():
        if not here.private:
            told = await alone(room.messages, Spot(message.from_user.id), told)
        await room.messages.send(here, told)


async def _queue(said: Said) -> None:
    await reviewing.queue(said.room, said.message, said.actor)


async def _reports(said: Said) -> None:
    await reviewing.reports(said.room, said.message, said.actor)


_TELLINGS = {"show": _show, "log": _log, "audit": _log, "queue": _queue, "reports": _reports}
