"""What is said to one person: /start, /help, /me, /queue, /models, and the fine print.

Pure but for what the studio is asked; who answers, and where, is others'.
"""

from __future__ import annotations

from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots import privacy as privacy_words
from bots import talk
from bots.linking import mine
from bots.talk import Bit, Bold, Code, Covered, Line, Paragraph, line
from bots.telegram.card_view import Shown
from bots.telegram.desk import TelegramDesk
from bots.telegram.hearing import door
from bots.telegram.markup import TEXT_CHARS, bold, code, italic, length, plain, spoiler
from core.job import Account

WELCOME: Sequence[Paragraph] = (
    (line(Bold("Kinora"), " renders clips on this community's own machine."),),
    (
        line("Send me a picture, and it comes to life."),
        line("Send me words, such as ", Code("a red ball bouncing, blue background"), "."),
        line("Two pictures together are the first frame and the last."),
    ),
    (line("/help says more, /me what you have."),),
    (line(talk.MACHINE, small=True),),
)

INLINE: Paragraph = (
    line("Now you can ask for clips in any chat: each comes here first, then into your message "
         "there."),
)  # fmt: skip

IN_SHORT: Paragraph = (
    line(Code("/create a red ball"), " makes a clip; /animate, with a picture or in reply to one, "
         "brings it to life."),
    line("Reply to a clip of mine with words to change it, with /extend to go on."),
    line("The rest I tell you in our own chat."),
)  # fmt: skip

PAYING: Paragraph = (
    line(Bold("Payments")),
    line("What there is to buy, /buy says. You pay in Telegram Stars, to whoever runs this Kinora; "
         "Telegram is no party to it."),
    line("What you paid for is yours at once, and stays unless the offer says how long. A "
         "subscription renews every 30 days until you end it."),
    line("Want a payment back? /paysupport. What you have not spent then goes, too."),
)  # fmt: skip


async def me(desk: TelegramDesk, account: Account, place: str) -> Shown:
    """Credits, what runs, the newest clips."""
    told = await talk.me(desk.studio, account, place)
    return _shown([*told, (mine(await desk.links.linked(account)),)])


async def queue(desk: TelegramDesk, account: Account, place: str) -> Shown:
    """How many run and wait, and where theirs are."""
    return _shown(await talk.queue(desk.studio, desk.lobby, account))


async def models(desk: TelegramDesk, account: Account, place: str) -> Shown:
    """What each model takes and makes."""
    return _shown(talk.models(desk.studio))


async def start(desk: TelegramDesk, account: Account, place: str) -> Shown:
    return _shown(WELCOME)


def start_inline(words: str) -> Shown:
    """For who came from inline mode. words: what they typed there, or ""."""
    back = InlineKeyboardButton("Back to your message", switch_inline_query=words)
    return Shown(drawn([*WELCOME[:1], INLINE]), InlineKeyboardMarkup([[back]]))


def help_in_short(username: str) -> Shown:
    """For a group, where the rest would be in others' way."""
    return Shown(drawn([IN_SHORT]), door(username, "All of it, in our own chat", "help"))


async def help_(desk: TelegramDesk, account: Account, place: str) -> Shown:
    """How to ask."""
    return _shown(
        [
            (line(Bold("Kinora"), " renders clips on this community's own machine."),),
            (
                line("Words alone: a clip from them."),
                line("A picture, a sticker or a video: it comes to life, as its caption says."),
                line("Two pictures together: the first frame and the last."),
                line("Words in reply to a clip of mine: the same again, with that changed."),
            ),
            (
                line("In groups: /create and /animate, the latter also in reply to anyone's "
                     "picture; or mention me."),
                line("In reply to a clip: /extend goes on where it stops, /again is once more."),
                line("/show posts one again, /cancel stops one."),
                line("/queue, /me, /models: where things stand."),
                line("/verify, with a clip or in reply to one: whether it was made here."),
                line("/link: one wallet with your account on Discord or the page."),
                line("In reply to somebody: /gift 20 gives them credits. /redeem takes a code."),
                line("/settings: how I am used in a chat."),
                line("Of somebody you know: --subject @name, with their picture, asks them first."),
                line("Refused by mistake? Appeal, under the card, asks a moderator."),
            ),
            (
                line("Under a clip: Again, with a new seed; Edit; Extend; ×4, four of the kind; "
                     "Upscale."),
            ),
            talk.flags(),
            (line(talk.COSTS),),
            (line(talk.MACHINE, small=True),),
        ]
    )  # fmt: skip


async def privacy(desk: TelegramDesk, account: Account, place: str) -> Shown:
    """What is kept, and for how long; and what Telegram hears of it."""
    store = desk.settings.store_chat
    sold = bool(desk.purchases.wares.for_stars())
    stored = " Clips for inline messages pass through a chat of theirs." if store else ""
    paid = " What you paid is kept with Telegram's number for it." if sold else ""
    return _shown(
        [
            *privacy_words.notice(desk.notice),
            (
                line(f"Telegram carries your messages and clips between us.{stored}{paid}"),
                line("I am told of commands, mentions and replies, and of all that is written in "
                     "our own chat. It is noted for a day, so that nothing gets lost."),
            ),
        ]
    )  # fmt: skip


async def terms(desk: TelegramDesk, account: Account, place: str) -> Shown:
    """What may be expected, and what is asked."""
    sold = bool(desk.purchases.wares.for_stars())
    return _shown(
        [
            (line(Bold("Terms")),),
            (
                line("This Kinora is run by its community, as it is: it may be slow, or away."),
                line("Ask for nothing that is against the law or hurts somebody, and send only "
                     "pictures that you may use."),
                line("Your clips are yours, as far as the model's licence allows: /models says "
                     "which that is."),
                line("What fails costs nothing. Credits are not money and can't be paid out."),
                line("Report, under a clip, tells whoever runs this of what should not be."),
            ),
            talk.policy(),
            (
                line("Refused by mistake? Appeal, under the card, asks a moderator. Whoever a "
                     "picture shows decides about it.", small=True),
            ),
            *([PAYING] if sold else []),
        ]
    )  # fmt: skip


def drawn(paragraphs: Sequence[Paragraph]) -> str:
    """As Telegram's HTML; what goes beyond one message is left out."""
    return "\n\n".join(talk.fitting(paragraphs, _line, length, TEXT_CHARS))


def _shown(paragraphs: Sequence[Paragraph]) -> Shown:
    return Shown(drawn(paragraphs), None)


def _line(drawn: Line) -> str:
    """Small lines are slanted: there is no smaller type."""
    return "".join(_bit(bit, small=drawn.small) for bit in drawn.bits)


def _bit(bit: Bit, *, small: bool) -> str:
    match bit:
        case Covered(text):
            return spoiler(text)
        case Bold(text):
            return bold(text)
        case Code(text) if text.startswith("/"):
            return plain(text)  # which Telegram makes a command to tap
        case Code(text):
            return code(text)
    return italic(bit) if small and bit.strip() else plain(bit)
