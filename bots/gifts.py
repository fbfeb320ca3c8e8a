"""What is said of gifts and vouchers, on every platform.

A gift is said first and done by a button, which carries all of it: so it works after a restart, and
for who asked alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bots.card import credits
from bots.hearing import NOT_ASKER
from core.errors import BadPrompt, Refused
from core.gifts import Given
from core.job import Account

GIFT_ID = re.compile(r"kn-gift:(?P<asker>\d{1,20})/(?P<receiver>\d{1,18})/(?P<credits>\d{1,10})")
GIVE_LABEL = "Give them"
NO_ACCOUNT = "They have no account here yet: they get one by /me, or with their first clip."
NO_BOTS = "That is a bot, which asks for nothing."
HOW_MANY = "Say how many credits, as in /gift 20."
NO_CODE = "Type the code behind it, as in /redeem 7K3M-Q9TD-2XVB-N4HS-8ZPA."
NOT_TOLD = " I could not tell them."


@dataclass(frozen=True, slots=True)
class Offered:
    """What a button gives. asker: by their id on the platform; receiver: an account."""

    asker: int
    receiver_id: int
    credits: int

    @property
    def button_id(self) -> str:
        return f"kn-gift:{self.asker}/{self.receiver_id}/{self.credits}"

    def check_asker(self, who: int) -> None:
        """Raises Refused for everybody else."""
        if who != self.asker:
            raise Refused(NOT_ASKER)


def offered(button_id: str) -> Offered:
    found = GIFT_ID.fullmatch(button_id)
    assert found is not None, "other buttons are others'"
    return Offered(int(found["asker"]), int(found["receiver"]), int(found["credits"]))


def counted(word: str) -> int:
    """Raises BadPrompt."""
    if not word.isdecimal() or len(word) > 10:
        raise BadPrompt(HOW_MANY)
    return int(word)


def asked(receiver: Account, count: int) -> str:
    return f"{credits(count)} for {receiver.name}? You can't take them back."


def gave(given: Given) -> str:
    """To who gave."""
    count = credits(given.gift.credits)
    return f"{given.receiver.name} has {count} from you. You have {given.left} left."


def got(sender: Account, given: Given) -> str:
    """To who was given, in their own chat."""
    count = credits(given.gift.credits)
    return f"{sender.name} gave you {count}. You have {credits(given.theirs)} now."


def seen(sender: str, receiver: str, given: Given) -> str:
    """Where others read it, too. Names as the platform draws them."""
    return f"{sender} gave {receiver} {credits(given.gift.credits)}."
