"""/verify: whether a file was made here, and by which clip. It comes with the command as its
caption, or in the message that the command answers.
"""

from __future__ import annotations

from telegram import Message, User

from bots.telegram.asking import Room
from bots.telegram.card_view import Shown
from bots.telegram.files import carried
from bots.telegram.hearing import account_of, as_far_as_telegram_lets
from bots.telegram.markup import plain
from bots.telegram.places import answer_to
from bots.telegram.reading import answered
from bots.verifying import verified
from core.errors import BadPrompt, WrongState

NO_FILE = "Send a clip or a picture with /verify as its caption, or answer one with /verify."
ELSEWHERE = "Whoever runs this Kinora can look at larger ones, on the page or by kinora verify."


async def verify(room: Room, message: Message, user: User) -> None:
    """Tell who asks. A clip's words are for its author's eyes, so groups never read them.

    Raises UserError or Transient.
    """
    if room.desk.verify is None:
        raise WrongState("Nothing can be verified here just now.")
    replied, here = answered(message), answer_to(message)
    file = carried(message) or (carried(replied) if replied else None)
    if file is None:
        raise BadPrompt(NO_FILE)
    await room.messages.act(here)
    async with room.files.turn():
        finding = await room.desk.verify(await room.files.fetch(file, ELSEWHERE))
    account = await account_of(room.desk.studio, user) if here.private else None
    with as_far_as_telegram_lets():
        await room.messages.send(here, Shown(plain(verified(finding, account, fit=True)), None))
