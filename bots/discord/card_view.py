"""A card as Discord's components. Pure: words and file names in, a layout out.

Components V2: one container with the accent colour, which holds text, pictures and rows of buttons.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import discord
from discord import ui

from bots.card import Button, Card, button_id, label
from core.job import State

ACCENT = 0xC2571A
QUIET = 0x6D6A75
TROUBLE = 0xB3261E
PROMPT_CHARS = 1200
"""Of a prompt that is shown; a message holds 4000 in all."""

PICTURE, PREVIEW = "picture.jpg", "preview.jpg"
SHOW = "show"
SHEET_CANCEL, SHEET_DELETE = "cancel-all", "delete-all"
ROW_BUTTONS = 5
ALT_CHARS = 250

_STYLES = {
    Button.CANCEL: discord.ButtonStyle.secondary,
    Button.DELETE: discord.ButtonStyle.secondary,
    Button.REPORT: discord.ButtonStyle.secondary,
    Button.PAGE: discord.ButtonStyle.secondary,
    Button.RENDER: discord.ButtonStyle.primary,
    Button.RELAX: discord.ButtonStyle.primary,
    Button.ATTEST: discord.ButtonStyle.primary,
    Button.AGAIN: discord.ButtonStyle.primary,
    Button.RETRY: discord.ButtonStyle.primary,
}
_COLOURS = {
    State.FAILED: TROUBLE,
    State.REFUSED: TROUBLE,
    State.CANCELLED: QUIET,
}

Child = ui.Item[ui.LayoutView]


@dataclass(frozen=True, slots=True)
class Extra:
    """What a card can't know. notice: a line for this message alone. larger: the resolution that
    Upscale makes. four: what ×4 costs, in credits. page: people can reach the page."""

    notice: str = ""
    larger: str | None = None
    four: int | None = None
    page: bool = False


def clip_name(job_id: str) -> str:
    return f"kinora-{job_id}.mp4"


def poster_name(job_id: str) -> str:
    return f"kinora-{job_id}.jpg"


def card_view(card: Card, files: Set[str], extra: Extra) -> ui.LayoutView:
    """One job. files: the names of what is attached to the message."""
    done = card.state is State.SUCCEEDED
    shown = next(
        (name for name in (clip_name(card.job_id), poster_name(card.job_id), PREVIEW)
         if name in files),
        None,
    )  # fmt: skip
    children: list[Child] = []
    if done and shown:
        clip = _medium(shown, _alt("A clip", card))
        children += [_gallery(clip), *_texts(_prompt(card), _small(card.line_two))]
    else:
        head, prompt = f"**{card.line_one}**\n{_why(card)}".strip(), _prompt(card)
        if PICTURE in files:
            given: ui.Thumbnail[ui.LayoutView] = ui.Thumbnail(
                f"attachment://{PICTURE}", description="The picture it starts from"
            )
            children.append(ui.Section(*filter(None, (head, prompt)), accessory=given))
            children += _texts(card.bar)
        else:
            children += _texts(head, card.bar, prompt)
        if shown:
            children.append(_gallery(_medium(shown, _alt("A frame so far", card))))
        if card.reference:
            children += _texts(_small(f"Reference {card.reference}"))
        elif not card.state.ended:
            children += _texts(_small(card.facts))
    children += _texts(_small(" ".join(card.notes)), _small(extra.notice))
    children += [_row(card, row, extra) for row in _rows(card, extra)]
    return _layout(children, _COLOURS.get(card.state, ACCENT))


def sheet_view(cards: Sequence[Card], files: Set[str], notice: str = "") -> ui.LayoutView:
    """Several jobs from one request, as a contact sheet with a number under each."""
    done = [card for card in cards if card.state is State.SUCCEEDED]
    unfinished = [card for card in cards if not card.state.ended]
    first = cards[0]
    title = f"**{len(done)} of {len(cards)} done**" if unfinished else "**Done**"
    children = _texts(title, _prompt(first))
    media = [
        _medium(name, _alt(f"Clip {number}", card))
        for number, card in enumerate(cards, 1)
        if card in done
        for name in (clip_name(card.job_id), poster_name(card.job_id))
        if name in files
    ]
    if media:
        children.append(_gallery(*media))
    lines = [f"`{number}` {card.line_one} · {_why(card)}" for number, card in enumerate(cards, 1)]
    children += _texts("\n".join(map(_small, lines)), _small(notice))
    numbers: ui.ActionRow[ui.LayoutView] = ui.ActionRow()
    for number, card in enumerate(cards[:5], 1):
        numbers.add_item(
            ui.Button(
                label=str(number),
                custom_id=button_id(SHOW, card.job_id),
                disabled=card not in done and Button.APPEAL not in card.buttons,
            )
        )
    action, words = (SHEET_CANCEL, "Cancel") if unfinished else (SHEET_DELETE, "Delete")
    rest: ui.ActionRow[ui.LayoutView] = ui.ActionRow(
        ui.Button(label=words, custom_id=button_id(action, first.job_id))
    )
    return _layout([*children, numbers, rest], ACCENT)


def note_view(text: str, colour: int = QUIET) -> ui.LayoutView:
    """A message that is only words, for where a card was to be."""
    return _layout(_texts(text), colour)


def plain(text: str) -> str:
    """Somebody's words, as they wrote them: no formatting, no mentions."""
    return discord.utils.escape_mentions(discord.utils.escape_markdown(text))


def covered(text: str) -> str:
    """As `plain`, hidden until it is tapped: what looks like a link in it uncovers nothing."""
    words = discord.utils.escape_markdown(text, ignore_links=False)
    return f"||{discord.utils.escape_mentions(words)}||"


def _layout(children: Sequence[Child], colour: int) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.Container(*children, accent_colour=colour))
    return view


def _texts(*texts: str) -> list[Child]:
    return [ui.TextDisplay(text) for text in texts if text]


def _small(text: str) -> str:
    return f"-# {text}" if text else ""


def _why(card: Card) -> str:
    """Its second line, which may be what a moderator wrote."""
    return plain(card.line_two) if card.state is State.REFUSED else card.line_two


def _prompt(card: Card) -> str:
    words = card.prompt
    if not words:
        return ""
    if len(words) > PROMPT_CHARS:
        words = f"{words[: PROMPT_CHARS - 1]}…"
    return f"> {covered(words)}" if card.veiled else f"> {plain(words)}"


def _gallery(*media: discord.MediaGalleryItem) -> Child:
    return ui.MediaGallery(*media)


def _medium(name: str, words: str) -> discord.MediaGalleryItem:
    """words: for those who can't see it."""
    return discord.MediaGalleryItem(f"attachment://{name}", description=words)


def _alt(what: str, card: Card) -> str:
    """What a picture or clip is, and the words that it was asked for with."""
    return f"{what}: {card.prompt}"[:ALT_CHARS] if card.prompt else what


def _rows(card: Card, extra: Extra) -> list[list[Button]]:
    """The card's rows, or all of it in one where that holds them."""
    rows = [
        [button for button in row if button is not Button.PAGE or extra.page] for row in card.rows()
    ]
    if sum(map(len, rows)) <= ROW_BUTTONS:
        rows = [[button for row in rows for button in row]]
    return [row for row in rows if row]


def _row(card: Card, row: Sequence[Button], extra: Extra) -> Child:
    made: ui.ActionRow[ui.LayoutView] = ui.ActionRow()
    for button in row:
        made.add_item(
            ui.Button(
                label=label(button, extra.larger, extra.four),
                custom_id=button_id(button.value, card.job_id),
                style=_STYLES.get(button, discord.ButtonStyle.secondary),
            )
        )
    return made
