"""A card as HTML and buttons: within Telegram's limits in every state, whatever people write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.card import BUTTON_ID, Card, card
from bots.telegram.card_view import LESS, MORE, Extra, Shown, card_view, keyboard
from bots.telegram.markup import CAPTION_CHARS, TEXT_CHARS, cut, length
from core.dispatch import Outlook
from core.engine import Stage
from core.eta import NOTHING, Range
from core.job import State
from core.safety.verdict import Clause
from core.studio import View
from tests.bots.drawing import MODELS
from tests.bots.test_card import CLIP, JOB, REQUEST
from tests.telegram import markup

RUNNING = Outlook(0, 0, NOTHING, Range(40, 55), Stage.RENDERING, 12, 20)
LONG = "<b>&amp; a 🎬 </b> & <i>\n" * 200
EVERYTHING = Extra("A notice.", "480p", 8, page=True)


def shown(state: State, outlook: Outlook | None = None, **changes: Any) -> Card:
    return card(View(replace(JOB, state=state, **changes), outlook), MODELS)


def labels(view: Shown) -> list[list[str]]:
    assert view.markup is not None
    return [[button.text for button in row] for row in view.markup.inline_keyboard]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("caption", [False, True])
def test_every_state_is_a_message(state: State, caption: bool) -> None:
    seen = shown(
        state,
        None if state.ended else RUNNING,
        clip=CLIP if state is State.SUCCEEDED else None,
        request=replace(REQUEST, prompt=LONG, notes=("camera: <pan>",) * 30),
        failure="It broke. " * 100,
        reference="ref",
        clause=Clause.GORE,
    )
    view = card_view(seen, EVERYTHING, caption=caption)
    text, entities = markup.parsed(view.text)
    assert length(text) <= (CAPTION_CHARS if caption else TEXT_CHARS)
    assert "<b>&amp; a 🎬" in text
    assert "A notice." in text
    kinds = {entity["type"] for entity in entities}
    assert "expandable_blockquote" in kinds
    assert ("spoiler" in kinds) == (state in (State.HELD, State.REFUSED))
    rows = labels(view)
    assert len(rows) <= 2
    assert max(map(len, rows)) <= 3
    assert view.markup is not None
    for row in view.markup.inline_keyboard:
        for button in row:
            assert BUTTON_ID.fullmatch(str(button.callback_data))


@given(st.text(max_size=1200), st.integers(0, 1200))
def test_words_are_cut_as_telegram_counts(words: str, most: int) -> None:
    words = words.encode("utf-16-le", errors="ignore").decode("utf-16-le")
    kept = cut(words, most)
    assert length(kept) <= most
    assert kept == words or words.startswith(kept[:-1].rstrip())


def test_progress_is_a_bar_with_what_is_left() -> None:
    view = card_view(shown(State.RUNNING, RUNNING), Extra())
    text, _ = markup.parsed(view.text)
    lines = text.splitlines()
    assert lines[:3] == ["Rendering", "step 12 of 20 · 40–55 s left", "▰▰▰▰▰▰▰▱▱▱▱▱ 60 %"]
    assert lines[3] == REQUEST.prompt
    assert labels(view) == [["Cancel"]]


def test_a_finishing_card_has_no_buttons() -> None:
    last = replace(RUNNING, stage=Stage.ENCODING)
    assert card_view(shown(State.RUNNING, last), Extra()).markup is None


def test_a_clip_has_two_rows_and_the_rest_under_more() -> None:
    small = replace(REQUEST, resolution="144p")
    done = shown(State.SUCCEEDED, clip=CLIP, request=small)
    view = card_view(done, EVERYTHING, caption=True)
    assert labels(view) == [["Again", "Edit", "Extend"], ["×4 · 8 credits", "Delete", "More"]]
    rest = keyboard(done, EVERYTHING, more=True)
    assert rest is not None
    assert labels(Shown("", rest)) == [["Report", "Upscale to 480p", "On the page"], ["Back"]]
    data = str(rest.inline_keyboard[-1][0].callback_data)
    assert BUTTON_ID.fullmatch(data).groupdict() == {"action": LESS, "job_id": JOB.id}  # type: ignore[union-attr]
    assert MORE in str(view.markup.inline_keyboard[-1][-1].callback_data)  # type: ignore[union-attr]
    text, _ = markup.parsed(view.text)
    assert text.splitlines()[:2] == [REQUEST.prompt, done.line_two]


def test_an_inline_message_has_only_what_works_there() -> None:
    extra = replace(EVERYTHING, inline=True)
    assert labels(card_view(shown(State.RUNNING, RUNNING), extra)) == [["Cancel"]]
    assert labels(card_view(shown(State.SUCCEEDED, clip=CLIP), extra)) == [["Report"]]
