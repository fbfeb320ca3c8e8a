"""A card as a message on Telegram. Pure: words in, HTML and buttons out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.card import Button, Card, button_id, label
from bots.telegram.markup import (
    CAPTION_CHARS,
    TEXT_CHARS,
    bold,
    code,
    cut,
    italic,
    length,
    plain,
    quote,
)
from core.job import State

ROW_BUTTONS = 3
ROWS = 2
MORE, LESS = "more", "less"
"""Actions of the buttons that open the rest and close it."""

FOLDED_CHARS = 300
"""Of a prompt that is shown whole without a tap."""

LINE_CHARS, SMALL_CHARS = 250, 200

_IMPORTANT = (
    Button.RENDER,
    Button.RELAX,
    Button.ATTEST,
    Button.CHANGE,
    Button.CANCEL,
    Button.AGAIN,
    Button.RETRY,
    Button.EDIT,
    Button.APPEAL,
    Button.EXTEND,
    Button.FOUR,
    Button.DELETE,
    Button.REPORT,
    Button.UPSCALE,
    Button.PAGE,
)
"""Where not all have room, the last are under "More"."""

_NOT_INLINE = set(Button) - {
    Button.RENDER, Button.RELAX, Button.ATTEST, Button.CANCEL, Button.APPEAL, Button.REPORT,
}  # fmt: skip
"""A message that stands in a chat without the bot can have no new one beside it."""


@dataclass(frozen=True, slots=True)
class Extra:
    """What a card can't know. notice: a line for this message alone. larger: the resolution that
    Upscale makes. four: what ×4 costs, in credits. page: people can reach the page. inline: the
    message stands in a chat that the bot is not in."""

    notice: str = ""
    larger: str | None = None
    four: int | None = None
    page: bool = False
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A message: HTML, and its buttons; None where there are none."""

    text: str
    markup: InlineKeyboardMarkup | None


def card_view(card: Card, extra: Extra, *, caption: bool = False) -> Shown:
    """One job. caption: beside its clip or a picture, which leaves room for 1024 characters."""
    if caption and card.state is State.SUCCEEDED:
        head, small = [], [card.line_two]
    else:
        head = [
            (bold, cut(card.line_one, LINE_CHARS)),
            (plain, cut(card.line_two, LINE_CHARS)),
            (plain, card.bar),
        ]
        small = ["" if card.state.ended else card.facts]
    small += [" ".join(card.notes), extra.notice]
    foot = [(italic, cut(line, SMALL_CHARS)) for line in small]
    if card.reference:
        foot.insert(0, (code, f"Reference {card.reference}"))
    room = CAPTION_CHARS if caption else TEXT_CHARS
    words = cut(card.prompt, room - sum(length(text) + 1 for _, text in (*head, *foot)))
    lines = [
        *(form(text) for form, text in head),
        quote(words, folded=length(words) > FOLDED_CHARS, covered=card.veiled),
        *(form(text) for form, text in foot),
    ]
    return Shown("\n".join(filter(None, lines)), keyboard(card, extra))


def keyboard(card: Card, extra: Extra, *, more: bool = False) -> InlineKeyboardMarkup | None:
    """At most two rows of three; the rest under "More", which is shown where `more` is True."""
    offered = {button for row in card.rows() for button in row}
    offered -= _NOT_INLINE if extra.inline else set()
    offered -= set() if extra.page else {Button.PAGE}
    made = [
        InlineKeyboardButton(
            label(button, extra.larger, extra.four), callback_data=button_id(button, card.job_id)
        )
        for button in _IMPORTANT
        if button in offered
    ]
    if len(made) > ROWS * ROW_BUTTONS:
        first = ROWS * ROW_BUTTONS - 1
        made = made[first:] if more else made[:first]
        action, words = (LESS, "Back") if more else (MORE, "More")
        made.append(InlineKeyboardButton(words, callback_data=button_id(action, card.job_id)))
    return InlineKeyboardMarkup(rows_of(made)) if made else None


def rows_of(
    buttons: Sequence[InlineKeyboardButton], width: int = ROW_BUTTONS
) -> list[list[InlineKeyboardButton]]:
    return [list(buttons[at : at + width]) for at in range(0, len(buttons), width)]
