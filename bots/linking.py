"""What is said of joining accounts and of parting, on every platform."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bots.card import credits
from bots.talk import Bold, Code, Line, Paragraph, line
from core.job import Identity
from core.links import CODE_CHARS, Offer

JOIN_ID = re.compile(rf"kn-join:(?P<code>[0-9A-Z]{{{CODE_CHARS}}})")
PART_ID = re.compile("kn-part")
JOIN_LABEL, PART_LABEL = "Join them", "Leave it"
IN_PRIVATE = (
    "Only in our own chat: here others could read the code, and join their account with yours."
)
READ_BY_OTHERS = (
    "Others could read that code here, so it opens nothing any more. Ask for a new one, and type "
    "it in our own chat."
)

_PLATFORMS = {"discord": "Discord", "telegram": "Telegram", "web": "the page"}


def places(identities: Iterable[Identity]) -> str:
    """ "Discord and Telegram" """
    return _and(_PLATFORMS.get(one.platform, one.platform) for one in identities)


def code(made: str) -> Sequence[Paragraph]:
    return [
        (line(Bold("Join your accounts")),),
        (
            line("Type ", Code("/link"), " and this code where your other account is, within 10 "
                 "minutes:"),
            line(Code(made)),
        ),
        (
            line("On the page it goes into Menu, Linked accounts.", small=True),
            line("Show it to nobody: whoever types it shares your wallet.", small=True),
        ),
    ]  # fmt: skip


def asked(offer: Offer) -> Sequence[Paragraph]:
    """Before they are joined."""
    return [
        (line(Bold("Join these accounts?")),),
        (
            line("Yours here, and that of ", Bold(offer.other.name),
                 f" on {places(offer.elsewhere)}."),
            line(f"Together you have {credits(offer.credits)}, one queue and one history, under "
                 "the name ", Bold(offer.name), "."),
            line("From then on there is one grant a day for both. What a moderator laid on one "
                 "holds for both, and moderators see both names."),
        ),
        (
            line("/unlink takes this one out again, but without the credits and the clips."),
            line("Only go on if both are yours."),
        ),
    ]  # fmt: skip


def joined(name: str, available: int, linked: Sequence[Identity]) -> Sequence[Paragraph]:
    return [
        (line(Bold("Joined")),),
        (line(f"{name}: {places(linked)}, one wallet with {credits(available)}."),),
    ]


def parting(linked: Sequence[Identity], me: Identity) -> Sequence[Paragraph]:
    """Before somebody leaves."""
    rest, here = _others(linked, me), places([me])
    return [
        (line(Bold(f"Take {here} out of this account?")),),
        (
            line(f"The credits, the clips and what is under way stay with {rest}."),
            line(f"{here.capitalize()} begins anew with an empty account, which gets its first "
                 "credits tomorrow. Neither of both can be linked before a week is over."),
        ),
    ]  # fmt: skip


def parted(linked: Sequence[Identity], me: Identity) -> Sequence[Paragraph]:
    """linked: as it was before."""
    rest, here = _others(linked, me), places([me])
    said = f"{here.capitalize()} has an account of its own now. The rest stayed with {rest}."
    return [(line(Bold("Parted")),), (line(said),)]


def mine(linked: Sequence[Identity]) -> Line:
    """For /me."""
    if len(linked) > 1:
        return line(f"Linked: {places(linked)}; ", Code("/unlink"), " parts this one", small=True)
    return line(Code("/link"), " joins this with your account elsewhere", small=True)


def _others(linked: Iterable[Identity], me: Identity) -> str:
    """ "Discord and your other account on Telegram" """
    others = [one for one in linked if one != me]
    names = ((places([one]), one.platform == me.platform) for one in others)
    return _and(f"your other account on {name}" if same else name for name, same in names)


def _and(names: Iterable[str]) -> str:
    """Each once."""
    *first, last = tuple(dict.fromkeys(names)) or ("nowhere",)
    return f"{', '.join(first)} and {last}" if first else last
