"""/paysupport: what somebody paid, how they ask for it back, and who hears of that.

Whoever runs this Kinora decides, by /mod refund or in the shell.
"""

from __future__ import annotations

import logging

from telegram import Message

from bots.card import DOT
from bots.talk import Bold, Code, Line, Paragraph, line
from bots.telegram import talk
from bots.telegram.asking import Room
from bots.telegram.card_view import Shown
from bots.telegram.desk import PLATFORM
from bots.telegram.hearing import account_of, as_far_as_telegram_lets, privately, say
from bots.telegram.markup import plain
from bots.telegram.places import Spot, answer_to
from bots.telegram.reading import known_author
from bots.wares import NOTHING_SOLD, listed
from core.errors import NotFound, WrongState
from core.job import Account
from core.moderation import REASON_CHARS
from core.purchases import Purchase, PurchaseState

log = logging.getLogger("kinora.telegram")

START = "paysupport"
"""What a deep link to it says."""

LISTED = 10
ASKED = "Noted, for whoever runs this Kinora to decide. You are told when it goes back."
ASKED_BEFORE = "You have asked for this one already; it is noted."


async def paysupport(room: Room, message: Message, said: str) -> None:
    """Raises NotFound for a payment that is not theirs."""
    user, here = known_author(message), answer_to(message)
    account = await account_of(room.desk.studio, user)
    if said:
        words = plain(await _ask_back(room, account, said))
    else:
        words = talk.drawn(await _payments(room, account))
    shown = Shown(words, None)
    with as_far_as_telegram_lets():
        await privately(room.messages, here, user.id, shown, START)


async def _payments(room: Room, account: Account) -> list[Paragraph]:
    """What they paid, or that there was nothing to pay."""
    purchases = room.desk.purchases
    theirs = await purchases.of(account.id, LISTED)
    if not theirs and not purchases.wares.for_stars():
        return [
            (
                line(NOTHING_SOLD),
                line("If somebody asks you for money in this bot's name, it is not this bot."),
            )
        ]
    told: list[Paragraph] = [(line(Bold("Your payments")), *map(_line, theirs))]
    if not theirs:
        told = [(line("You have paid nothing here yet."),)]
    return [
        *told,
        (
            line("Something is wrong, or you want one back? Send ", Code("/paysupport 7 why"),
                 ", with its number and the reason."),
            line("Whoever runs this Kinora decides; what you have spent can't come back."),
            line("A subscription ends in Telegram's settings, under My Stars."),
        ),
    ]  # fmt: skip


async def _ask_back(room: Room, account: Account, said: str) -> str:
    number, _, why = said.partition(" ")
    reason = why.strip()[:REASON_CHARS]
    theirs = await room.desk.purchases.of(account.id)
    found = next((one for one in theirs if str(one.id) == number.strip("#.,")), None)
    if found is None:
        raise NotFound("Begin with the number of a payment of yours: /paysupport lists them.")
    if found.state is PurchaseState.REFUNDED:
        raise WrongState("This payment went back already.")
    if found.asked is not None:
        return ASKED_BEFORE
    log.warning("account %d asks for payment %d back", account.id, found.id)
    words = (
        f"{account.name} asks for a payment back: {listed(found)}{DOT}{found.charge}\n"
        f"{reason or 'They gave no reason.'}\n"
        f"/mod refund {found.id} gives it back."
    )
    for operator in room.desk.moderators.operators(PLATFORM):
        await say(room.messages, Spot(int(operator.subject)), plain(words))
    await room.desk.purchases.ask_back(found.id, reason)
    return ASKED


def _line(one: Purchase) -> Line:
    return line(listed(one))
