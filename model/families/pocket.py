"""Pocket: the built-in model that turns words into a clip. A miniature of Wan 2.2 TI2V.

Its weights lie beside the code that trained them, with what suits them in `kinora.json`. Where they
are missing there is no such model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from core import camera
from core.catalog import Cost, Model, Span, Takes, nearest_aspect
from core.prompt import ASPECTS
from core.request import Request
from model.families import wan
from model.family import Frame, Given, Loaded, Step
from model.pocket import facts
from model.pocket.scenes import clashes
from model.pocket.words import (
    BACKGROUNDS,
    CAMERA,
    COLOURS,
    MOTIONS,
    PLAIN_BACKGROUNDS,
    SHAPES,
    Phrases,
    count_tokens,
    heard,
    missed,
    understood,
)

WEIGHTS: Final = facts.FOLDER

MOST_PIECES: Final = 4
"""How many trained lengths a clip may have, each going on from the last, where no fact says."""

DRAFT_STEPS: Final = 4

STANDS_FOR: Final = {
    "dolly in": "zoom in",
    "dolly out": "zoom out",
    "crane up": "tilt up",
    "crane down": "tilt down",
}
"""Camera moves that it was not trained on, and the nearest that it may have been."""

AT_REST: Final = "static"
"""The move that needs no words."""

ADDED_BACKGROUNDS: Final = ("blue", "white", "yellow", "cyan", "grey", "sky")
"""What it draws behind things where no background was named: one that they don't clash with."""

MISSED_MOST: Final = 6
MISSED_CHARS: Final = 24
"""Of each of them."""

UNKNOWN_WORDS: Final = "It knows none of these words, so what it draws is left to chance."
PICTURE: Final = (
    "pocket knows only simple scenes of its own kind; a photograph comes out blurred. "
    "parallax moves a camera through one."
)

VOCABULARY: Final = (
    ("things", tuple(SHAPES)),
    ("colours", tuple(COLOURS)),
    ("motions", tuple(phrases[0] for phrases in MOTIONS.values())),
    ("backgrounds, as in “blue background”", tuple(BACKGROUNDS)),
)
"""What people are told that it knows; each of these words is one that it reads."""


def offered(folder: Path = WEIGHTS) -> tuple[Model, ...]:
    """The catalogue's entry for the weights in `folder`; nothing where there are none."""
    if not (folder / "model_index.json").is_file():
        return ()
    suiting = facts.read(folder)
    rate, steps, sizes = suiting.frame_rate, suiting.num_inference_steps, suiting.sizes
    whole_seconds = round((suiting.num_frames - 1) / rate, 2)
    longest_seconds = suiting.longest_seconds or math.floor(MOST_PIECES * whole_seconds)
    width, height = sizes[0]
    aspects = ASPECTS if len(sizes) > 1 else ("1:1",)
    moves = _moves(suiting.camera)
    tokens = _room(suiting.max_sequence_length)
    return (
        Model(
            name="pocket",
            family="pocket",
            summary="Simple animated scenes from words: a thing or two, their motion, a background",
            licence="Apache-2.0",
            text=True,
            picture=Takes.MAYBE if suiting.takes_picture else Takes.NOTHING,
            last_picture=suiting.takes_last_picture,
            extends=suiting.extends,
            flags=frozenset(
                {"neg", "steps", "guidance", "draft"} | ({"camera"} if moves else set())
            ),
            moves=moves,
            strengths=False,
            seconds=Span(min(1, whole_seconds), longest_seconds, whole_seconds),
            resolutions=("240p", "480p", "720p"),
            resolution="480p",
            frame_rates=(rate,),
            frame_rate=rate,
            credits_per_second=1,
            cost=Cost(fixed=0.5, per_megapixel_frame=0.015),
            aspects=aspects,
            aspect=nearest_aspect(width, height, aspects),
            frame_quantum=4,
            steps=Span(min(4, steps), 50, steps),
            draft_steps=min(2, steps),
            draft_resolution="240p",
            guidance=Span(1, 10, suiting.guidance_scale),
            native=min(width, height),
            vocabulary=VOCABULARY,
            remarks=lambda request: remarks(request, tokens),
        ),
    )


def load(name: str) -> Loaded:
    """Raises OSError where the weights are missing."""
    trained = checkpoint()
    return Pocket(wan.load(trained), trained.max_sequence_length)


def checkpoint(folder: Path = WEIGHTS) -> wan.Checkpoint:
    suiting = facts.read(folder)
    return wan.Checkpoint(
        source=str(folder),
        sizes=suiting.sizes,
        num_frames=suiting.num_frames,
        shortest=suiting.num_frames,
        context_latents=suiting.context_latents,
        hold_colour=suiting.hold_colour,
        max_sequence_length=suiting.max_sequence_length,
        draft_steps=DRAFT_STEPS,
        cpu_dtype="bfloat16",
        vae_dtype=None,
    )


class Pocket:
    """`model.family.Loaded`: Wan, that hears of camera moves, and of a background, in words."""

    def __init__(self, drawn: Loaded, max_sequence_length: int) -> None:
        self._drawn = drawn
        self._tokens = _room(max_sequence_length)

    def frames(self, request: Request, given: Given, step: Step) -> Iterator[Frame]:
        prompt = told(request, self._tokens)
        return self._drawn.frames(replace(request, prompt=prompt), given, step)


def told(request: Request, tokens: int) -> str:
    """The prompt, behind it a background where it names none, and the moves that it does not name
    yet, in words of the training.

    tokens: how many there may be in all; a prompt that leaves no room is cut as `heard` does.
    """
    said = understood(heard(request.prompt, tokens))
    names = dict.fromkeys(STANDS_FOR.get(str(move), str(move)) for move in request.camera)
    moves = [
        CAMERA[name][0]
        for name in names
        if name in CAMERA and not any(phrase in said for phrase in CAMERA[name])
    ]
    background = added_background(request, tokens)
    where = BACKGROUNDS[background][0] if background else ""
    if background in PLAIN_BACKGROUNDS:
        where = f"on a {where}"
    added = ", ".join(filter(None, [where, *moves]))
    prompt = heard(request.prompt, tokens - count_tokens(f", {added}" if added else ""))
    return ", ".join(filter(None, [prompt.rstrip(" ,.;") if where else prompt, added]))


def added_background(request: Request, tokens: int) -> str:
    """The one that it draws where its words, of which it knows some, name none; else "".

    What begins with a picture or with an earlier clip has its own.
    """
    said = understood(heard(request.prompt, tokens))
    if not said or request.pictures or request.continues or _named(BACKGROUNDS, said):
        return ""
    colours = _named(COLOURS, said)
    fitting = [
        background
        for background in ADDED_BACKGROUNDS
        if not any(clashes(colour, background) for colour in colours)
    ]
    return fitting[request.seed % len(fitting)]


def remarks(request: Request, tokens: int) -> tuple[str, ...]:
    """What it understood and what not, which background it adds, what it makes of a picture."""
    notes = []
    if request.prompt:
        known = understood(heard(request.prompt, tokens))
        notes.append(f"It understood: {', '.join(known)}.{_not(request)}" if known
                     else UNKNOWN_WORDS)  # fmt: skip
    if background := added_background(request, tokens):
        notes.append(f"Background: {background}, since none was named.")
    if request.pictures:
        notes.append(PICTURE)
    return tuple(notes)


def _not(request: Request) -> str:
    """What follows on what it understood, as in "Not: starry, snow."."""
    words = missed(camera.without(request.prompt) if request.camera else request.prompt)
    if not words:
        return ""
    shown = [w if len(w) <= MISSED_CHARS else f"{w[: MISSED_CHARS - 1]}…" for w in words]
    more = " and more" if len(shown) > MISSED_MOST else ""
    return f" Not: {', '.join(shown[:MISSED_MOST])}{more}."


def _named(table: Phrases, said: Sequence[str]) -> list[str]:
    """The plain names of those that are said."""
    return [name for name, phrases in table.items() if any(one in said for one in phrases)]


def _room(max_sequence_length: int) -> int:
    """How many tokens of a prompt there may be beside the mark of its end."""
    return max_sequence_length - 1


def _moves(trained: Sequence[str]) -> frozenset[str]:
    """Every move that it can make with those it was trained on."""
    nearest = {move for move, like in STANDS_FOR.items() if like in trained}
    return frozenset(trained) | nearest | {AT_REST} if trained else frozenset()


MODELS = offered()
