"""/link and /unlink, in somebody's own chat alone."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message, User

from bots import linking as words
from bots.linking import JOIN_ID
from bots.moderation import name_of
from bots.talk import Paragraph
from bots.telegram.asking import Room
from bots.telegram.card_view import Shown
from bots.telegram.desk import PLATFORM
from bots.telegram.hearing import account_of, as_far_as_telegram_lets
from bots.telegram.places import answer_to, spot_of
from bots.telegram.reading import known_author
from bots.telegram.talk import drawn
from core.errors import Refused, WrongState
from core.job import Identity
from core.links import NOT_LINKED

TOO_OLD = "This message is too old: ask for a new one."


async def link(room: Room, message: Message, said: str) -> None:
    """A code, or what the one that was typed would do. Raises UserError or Transient."""
    user, here, links = known_author(message), answer_to(message), room.desk.links
    if not here.private:
        if said:
            await links.give_up(said)
            raise Refused(words.READ_BY_OTHERS)
        raise Refused(words.IN_PRIVATE)
    account = await account_of(room.desk.studio, user)
    if not said:
        await _send(room, message, words.code(await links.code(account)))
        return
    offer = await links.offer(account, said, _name(user))
    button = InlineKeyboardButton(words.JOIN_LABEL, callback_data=f"kn-join:{offer.code}")
    await _send(room, message, words.asked(offer), button)


async def unlink(room: Room, message: Message, said: str) -> None:
    """What leaving would mean. Raises as `link`."""
    user = known_author(message)
    if not answer_to(message).private:
        raise Refused("Only in our own chat: it concerns you alone.")
    account = await account_of(room.desk.studio, user)
    linked = await room.desk.links.linked(account)
    if len(linked) < 2:
        raise WrongState(NOT_LINKED)
    button = InlineKeyboardButton(words.PART_LABEL, callback_data="kn-part")
    await _send(room, message, words.parting(linked, _identity(user)), button)


async def join(room: Room, query: CallbackQuery) -> str:
    """Join what was said."""
    message, found = _pressed(query), JOIN_ID.fullmatch(query.data or "")
    assert found is not None, "other buttons are others'"
    user, links = query.from_user, room.desk.links
    account = await account_of(room.desk.studio, user)
    joined = await links.join(account, found["code"], _name(user), _identity(user))
    wallet = await room.desk.studio.wallet(joined)
    told = words.joined(joined.name, wallet.available, await links.linked(joined))
    await _edit(room, message, told)
    return ""


async def part(room: Room, query: CallbackQuery) -> str:
    """Take them out of their account."""
    message, user = _pressed(query), query.from_user
    account = await account_of(room.desk.studio, user)
    linked = await room.desk.links.linked(account)
    key = f"telegram:callback/{query.id}"
    await room.desk.links.part(_identity(user), account, _name(user), key)
    await _edit(room, message, words.parted(linked, _identity(user)))
    return ""


async def _send(
    room: Room,
    message: Message,
    told: Sequence[Paragraph],
    button: InlineKeyboardButton | None = None,
) -> None:
    markup = InlineKeyboardMarkup([[button]]) if button else None
    with as_far_as_telegram_lets():
        await room.messages.send(answer_to(message), Shown(drawn(told), markup))


async def _edit(room: Room, message: Message, told: Sequence[Paragraph]) -> None:
    with as_far_as_telegram_lets():
        await room.messages.edit_text(spot_of(message), Shown(drawn(told), None), last=True)


def _pressed(query: CallbackQuery) -> Message:
    if not isinstance(query.message, Message):
        raise WrongState(TOO_OLD)
    return query.message


def _identity(user: User) -> Identity:
    return Identity(PLATFORM, str(user.id))


def _name(user: User) -> str:
    return name_of(user.full_name, _identity(user))
