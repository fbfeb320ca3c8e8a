"""/gift and /redeem: credits from one person to another, and by a code.

/gift 20        in reply to somebody's message or clip, or with their @name
"""

from __future__ import annotations

from telegram import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

from bots import gifts as words
from bots.gifts import Offered, offered
from bots.telegram.asking import Room
from bots.telegram.card_view import Shown
from bots.telegram.desk import PLATFORM
from bots.telegram.hearing import account_of, as_far_as_telegram_lets, key_of
from bots.telegram.markup import plain
from bots.telegram.places import Spot, answer_to, spot_of
from bots.telegram.reading import answered, known_author, our_job, unnamed, user_mentioned
from bots.wares import came
from core.errors import BadPrompt, KinoraError, NotFound, Refused, WrongState
from core.gifts import Given
from core.job import Account, Identity

WHOM = "Answer a message of theirs, or a clip of theirs, with it, as in /gift 20."
NOT_HERE = (
    "Type it in our own chat: here others read your code, and may use it before you do. If it is a "
    "real one, delete your message."
)


async def gift(room: Room, message: Message, said: str) -> None:
    """Say what would be given, with a button. Raises UserError or Transient."""
    user = known_author(message)
    _, word, *_ = (*unnamed(message).split(), "", "")
    count = words.counted(word)
    sender = await account_of(room.desk.studio, user)
    receiver = await _receiver(room, message)
    await room.desk.gifts.check(sender, receiver.id, count, spot_of(message).place)
    button = InlineKeyboardButton(
        words.GIVE_LABEL, callback_data=Offered(user.id, receiver.id, count).button_id
    )
    shown = Shown(plain(words.asked(receiver, count)), InlineKeyboardMarkup([[button]]))
    with as_far_as_telegram_lets():
        await room.messages.send(answer_to(message), shown)


async def give(room: Room, query: CallbackQuery) -> str:
    """Give it, once for each message that offers it, and tell both."""
    message = query.message
    if not isinstance(message, Message):
        raise WrongState("This message is too old: type /gift again. Nothing was given.")
    gift = offered(query.data or "")
    gift.check_asker(query.from_user.id)
    sender, here = await account_of(room.desk.studio, query.from_user), spot_of(message)
    key = f"{PLATFORM}:gift/{here.chat}/{message.message_id}"
    given = await room.desk.gifts.give(sender, gift.receiver_id, gift.credits, here.place, key)
    if here.private:
        told = not given.new or await _told(room, sender, given)
        said = words.gave(given) + ("" if told else words.NOT_TOLD)
        shown = plain(said)
    else:
        names = query.from_user.mention_html(), await _mention(room, given)
        said, shown = words.gave(given), words.seen(*names, given)
    with as_far_as_telegram_lets():
        await room.messages.edit_text(here, Shown(shown, None), last=True)
    return said


async def redeem(room: Room, message: Message, said: str) -> None:
    """Raises UserError or Transient."""
    user, here = known_author(message), answer_to(message)
    if not here.private:
        raise Refused(NOT_HERE)
    if not said:
        raise BadPrompt(words.NO_CODE)
    account = await account_of(room.desk.studio, user)
    bought = await room.desk.vouchers.redeem(account, said, key_of(message))
    with as_far_as_telegram_lets():
        await room.messages.send(here, Shown(plain(came(bought)), None))


async def _receiver(room: Room, message: Message) -> Account:
    """Whom it mentions, or whose message or clip it answers. Raises NotFound: nobody is made by
    being named."""
    if (met := await user_mentioned(room, message)) is not None:
        return await _known(room, met)
    replied = answered(message)
    if replied is None:
        raise NotFound(WHOM)
    job_id = await our_job(room, replied)
    if job_id is not None:
        return (await room.desk.moderators.owner(job_id))[1]
    if replied.from_user is None or replied.sender_chat is not None:
        raise NotFound(WHOM)
    if replied.from_user.is_bot:
        raise Refused(words.NO_BOTS)
    return await _known(room, replied.from_user.id)


async def _known(room: Room, user: int) -> Account:
    try:
        return await room.desk.moderators.person(Identity(PLATFORM, str(user)))
    except NotFound as error:
        raise NotFound(words.NO_ACCOUNT) from error


async def _mention(room: Room, given: Given) -> str:
    name = plain(given.receiver.name)
    for one in await room.desk.moderators.identities(given.receiver.id):
        if one.platform == PLATFORM:
            return f'<a href="tg://user?id={one.subject}">{name}</a>'
    return name


async def _told(room: Room, sender: Account, given: Given) -> bool:
    for one in await room.desk.moderators.identities(given.receiver.id):
        if one.platform == PLATFORM:
            try:
                shown = Shown(plain(words.got(sender, given)), None)
                await room.messages.send(Spot(int(one.subject)), shown)
            except (KinoraError, TimeoutError):
                continue
            return True
    return False
