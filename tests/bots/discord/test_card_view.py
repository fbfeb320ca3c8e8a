"""A card as components: within Discord's limits in every state, whatever people write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bots.card import Card, card
from bots.discord.card_view import (
    PICTURE,
    PREVIEW,
    Extra,
    card_view,
    clip_name,
    sheet_view,
)
from bots.words import catalogue
from core.dispatch import Outlook
from core.engine import Stage
from core.eta import NOTHING, Range
from core.job import State
from core.safety.verdict import Clause
from core.studio import View
from tests.bots.drawing import MODELS
from tests.bots.test_card import CLIP, JOB, REQUEST
from tests.discord import components

LONG = "@everyone **a** [b](https://c) `d` # e\n" * 60


def shown(state: State, outlook: Outlook | None = None, **changes: Any) -> Card:
    return card(View(replace(JOB, state=state, **changes), outlook), MODELS)


def payload(view: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = view.to_components()
    components.check_message(made, v2=True)
    return made


def words(made: list[dict[str, Any]]) -> str:
    return "\n".join(c["content"] for c in components.walk(made) if "content" in c)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("files", [(), (PICTURE,), (PICTURE, PREVIEW), (clip_name(JOB.id),)])
def test_every_state_is_a_message(state: State, files: tuple[str, ...]) -> None:
    outlook = None if state.ended else Outlook(0, 0, NOTHING, Range(1, 2), Stage.RENDERING, 1, 3)
    clip = CLIP if state is State.SUCCEEDED else None
    request = replace(REQUEST, prompt=LONG)
    seen = shown(state, outlook, clip=clip, request=request, failure="It broke.", reference="ref")
    made = payload(card_view(seen, set(files), Extra("A notice.", "480p", page=True)))
    assert "A notice." in words(made)
    assert "@everyone" not in words(made)
    assert len(words(made)) <= components.MOST_TEXT
    components.check_media(made, set(files))


def test_what_looks_like_a_link_uncovers_no_words() -> None:
    request = replace(REQUEST, prompt="https://a/||b and c")
    seen = shown(State.REFUSED, clause=Clause.GORE, request=request, failure="**No**")
    made = words(payload(card_view(seen, set(), Extra())))
    assert "\\*\\*No" in made
    assert f"> ||{request.prompt.replace('||', chr(92) + '|' + chr(92) + '|')}||" in made


def test_a_sheet_of_four_is_a_message() -> None:
    request = replace(REQUEST, prompt=LONG)
    done = shown(State.SUCCEEDED, clip=CLIP, request=request)
    waiting = shown(State.QUEUED, Outlook(3, 2, Range(9, 20), Range(9, 30)), request=request)
    cards = [
        replace(one, job_id=f"{number}" * 12) for number, one in enumerate((done, waiting) * 2)
    ]
    made = payload(sheet_view(cards, {clip_name("0" * 12)}, "A notice."))
    assert "2 of 4 done" in words(made)
    buttons = [c for c in components.walk(made) if c["type"] == components.BUTTON]
    assert [b["label"] for b in buttons] == ["1", "2", "3", "4", "Cancel"]
    assert [b["disabled"] for b in buttons[:4]] == [False, True, False, True]
    refused = replace(shown(State.REFUSED, clause=Clause.GORE), job_id="9" * 12)
    made = payload(sheet_view([cards[0], refused], {clip_name("0" * 12)}))
    appealed = next(c for c in components.walk(made) if c.get("label") == "2")
    assert not appealed["disabled"]


def test_what_is_on_a_card_reads_in_order() -> None:
    outlook = Outlook(0, 0, NOTHING, Range(38, 56), Stage.RENDERING, 12, 20)
    made = payload(card_view(shown(State.RUNNING, outlook), set(), Extra()))
    assert words(made).splitlines() == [
        "**Rendering**",
        "step 12 of 20 · 40–55 s left",
        "▰▰▰▰▰▰▰▱▱▱▱▱ 60 %",
        "> a red ball",
        "-# sketch · 4 s · 240p · seed 7 · 12 credits",
        "-# Noted.",
    ]


def test_languages_translate_what_there_is() -> None:
    languages = catalogue()
    assert set(languages) == {"de", "es-ES"}
    for translated in languages.values():
        assert all(1 <= len(text) <= 100 for text in translated.values())
    german, spanish = languages["de"], languages["es-ES"]
    assert set(spanish) <= set(german)
